"""What a run remembers: attempts and their executions."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from open_autoglm.agents.strategist import Operator
from open_autoglm.events import Json
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.seal import Seal


class AttemptStatus(StrEnum):
    """How far an attempt came."""

    RUNNING = "running"
    SCORED = "scored"
    FAILED = "failed"
    STOPPED = "stopped"
    """Hopeless, or cut by the end of the budget: it has no complete score and never competes."""
    EMPTY = "empty"
    """The strategist had nothing to write; it counts as no attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One bundle (with its PARAMS, where a trial set others) and everything that came of executing it."""

    id: str
    worker: int
    operator: Operator
    slot: int
    """The how-manieth pick of its operator: two workers never make the same."""
    parents: tuple[str, ...]
    seed: int
    status: AttemptStatus = AttemptStatus.RUNNING
    bundle: str | None = None
    """Hash of the bundle in the journal."""
    title: str = ""
    params: Mapping[str, Json] | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    """Numbers of the attempt: fold scores, fit_seconds, predict_seconds, model_bytes, weights of an ensemble, and of the first
    of a run short of time: fold_seconds (one fold, with all that belongs to it) and rows (what each of its folds learns from)."""
    repairs: int = 0
    mean: float | None = None
    standard_error: float | None = None
    lesson: str = ""
    failure: str = ""
    branch: str = ""
    """The draft that it goes back to by improvements and trials, for a draft its own id; empty for ensembles and reruns."""
    reward: float | None = None
    """How surely it is better than what it was made from, 0 to 1 (`search.reward`); None until it has ended."""

    def number(self, name: str) -> float | None:
        """Return a number of `detail`, or None where it was not measured."""
        value = self.detail.get(name)
        return float(value) if isinstance(value, int | float) else None

    @property
    def rows(self) -> int | None:
        """How many rows its folds learn from; None where it is all of them."""
        rows = self.number("rows")
        return None if rows is None else int(rows)

    @property
    def fold_scores(self) -> list[float]:
        """Scores of the folds that were graded, in fold order."""
        scores = self.detail.get("fold_scores", [])
        return [float(score) for score in scores if isinstance(score, int | float)] if isinstance(scores, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What one execution left: the report, the host's score, and where its artefacts lie."""

    attempt: str
    phase: str
    fold: int
    report: ExecutionReport
    ok: bool
    score: float | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Name (model, predictions) to the reference in the object store."""


def attempt_from(row: sqlite3.Row) -> Attempt:
    """Return the attempt of a journal row."""
    return Attempt(
        id=row["id"], worker=row["worker"], operator=Operator(row["operator"]), slot=row["slot"],
        parents=tuple(json.loads(row["parents"])), seed=row["seed"], status=AttemptStatus(row["status"]),
        bundle=row["bundle"], title=row["title"], params=None if row["params"] is None else json.loads(row["params"]),
        detail=json.loads(row["detail"]), repairs=row["repairs"], mean=row["mean"],
        standard_error=row["standard_error"], lesson=row["lesson"], failure=row["failure"],
        branch=row["branch"], reward=row["reward"],
    )  # fmt: skip


def row_of(execution: Execution, seal: Seal) -> dict[str, object]:
    """Return the journal row of an execution, sealed."""
    row: dict[str, object] = {
        "attempt": execution.attempt, "phase": execution.phase, "fold": execution.fold, "ok": int(execution.ok),
        "score": None if execution.score is None else float(execution.score), "outputs": json.dumps(dict(execution.outputs)),
    }  # fmt: skip
    report = execution.report
    return {
        **row,
        "report": report.SerializeToString(deterministic=True),
        "seal": seal.over(*row.values(), report.signature),
    }


def execution_from(row: sqlite3.Row, seal: Seal) -> Execution | None:
    """Return the execution of a journal row, or None where its report, or what was recorded beside it, is not this run's."""
    report = ExecutionReport()
    report.ParseFromString(row["report"])
    recorded = [row[name] for name in ("attempt", "phase", "fold", "ok", "score", "outputs")]
    if not (seal.is_signed(report) and seal.fits(row["seal"], *recorded, report.signature)):
        return None
    return Execution(
        attempt=row["attempt"], phase=row["phase"], fold=row["fold"], report=report, ok=bool(row["ok"]),
        score=row["score"], outputs=json.loads(row["outputs"]),
    )  # fmt: skip
