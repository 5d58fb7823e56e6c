"""Executing a bundle and scoring it on the host. Every step asks the journal first: what is recorded is not repeated.

`fit` and `predict` are two executions: the first never sees the rows that are scored, the second gets the saved model
and rows without target. The score is computed here, from the prediction matrix and labels that no sandbox holds.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from open_autoglm.agents.attempts import Attempt, Execution
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.faults import damaged, intact
from open_autoglm.events import EventKind, Json
from open_autoglm.sandbox.base import Job, Limits
from open_autoglm.sandbox.report import ExecutionReport, failure_line, is_ok, status_name
from open_autoglm.tools.data.staging import content_hash
from open_autoglm.tools.metrics.predictions import Predictions, read_predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fit or predict to be executed for an attempt."""

    attempt: Attempt
    phase: str
    """Name in the journal, such as `fold.fit`."""
    fold: int
    seconds: float
    """Wall time that this step may take."""
    seed: int


async def fit(deps: Deps, step: Step, train: Path, *, check: Path | None = None) -> Execution:
    """Fit the attempt's bundle on a staged table; the model is kept and referred to in `outputs`.

    With `check`, a staged table without target, the process predicts its rows right after the fit; what it said is kept
    as `check.npy`.
    """
    recorded = deps.journal.execution(step.attempt.id, step.phase, step.fold)
    if recorded is not None:
        return recorded
    inputs = {"train": train} if check is None else {"train": train, "check": check}
    return await _execute(
        deps, step, call="fit", inputs=inputs, keep=("model",) if check is None else ("model", "check.npy")
    )


async def predict(
    deps: Deps, step: Step, model: Path, rows: Path, *, batches: Sequence[Sequence[int]] | None = None
) -> Execution:
    """Predict the rows of a staged table with a saved model; the matrix is kept and referred to in `outputs`."""
    recorded = deps.journal.execution(step.attempt.id, step.phase, step.fold)
    if recorded is not None:
        return recorded
    extra: dict[str, Json] = {} if batches is None else {"batches": [list(batch) for batch in batches]}
    return await _execute(
        deps, step, call="predict", inputs={"model": model, "rows": rows}, keep=("predictions.npy",), extra=extra
    )


def read(deps: Deps, execution: Execution, rows: int, *, name: str = "predictions.npy") -> Predictions:
    """Read a prediction matrix of an execution.

    Raises:
        InvalidPredictions: It is not [rows, k] of finite numbers as the contract demands.
        RunDirectoryError: It is not what the execution left: the file was damaged since.
    """
    task = deps.workspace.task
    path = deps.workspace.resolve(execution.outputs[name])
    if intact(path, content_hash) not in {left.sha256 for left in execution.report.artefacts if left.path == name}:
        raise damaged(path, "is not what was predicted (its SHA-256 differs from the journal's)")
    return read_predictions(
        path,
        rows=rows,
        task_type=task.task_type,
        classes=deps.workspace.classes,
        quantiles=tuple(task.quantiles),
    )


def score(deps: Deps, y: np.ndarray, predictions: Predictions) -> float:
    """Score predictions against the host's labels."""
    return deps.workspace.metric.score(y, predictions, deps.workspace.classes)


def task_context(deps: Deps) -> dict[str, Json]:
    """Return what becomes `ctx.task` inside: names and roles, no numbers of the data."""
    task = deps.workspace.task
    return {
        "target": task.target,
        "task_type": task.task_type.value,
        "metric": task.metric.name,
        "classes": list(deps.workspace.classes),
        "columns": task.columns.model_dump(mode="json"),
        "quantiles": list(task.quantiles),
    }


def note(deps: Deps, execution: Execution) -> None:
    """Record an execution in the journal and tell of it. Callable from any thread."""
    deps.journal.record(execution)
    report = execution.report
    inside = sum(report.claimed_seconds.values())
    deps.events.emit(
        EventKind.EXECUTION_FINISHED,
        attempt=execution.attempt,
        phase=execution.phase,
        fold=execution.fold,
        status=status_name(report),
        wall=round(report.wall_seconds, 4),
        overhead=round(report.queued_seconds + max(0.0, report.wall_seconds - inside), 4),
        detail="" if execution.ok else failure_line(report),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSession:
    """A session that records what it runs, for code which executes a winner and knows no journal."""

    deps: Deps
    attempt: str

    def run(self, job: Job) -> ExecutionReport:
        """Run a job as the session beneath does, and record its report under the job's phase."""
        report = self.deps.session.run(job)
        note(self.deps, Execution(attempt=self.attempt, phase=job.phase, fold=0, report=report, ok=is_ok(report)))
        return report

    def cancel(self) -> None:
        """Cancel what runs beneath."""
        self.deps.session.cancel()

    def close(self) -> None:
        """Leave the session beneath open: it is the run's."""


async def _execute(
    deps: Deps,
    step: Step,
    *,
    call: str,
    inputs: Mapping[str, Path],
    keep: Sequence[str],
    extra: Mapping[str, Json] | None = None,
) -> Execution:
    name = f"{step.attempt.id}-{step.phase}-{step.fold}"
    job = _job(deps, step, name=name, call=call, inputs=inputs, extra=extra or {})
    report = await deps.blocking.execute(deps.session, job)
    ok = is_ok(report)
    outputs: dict[str, str] = {}
    missing = [part for part in keep if not (job.collect / part).exists()]
    if ok and missing:
        ok, report.detail = False, f"the code ran to its end and left no {missing[0]}"
        deps.journal.seal.sign(report)
    if ok:
        outputs = {part: deps.workspace.keep(job.collect / part, f"{name}-{part}") for part in keep}
    shutil.rmtree(job.collect, ignore_errors=True)
    execution = Execution(
        attempt=step.attempt.id, phase=step.phase, fold=step.fold, report=report, ok=ok, outputs=outputs
    )
    note(deps, execution)
    return execution


def _job(deps: Deps, step: Step, *, name: str, call: str, inputs: Mapping[str, Path], extra: Mapping[str, Json]) -> Job:
    assert step.attempt.bundle is not None, "an attempt is written before it is executed"
    bundle = deps.journal.bundle(step.attempt.bundle)
    context: dict[str, Json] = {
        "task": task_context(deps),
        "params": None if step.attempt.params is None else dict(step.attempt.params),
        "seed": step.seed,
        "n_jobs": deps.n_jobs,
        "device": deps.workspace.task.constraints.device or "cpu",
        "seconds": step.seconds,
        **extra,
    }
    return Job(
        execution_id=name,
        phase=step.phase,
        call=call,
        code=bundle.files,
        context=context,
        inputs=inputs,
        limits=Limits(wall_seconds=step.seconds, memory_bytes=deps.memory_bytes, cpus=deps.n_jobs),
        collect=deps.workspace.scratch(name),
        device=str(context["device"]),
        requirements=bundle.requirements,
    )
