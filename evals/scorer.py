"""Scores a file of predictions against the truth of the same rows: nothing the product says about itself counts."""

from pathlib import Path

import pandas as pd

from open_autoglm.evals.suite import DataSet
from open_autoglm.tools.metrics import InvalidPredictions, Predictions, check_predictions
from open_autoglm.tools.metrics.target import classes_of, encode_target
from open_autoglm.tools.task import TaskType

PROBA = "proba_"


def score_file(item: DataSet, truth: pd.Series, path: Path) -> float:
    """Score what `autoglm predict` wrote.

    Args:
        item: The set; it names metric and positive class.
        truth: Target of the test rows as they stand in the raw file, in the order that was predicted.
        path: CSV with `prediction`, and for a classification one `proba_<class>` column per class.

    Raises:
        InvalidPredictions: The file cannot be scored; one line says why.
        InputError: A prediction that is no class, or is missing.
    """
    try:
        out = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InvalidPredictions(f"The predictions cannot be read ({type(error).__name__}: {error}).") from error
    if "prediction" not in out:
        raise InvalidPredictions(f"The predictions have no column 'prediction', only {list(out.columns)}.")
    if len(out) != len(truth):
        raise InvalidPredictions(f"There are {len(out)} predictions for {len(truth)} rows.")
    task_type = item.task_type
    assert task_type is not None, "only sets that can be measured are run"
    read = _classified(item, out, task_type) if task_type.is_classification else _numbers(out, task_type)
    y = encode_target(truth, task_type, read.classes, unseen="miss")
    return item.metric.score(y, read)


def _classified(item: DataSet, out: pd.DataFrame, task_type: TaskType) -> Predictions:
    names = [column.removeprefix(PROBA) for column in out.columns if column.startswith(PROBA)]
    if not names:
        raise InvalidPredictions(f"The predictions have no column {PROBA}<class>, only {list(out.columns)}.")
    positive = item.meta.positive if task_type is TaskType.BINARY else None
    classes = classes_of(pd.Series(names, dtype="str"), positive)
    matrix = pd.DataFrame({name: _floats(out[f"{PROBA}{name}"]) for name in classes})
    matrix["label"] = encode_target(out["prediction"], task_type, classes)
    return check_predictions(matrix.to_numpy(), rows=len(out), task_type=task_type, classes=classes)


def _numbers(out: pd.DataFrame, task_type: TaskType) -> Predictions:
    values = _floats(out["prediction"]).to_numpy()
    return check_predictions(values, rows=len(out), task_type=task_type, classes=())


def _floats(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").astype(float)
