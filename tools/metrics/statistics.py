"""How sure a score is: intervals over rows, errors over folds, differences on the same folds."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from open_autoglm.tools.metrics.base import Floats, History, Metric, RowMean, Rows, Truth
from open_autoglm.tools.metrics.predictions import Predictions

RESAMPLES_OF_MEANS = 1000
RESAMPLES = 200
MAX_DRAWN = 20_000
"""Rows per resample; of longer tables fewer rows are drawn and the spread is scaled to the true length."""
_CHUNK = 50


def bootstrap_interval(
    metric: Metric, y: Truth, predictions: Predictions, seed: int, *, history: History | None = None
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a score over its rows (Efron and Tibshirani 1993, chapter 13).

    Metrics that are means of rows are resampled 1,000 times at once; others 200 times, within classes, so that no resample
    lacks one. Of more than 20,000 rows as many are drawn, and the deviations are scaled down to the true number (Bickel,
    Goetze and van Zwet 1997, the m out of n bootstrap). The same arguments give the same interval. Forecasts are resampled
    by whole cases.

    Args:
        metric: What to compute.
        y: [n] truth.
        predictions: Of the same rows.
        seed: Of the drawing.
        history: What MASE needs.

    Raises:
        InvalidPredictions: As `Metric.score`.
    """
    point = metric.score(y, predictions, history=history)
    generator = np.random.default_rng(seed)
    if isinstance(metric.compute, RowMean):
        losses = metric.compute.losses(Rows(y=y, predictions=predictions, parameters=metric.parameters))
        judged = len(losses)
        scores = metric.compute.finish(_resampled_means(losses, generator)) if judged else np.array([point])
    else:
        judged = len(y)
        scores = _resampled_scores(metric, y, predictions, history, generator)
    shrink = np.sqrt(min(1.0, MAX_DRAWN / max(judged, 1)))
    low, high = point + (np.quantile(scores, [0.025, 0.975]) - point) * shrink
    least, most = metric.valid_range
    return max(min(float(low), point), least), min(max(float(high), point), most)


def mean_and_error(scores: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean over folds and its standard error; None for one fold, which tells nothing about its error."""
    values = np.asarray(scores, dtype=np.float64)
    if len(values) == 1:
        return float(values[0]), None
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def paired_difference(scores_a: Sequence[float], scores_b: Sequence[float]) -> tuple[float, float | None]:
    """Return mean and standard error of a minus b over the same folds; pairing takes out how hard a fold is.

    Raises:
        ValueError: The two were not scored on the same number of folds.
    """
    if len(scores_a) != len(scores_b):
        raise ValueError(f"Scores of {len(scores_a)} and {len(scores_b)} folds are no pairs.")
    return mean_and_error([a - b for a, b in zip(scores_a, scores_b, strict=True)])


def within_one_standard_error(scores: Mapping[str, Sequence[float]], *, greater_is_better: bool) -> tuple[str, ...]:
    """Name those not clearly worse than the best: its paired lead over them is at most one standard error of that lead.

    The rule of Breiman et al. 1984 (Classification and Regression Trees, 3.4.3), on differences. With a single fold only
    equals are as good as the best.

    Args:
        scores: Fold scores by name, all on the same folds in the same order.
        greater_is_better: The metric's direction.

    Returns:
        Names, the best first, equals in the order given.
    """
    sign = 1.0 if greater_is_better else -1.0
    ranked = sorted(scores, key=lambda name: -sign * float(np.mean(scores[name])))
    near = []
    for name in ranked:
        lead, error = paired_difference(scores[ranked[0]], scores[name])
        if sign * lead <= (error or 0.0):
            near.append(name)
    return tuple(near)


def _resampled_means(losses: Floats, generator: np.random.Generator) -> Floats:
    """Mean of as many losses drawn again, RESAMPLES_OF_MEANS times, some at a time to keep memory flat."""
    drawn = min(len(losses), MAX_DRAWN)
    means = [
        losses[generator.integers(0, len(losses), (_CHUNK, drawn))].mean(axis=1)
        for _ in range(RESAMPLES_OF_MEANS // _CHUNK)
    ]
    return np.concatenate(means)


def _resampled_scores(
    metric: Metric, y: Truth, predictions: Predictions, history: History | None, generator: np.random.Generator
) -> Floats:
    if history is not None:
        return _resampled_cases(metric, y, predictions, history, generator)
    share = min(1.0, MAX_DRAWN / len(y))
    strata = _strata(y, predictions)
    scores = []
    for _ in range(RESAMPLES):
        parts = [rows[generator.integers(0, len(rows), max(1, round(len(rows) * share)))] for rows in strata]
        drawn = np.concatenate(parts)
        scores.append(metric.score(y[drawn], predictions.take(drawn)))
    return np.array(scores)


def _strata(y: Truth, predictions: Predictions) -> list[npt.NDArray[np.int64]]:
    if not predictions.task_type.is_classification:
        return [np.arange(len(y))]
    return [np.flatnonzero(y == code) for code in np.unique(y)]


def _resampled_cases(
    metric: Metric, y: Truth, predictions: Predictions, history: History, generator: np.random.Generator
) -> Floats:
    """Scores of resampled cases; the error of one series is one error, however many rows it has."""
    members = [np.flatnonzero(history.cases == case) for case in range(len(history.series))]
    scores = []
    for _ in range(RESAMPLES):
        picks = generator.integers(0, len(members), len(members))
        rows = np.concatenate([members[pick] for pick in picks])
        cases = np.repeat(np.arange(len(picks)), [len(members[pick]) for pick in picks])
        past = History(series=[history.series[pick] for pick in picks], cases=cases)
        scores.append(metric.score(y[rows], predictions.take(rows), history=past))
    return np.array(scores)
