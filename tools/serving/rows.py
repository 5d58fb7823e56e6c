"""Rows in, predictions out, through a sandbox: one `predict` job per chunk. The host opens no model."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from open_autoglm.errors import AutoGLMError
from open_autoglm.events import Json
from open_autoglm.sandbox.base import Job, Limits, Session
from open_autoglm.sandbox.report import failure_line, is_ok
from open_autoglm.sandbox.supervision.folders import temporary
from open_autoglm.tools.data.staging import Staging
from open_autoglm.tools.metrics.predictions import Predictions, read_predictions
from open_autoglm.tools.task import Label, TaskType

CHUNK_ROWS = 250_000
"""Bounds what a job holds in memory; loading the model again for each chunk costs little beside so many rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A fitted model and the code that runs it."""

    code: Mapping[str, str]
    """`solution.py` and its helpers."""
    folder: Path
    task: Mapping[str, Json]
    """What `ctx.task` is inside."""
    params: Mapping[str, Json] | None
    seed: int
    task_type: TaskType
    classes: tuple[Label, ...]
    quantiles: tuple[float, ...] = ()
    requirements: Sequence[str] = ()


def generous_limits() -> Limits:
    """Limits for predicting on behalf of a user who waits: a quarter of an hour per chunk, most of the machine's memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Limits(wall_seconds=900.0, memory_bytes=max(2 << 30, int(memory * 0.8)), cpus=os.cpu_count() or 1)


def predict_rows(
    session: Session, model: Model, rows: pd.DataFrame, *, limits: Limits | None = None, chunk_rows: int = CHUNK_ROWS
) -> Predictions:
    """Predict every row, in order.

    Args:
        session: Where the code runs.
        model: What to run.
        rows: Columns as the model was trained on, at least one row.
        limits: Of each chunk's job.
        chunk_rows: Rows per job.

    Raises:
        AutoGLMError: The code failed on these rows; the message holds its last line.
        InvalidPredictions: It answered something that is no prediction.
        SandboxError: The sandbox itself failed.
    """
    parts: list[Predictions] = []
    with temporary("predict") as folder:
        staging = Staging(folder / "staged")
        for number, start in enumerate(range(0, len(rows), chunk_rows)):
            chunk = rows.iloc[start : start + chunk_rows].reset_index(drop=True)
            collect = folder / f"out-{number}"
            parts.append(
                _predict_chunk(session, model, staging.put(chunk), len(chunk), collect, limits or generous_limits())
            )
    return _joined(parts, model)


def _predict_chunk(
    session: Session, model: Model, staged: Path, rows: int, collect: Path, limits: Limits
) -> Predictions:
    context: dict[str, Json] = {
        "task": dict(model.task), "params": dict(model.params) if model.params is not None else None, "seed": model.seed,
        "n_jobs": limits.cpus, "device": "cpu", "seconds": limits.wall_seconds, "batches": None,
    }  # fmt: skip
    job = Job(
        execution_id=collect.name, phase="predict", call="predict", code=model.code, context=context,
        inputs={"model": model.folder, "rows": staged}, limits=limits, collect=collect,
        requirements=model.requirements,
    )  # fmt: skip
    report = session.run(job)
    if not is_ok(report):
        raise AutoGLMError(f"The model could not predict these rows: {failure_line(report)}")
    return read_predictions(
        collect / "predictions.npy",
        rows=rows,
        task_type=model.task_type,
        classes=model.classes,
        quantiles=model.quantiles,
    )


def _joined(parts: Sequence[Predictions], model: Model) -> Predictions:
    if len(parts) == 1:
        return parts[0]
    width = max(part.matrix.shape[1] for part in parts)
    if any(part.matrix.shape[1] != width for part in parts):
        raise AutoGLMError("The model answered with labels of its own for some rows and without them for others.")
    matrix = np.concatenate([part.matrix for part in parts])
    return Predictions(matrix=matrix, classes=model.classes, task_type=model.task_type, quantiles=model.quantiles)
