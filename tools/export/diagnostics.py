"""Where a model is right and wrong, from predictions that the host graded: numbers for the report's charts."""

import numpy as np
from numpy.typing import NDArray

from open_autoglm.tools.export.story import CalibrationBin, Confusion, Residuals, RocCurve
from open_autoglm.tools.metrics.predictions import Predictions

CURVE_POINTS = 120
"""A curve of a page 400 pixels wide shows no more."""
SCATTER_POINTS = 400
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
Codes = NDArray[np.int64]
Values = NDArray[np.float64]


def confusion(y: Codes, predictions: Predictions) -> Confusion:
    """Count rows by actual and predicted class.

    Args:
        y: [rows] positions in `predictions.classes`; rows of a class that training never saw (-1) are left out.
        predictions: Of the same rows.
    """
    size, known = len(predictions.classes), np.asarray(y) >= 0
    flat = np.bincount(np.asarray(y)[known] * size + predictions.labels[known], minlength=size * size)
    counts = flat.reshape(size, size)
    return Confusion(classes=tuple(map(str, predictions.classes)), counts=tuple(tuple(map(int, row)) for row in counts))


def calibration(
    y: Codes, predictions: Predictions, *, positive: int | None = None, bins: int = 10
) -> tuple[CalibrationBin, ...]:
    """Compare predicted probabilities with observed shares in bins of equally many rows.

    With two classes the probability of `positive` (the second by default) is looked at; with more, the probability of the class
    that was predicted against how often it was right.
    """
    proba = predictions.proba
    if proba.shape[1] == 2:
        column = 1 if positive is None else positive
        predicted, hit = proba[:, column], np.asarray(y) == column
    else:
        best = proba.argmax(axis=1)
        predicted, hit = proba[np.arange(len(best)), best], np.asarray(y) == best
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, max(1, len(order) // 5))) if len(part)]
    return tuple(
        CalibrationBin(predicted=float(predicted[p].mean()), observed=float(hit[p].mean()), rows=len(p)) for p in parts
    )


def roc_curve(y: Codes, predictions: Predictions, *, positive: int | None = None) -> RocCurve | None:
    """Return the ROC curve of a binary classification; None with more classes, or where only one is there.

    Ties share one point (Fawcett 2006, section 5); the area is by the trapezoidal rule over all points, before thinning.
    """
    column = 1 if positive is None else positive
    hit = np.asarray(y) == column
    if predictions.proba.shape[1] != 2 or hit.all() or not hit.any():
        return None
    score = predictions.proba[:, column]
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))  # last row of each run of equal scores
    tpr = np.concatenate([[0.0], np.cumsum(hit[order])[last] / hit.sum()])
    fpr = np.concatenate([[0.0], np.cumsum(~hit[order])[last] / (~hit).sum()])
    keep = np.unique(np.linspace(0, len(fpr) - 1, CURVE_POINTS).round().astype(int))
    return RocCurve(
        positive=str(predictions.classes[column]),
        false_positive_rate=tuple(map(float, fpr[keep])),
        true_positive_rate=tuple(map(float, tpr[keep])),
        area=float(np.trapezoid(tpr, fpr)),
    )


def residuals(y: Values, predictions: Predictions, *, seed: int = 0) -> Residuals:
    """Return a sample of (predicted, actual) pairs, and quantiles of actual minus predicted over all rows."""
    actual, predicted = np.asarray(y, dtype=np.float64), predictions.values
    errors = actual - predicted
    rows = np.arange(len(actual))
    if len(rows) > SCATTER_POINTS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SCATTER_POINTS, replace=False))
    return Residuals(
        predicted=tuple(map(float, predicted[rows])),
        actual=tuple(map(float, actual[rows])),
        quantiles=tuple((q, float(np.quantile(errors, q))) for q in QUANTILES),
        rows=len(actual),
    )
