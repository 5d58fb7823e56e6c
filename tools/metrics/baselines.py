"""The simplest answers: one constant for all rows, the best constant for the metric at hand."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from open_autoglm.tools.metrics.base import Floats, Metric, Truth
from open_autoglm.tools.metrics.parametric import quantiles_of
from open_autoglm.tools.metrics.predictions import Predictions
from open_autoglm.tools.task import Label, TaskType


def dummy_predictions(
    y_train: Truth, rows: int, metric: Metric, task_type: TaskType, classes: tuple[Label, ...]
) -> Predictions:
    """Predict one constant, learned from the training target alone.

    Classification: the shares of the classes as probabilities (the best constant of every proper score) and the majority as
    label; for f1 the positive class as label, since never naming it scores 0. Regression: the mean for rmse and r2, the
    median for mae, the mean of logarithms for rmsle, the quantile for pinball, the median weighted by 1/|y| for mape; for
    others the best of the mean and 99 quantiles of the training target.

    Args:
        y_train: [m] codes or values of the training rows.
        rows: How many rows to predict.
        metric: What the constant shall be good at.
        task_type: Decides between shares and numbers.
        classes: In the order of the codes.
    """
    if task_type.is_classification:
        row = _class_shares(y_train.astype(np.int64), metric, len(classes))
    else:
        row = np.array([_constant(y_train.astype(np.float64), metric)])
    return Predictions(matrix=np.tile(row, (rows, 1)), classes=classes, task_type=task_type)


def _class_shares(codes: npt.NDArray[np.int64], metric: Metric, classes: int) -> Floats:
    counts = np.bincount(codes[codes >= 0], minlength=classes).astype(np.float64)
    shares = counts / counts.sum() if counts.sum() else np.full(classes, 1 / classes)
    return np.append(shares, classes - 1) if metric.name == "f1" else shares


def _constant(y: Floats, metric: Metric) -> float:
    known: dict[str, Callable[[], float]] = {
        "rmse": lambda: float(np.mean(y)),
        "r2": lambda: float(np.mean(y)),
        "mae": lambda: float(np.median(y)),
        "mase": lambda: float(np.median(y)),
        "rmsle": lambda: float(np.expm1(np.mean(np.log1p(np.maximum(y, 0))))),
        "mape": lambda: _weighted_median(y[y != 0]) if (y != 0).any() else 0.0,
        "pinball": lambda: float(np.quantile(y, np.mean(quantiles_of(metric.parameters)), method="inverted_cdf")),
    }
    return known[metric.name]() if metric.name in known else _best_of_candidates(y, metric)


def _weighted_median(y: Floats) -> float:
    order = np.argsort(y)
    weight = np.cumsum(1 / np.abs(y[order]))
    return float(y[order][np.searchsorted(weight, weight[-1] / 2)])


def _best_of_candidates(y: Floats, metric: Metric) -> float:
    candidates = [float(np.mean(y)), *np.quantile(y, np.linspace(0.01, 0.99, 99)).tolist()]
    scores = [
        metric.score(y, Predictions(matrix=np.full((len(y), 1), value), classes=(), task_type=TaskType.REGRESSION))
        for value in candidates
    ]
    sign = 1.0 if metric.greater_is_better else -1.0
    return candidates[int(np.argmax(sign * np.array(scores)))]
