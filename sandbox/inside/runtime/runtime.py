"""The small part that every solution imports: what it is told (`Context`), and how its answers become numbers.

Needs only numpy and pandas. Put beside `solution.py`, it lets `python solution.py train.csv new.csv out.csv` run on its own.
"""

from __future__ import annotations

import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CLASSIFICATION = ("binary", "multiclass")


@dataclass(frozen=True)
class Task:
    """What is to be predicted."""

    target: str
    task_type: str
    """`binary`, `multiclass`, `regression` or `forecasting`."""
    metric: str = ""
    classes: tuple[Any, ...] = ()
    """In the order of the probability columns; empty for regression."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Role to column name or names: id, time, group, series, weight, text, image, known_ahead, dropped."""
    quantiles: tuple[float, ...] = ()
    read: Mapping[str, Any] = field(default_factory=dict)
    """How the user's files are read: arguments of `pandas.read_csv`, and `member` of a zip file or `sheet` of a workbook."""

    @property
    def is_classification(self) -> bool:
        """Whether the answer is one of `classes`."""
        return self.task_type in CLASSIFICATION

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Task:
        """Build a task from plain JSON; keys that are not known here are left out."""
        known = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        known["classes"] = tuple(known.get("classes") or ())
        known["quantiles"] = tuple(known.get("quantiles") or ())
        known["columns"] = dict(known.get("columns") or {})
        known["read"] = dict(known.get("read") or {})
        return cls(**known)


@dataclass(frozen=True)
class Context:
    """What `fit` and `predict` are told."""

    task: Task
    params: Mapping[str, Any]
    seed: int = 0
    n_jobs: int = 1
    device: str = "cpu"
    deadline: float = float("inf")
    """By `time.monotonic()`: after it the process is killed."""
    work_dir: Path = Path()
    """Empty, writable, gone after the call."""
    files: Path | None = None
    """Read-only folder that columns of file names point into."""
    checkpoints: Path | None = None
    """Read-only folder of pretrained models."""
    on_report: Callable[[float, float], None] | None = None

    def seconds_left(self) -> float:
        """Return the seconds until the deadline, never below 0."""
        return max(0.0, self.deadline - time.monotonic())

    def should_stop(self) -> bool:
        """Whether it is time to come to an end."""
        return self.seconds_left() <= 0.0

    def report(self, step: float, value: float) -> None:
        """Tell how far the work is, for example the boosting round and its validation loss."""
        if self.on_report is not None:
            self.on_report(float(step), float(value))


def to_matrix(answer: Any, task: Task, rows: int) -> np.ndarray:
    """Return what `predict` gave as float64 [rows, k].

    Classification: k is the number of classes, plus one column where the solution chose labels itself (`prediction`):
    the label's index in `task.classes`. Otherwise k is 1 plus the number of quantiles.

    Raises:
        ValueError: The answer has the wrong shape, or names classes that the task does not have.
    """
    matrix = _class_matrix(answer, task) if task.is_classification else _value_matrix(answer, task)
    if len(matrix) != rows:
        raise ValueError(f"predict() was given {rows} rows and returned {len(matrix)}.")
    return matrix


def _class_matrix(answer: Any, task: Task) -> np.ndarray:
    wanted = f"one probability column per class, in the order {list(task.classes)}"
    if not isinstance(answer, pd.DataFrame):
        matrix = np.asarray(answer, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(task.classes):
            raise ValueError(f"predict() must return {wanted}; it returned an array of shape {matrix.shape}.")
        return matrix
    proba, labels = answer, None
    if "prediction" in answer.columns and answer.shape[1] == len(task.classes) + 1:
        proba, labels = answer.drop(columns="prediction"), answer["prediction"]
    if proba.shape[1] != len(task.classes):
        raise ValueError(f"predict() must return {wanted}; it returned the columns {list(answer.columns)}.")
    by_name = {str(column): position for position, column in enumerate(proba.columns)}
    order = [by_name.get(str(label)) for label in task.classes]
    if None in order and list(proba.columns) != list(range(len(task.classes))):
        raise ValueError(f"predict() must return {wanted}; it returned the columns {list(answer.columns)}.")
    matrix = proba.to_numpy(dtype=np.float64)
    if None not in order:
        matrix = matrix[:, order]
    return matrix if labels is None else np.column_stack([matrix, _codes(labels, task.classes)])


def _codes(labels: pd.Series, classes: Sequence[Any]) -> np.ndarray:
    exact = {label: code for code, label in enumerate(classes)}
    by_text = {str(label): code for code, label in enumerate(classes)}
    codes = [exact.get(label, by_text.get(str(label))) for label in labels.tolist()]
    if None in codes:
        unknown = labels.iloc[codes.index(None)]
        raise ValueError(f"predict() chose {unknown!r}, which is not among the classes {list(classes)}.")
    return np.asarray(codes, dtype=np.float64)


def _value_matrix(answer: Any, task: Task) -> np.ndarray:
    width = 1 + len(task.quantiles)
    matrix = answer.to_numpy(dtype=np.float64) if hasattr(answer, "to_numpy") else np.asarray(answer, dtype=np.float64)
    if matrix.ndim == 1:
        matrix = matrix.reshape(-1, 1)
    if matrix.ndim != 2 or matrix.shape[1] != width:
        raise ValueError(f"predict() must return {width} column(s) of numbers; it returned the shape {matrix.shape}.")
    return matrix


def to_frame(matrix: np.ndarray, task: Task) -> pd.DataFrame:
    """Turn the matrix of `to_matrix` into the columns a user reads: `prediction`, then `proba_<class>` or `quantile_<q>`."""
    if not task.is_classification:
        names = ["prediction", *(f"quantile_{q}" for q in task.quantiles)]
        return pd.DataFrame(dict(zip(names, matrix.T, strict=True)))
    proba = matrix[:, : len(task.classes)]
    codes = matrix[:, -1].astype(int) if matrix.shape[1] > len(task.classes) else proba.argmax(axis=1)
    columns: dict[str, Any] = {"prediction": [task.classes[code] for code in codes]}
    columns.update({f"proba_{label}": proba[:, code] for code, label in enumerate(task.classes)})
    return pd.DataFrame(columns)


def read_table(path: str | Path, read: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Read a table as the solution expects it: Parquet and Excel by their suffix, everything else as CSV.

    `read` holds what was found out about the user's file; what another format does not need is left out.
    """
    options = {name: value for name, value in (read or {}).items() if name not in ("format", "table")}
    member, sheet = options.pop("member", None), options.pop("sheet", 0)
    suffix = Path(path).suffix.lower()
    if suffix in (".parquet", ".pq"):
        frame = pd.read_parquet(path)
    elif suffix in (".xlsx", ".xlsm"):
        frame = pd.read_excel(path, sheet_name=sheet, header=options.get("header", 0))
    elif member is not None and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            frame = _read_csv(file, {**options, "compression": None})
    else:
        frame = _read_csv(path, options)
    frame.columns = [str(name) for name in frame.columns]
    return frame


def _read_csv(source: Any, options: Mapping[str, Any]) -> pd.DataFrame:
    whole = {"low_memory": False} if options.get("engine", "c") == "c" and len(options.get("sep") or ",") == 1 else {}
    return pd.read_csv(source, **{**whole, **options})  # in one piece: a column has one type, however long the file


def script(
    task: Mapping[str, Any], params: Mapping[str, Any], fit: Callable[..., Any], predict: Callable[..., Any]
) -> None:
    """Run as a program: learn from the first file, predict the second, write the third (CSV)."""
    if len(sys.argv) != 4:
        raise SystemExit(f"usage: python {Path(sys.argv[0]).name} TRAIN NEW OUT")
    context = Context(task=Task.of(task), params=params, work_dir=Path.cwd())
    train = read_table(sys.argv[1], context.task.read)
    train = train[train[context.task.target].notna()].reset_index(drop=True)
    rows = read_table(sys.argv[2], context.task.read).drop(columns=context.task.target, errors="ignore")
    answer = to_frame(to_matrix(predict(fit(train, context), rows, context), context.task, len(rows)), context.task)
    ids = rows[[name for name in context.task.columns.get("id", ()) if name in rows]].reset_index(drop=True)
    pd.concat([ids, answer], axis=1).to_csv(sys.argv[3], index=False)
