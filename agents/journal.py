"""The journal: the append-only truth of a run. Every node asks it first whether its result is already there.

SQLite in WAL mode, written by one process. Nothing in it is pickled: JSON, protobuf and references to files that lie
on disk by content hash.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from open_autoglm.agents.strategist import Operator
from open_autoglm.errors import RunDirectoryError
from open_autoglm.events import Json
from open_autoglm.sandbox.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stages (name TEXT PRIMARY KEY, result TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clocks (process TEXT PRIMARY KEY, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS bundles (hash TEXT PRIMARY KEY, bundle TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    worker INTEGER NOT NULL,
    operator TEXT NOT NULL,
    slot INTEGER NOT NULL,
    parents TEXT NOT NULL,
    seed INTEGER NOT NULL,
    status TEXT NOT NULL,
    bundle TEXT REFERENCES bundles(hash),
    title TEXT NOT NULL DEFAULT '',
    params TEXT,
    detail TEXT NOT NULL DEFAULT '{}',
    repairs INTEGER NOT NULL DEFAULT 0,
    mean REAL,
    standard_error REAL,
    lesson TEXT NOT NULL DEFAULT '',
    failure TEXT NOT NULL DEFAULT '',
    finished_at REAL
);
CREATE INDEX IF NOT EXISTS attempts_by_status ON attempts(status);
CREATE TABLE IF NOT EXISTS executions (
    attempt TEXT NOT NULL,
    phase TEXT NOT NULL,
    fold INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    report BLOB NOT NULL,
    score REAL,
    outputs TEXT NOT NULL,
    PRIMARY KEY (attempt, phase, fold)
);
"""


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
    """Numbers of the attempt: fold scores, fit_seconds, predict_seconds, model_bytes, weights of an ensemble."""
    repairs: int = 0
    mean: float | None = None
    standard_error: float | None = None
    lesson: str = ""
    failure: str = ""

    def number(self, name: str) -> float | None:
        """Return a number of `detail`, or None where it was not measured."""
        value = self.detail.get(name)
        return float(value) if isinstance(value, int | float) else None

    @property
    def fold_scores(self) -> list[float]:
        """Scores of the folds that were graded, in fold order."""
        scores = self.detail.get("fold_scores", [])
        return [float(score) for score in scores] if isinstance(scores, list) else []  # type: ignore[arg-type]  # numbers, as written by the host


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


class Journal:
    """One run's journal. Thread-safe; every write is one transaction that a kill cannot halve."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self._check_version()
        except sqlite3.DatabaseError as error:
            raise RunDirectoryError(
                f"The journal {path} cannot be read ({error}). The deliverable beside it, if any, is untouched; "
                "start a new run, or put back a copy of the journal."
            ) from error

    def _check_version(self) -> None:
        version = self.get_meta("schema")
        if version is None:
            self.set_meta("schema", str(SCHEMA_VERSION))
        elif version != str(SCHEMA_VERSION):
            raise RunDirectoryError(
                f"The journal {self.path} has schema {version}, this version of autoglm reads schema {SCHEMA_VERSION}. "
                "Use the version that wrote it, or start a new run."
            )

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # --- facts about the run -------------------------------------------------------------------------------------

    def get_meta(self, key: str) -> str | None:
        """Return a fact, or None."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0]["value"] if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Record a fact."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def stage(self, name: str) -> Any | None:
        """Return the recorded result of a stage, or None where it has not ended yet."""
        rows = self._rows("SELECT result FROM stages WHERE name = ?", name)
        return json.loads(rows[0]["result"]) if rows else None

    def record_stage(self, name: str, result: Mapping[str, Json]) -> None:
        """Record that a stage ended, with its result."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO stages VALUES (?, ?)", (name, json.dumps(result, ensure_ascii=False)))

    def forget_stages(self, prefixes: Sequence[str]) -> None:
        """Forget stages (and executions of finalise) that must be done again, since the search goes on."""
        with self._transaction() as db:
            for prefix in prefixes:
                db.execute("DELETE FROM stages WHERE name = ? OR name LIKE ?", (prefix, prefix + ".%"))

    def record_clock(self, process: str, seconds: float) -> None:
        """Record how many seconds this process has used so far."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO clocks VALUES (?, ?)", (process, seconds))

    def seconds_spent(self, *, without: str = "") -> float:
        """Return the seconds that all processes used, but for the one named."""
        rows = self._rows("SELECT COALESCE(SUM(seconds), 0) AS total FROM clocks WHERE process != ?", without)
        return float(rows[0]["total"])

    # --- attempts ------------------------------------------------------------------------------------------------

    def reserve(self, *, worker: int, operator: Operator, slot: int, parents: Sequence[str], seed: int) -> Attempt:
        """Reserve a pick, so that no other worker makes the same; the attempt starts as running."""
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO attempts (id, worker, operator, slot, parents, seed, status) VALUES ('', ?, ?, ?, ?, ?, ?)",
                (worker, operator, slot, json.dumps(list(parents)), seed, AttemptStatus.RUNNING),
            )
            name = f"a{cursor.lastrowid:04d}"
            db.execute("UPDATE attempts SET id = ? WHERE number = ?", (name, cursor.lastrowid))
        return self.attempt(name)

    def save_bundle(self, attempt: str, bundle: CodeBundle, *, repairs: int = 0) -> str:
        """Give the attempt its code; a repair replaces it and forgets what the broken code did."""
        text = bundle.model_dump_json()
        digest = bundle.content_hash
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO bundles VALUES (?, ?)", (digest, text))
            db.execute(
                "UPDATE attempts SET bundle = ?, title = ?, repairs = ? WHERE id = ?",
                (digest, bundle.title, repairs, attempt),
            )
            db.execute("DELETE FROM executions WHERE attempt = ?", (attempt,))
        return digest

    def bundle(self, digest: str) -> CodeBundle:
        """Return a bundle by its hash."""
        rows = self._rows("SELECT bundle FROM bundles WHERE hash = ?", digest)
        if not rows:
            raise RunDirectoryError(f"The journal {self.path} misses bundle {digest}: it was damaged. Start a new run.")
        return CodeBundle.model_validate_json(rows[0]["bundle"])

    def update(self, attempt: Attempt) -> None:
        """Write the attempt's fields back."""
        ended = None if attempt.status is AttemptStatus.RUNNING else time.time()
        with self._transaction() as db:
            db.execute(
                "UPDATE attempts SET status=?, title=?, params=?, detail=?, repairs=?, mean=?, standard_error=?, lesson=?, "
                "failure=?, finished_at=? WHERE id=?",
                (
                    attempt.status, attempt.title, None if attempt.params is None else json.dumps(attempt.params),
                    json.dumps(attempt.detail), attempt.repairs, attempt.mean, attempt.standard_error, attempt.lesson,
                    attempt.failure, ended, attempt.id,
                ),
            )  # fmt: skip

    def attempt(self, attempt_id: str) -> Attempt:
        """Return one attempt."""
        rows = self._rows("SELECT * FROM attempts WHERE id = ?", attempt_id)
        if not rows:
            raise RunDirectoryError(f"The journal {self.path} has no attempt {attempt_id!r}.")
        return _attempt(rows[0])

    def attempts(self, status: AttemptStatus | None = None) -> list[Attempt]:
        """Return all attempts (of one status), oldest first."""
        if status is None:
            return [_attempt(row) for row in self._rows("SELECT * FROM attempts ORDER BY number")]
        return [_attempt(row) for row in self._rows("SELECT * FROM attempts WHERE status = ? ORDER BY number", status)]

    def best_attempts(self, *, greater_is_better: bool, count: int) -> list[Attempt]:
        """Return the best scored attempts, the best first; reruns of one bundle with another seed do not compete."""
        order = "DESC" if greater_is_better else "ASC"
        rows = self._rows(
            f"SELECT * FROM attempts WHERE status = 'scored' AND operator != 'rerun' ORDER BY mean {order}, number LIMIT ?",  # noqa: S608  # one of two constants
            count,
        )
        return [_attempt(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return how many attempts there are of each status; reruns and empty picks are none."""
        rows = self._rows(
            "SELECT status, COUNT(*) AS n FROM attempts WHERE operator != 'rerun' AND status != 'empty' GROUP BY status"
        )
        return {row["status"]: row["n"] for row in rows}

    # --- executions ----------------------------------------------------------------------------------------------

    def execution(self, attempt: str, phase: str, fold: int) -> Execution | None:
        """Return what an execution left, or None where it has not been made."""
        rows = self._rows("SELECT * FROM executions WHERE attempt=? AND phase=? AND fold=?", attempt, phase, fold)
        return _execution(rows[0]) if rows else None

    def executions(self, attempt: str) -> list[Execution]:
        """Return all executions of one attempt."""
        return [_execution(r) for r in self._rows("SELECT * FROM executions WHERE attempt=? ORDER BY rowid", attempt)]

    def record(self, execution: Execution) -> None:
        """Record an execution. What is recorded is never executed again."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    execution.attempt, execution.phase, execution.fold, int(execution.ok),
                    execution.report.SerializeToString(deterministic=True), execution.score, json.dumps(dict(execution.outputs)),
                ),
            )  # fmt: skip

    def record_score(self, execution: Execution, score: float) -> Execution:
        """Record the host's score of an execution."""
        scored = replace(execution, score=score)
        self.record(scored)
        return scored


def _attempt(row: sqlite3.Row) -> Attempt:
    return Attempt(
        id=row["id"], worker=row["worker"], operator=Operator(row["operator"]), slot=row["slot"],
        parents=tuple(json.loads(row["parents"])), seed=row["seed"], status=AttemptStatus(row["status"]),
        bundle=row["bundle"], title=row["title"], params=None if row["params"] is None else json.loads(row["params"]),
        detail=json.loads(row["detail"]), repairs=row["repairs"], mean=row["mean"],
        standard_error=row["standard_error"], lesson=row["lesson"], failure=row["failure"],
    )  # fmt: skip


def _execution(row: sqlite3.Row) -> Execution:
    report = ExecutionReport()
    report.ParseFromString(row["report"])
    return Execution(
        attempt=row["attempt"], phase=row["phase"], fold=row["fold"], report=report, ok=bool(row["ok"]),
        score=row["score"], outputs=json.loads(row["outputs"]),
    )  # fmt: skip
