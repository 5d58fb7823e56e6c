"""Weights of an ensemble, learned from out-of-fold predictions by greedy selection.

Caruana, Niculescu-Mizil, Crew and Ksikes 2004, Ensemble selection from libraries of models: members are added one by one,
with replacement, whichever helps the average most. The weights are how often each was taken.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from open_autoglm.tools.metrics.base import Floats, Metric, Truth
from open_autoglm.tools.metrics.predictions import Predictions
from open_autoglm.tools.task import Label, TaskType

MAX_CELLS = 40_000
"""Rows times columns that members are compared on. Beyond some 20,000 rows more of them change no choice, only the time."""
MIN_ROWS = 5_000
MIN_GAIN = 1e-9
"""Relative gain below which one more member is rounding, not skill."""


def greedy_weights(
    oof: Mapping[str, Floats],
    y: Truth,
    metric: Metric,
    classes: tuple[Label, ...],
    task_type: TaskType,
    rounds: int = 25,
    quantiles: tuple[float, ...] = (),
) -> dict[str, float]:
    """Learn the weights of members from their out-of-fold predictions.

    Starts from the best single member and stops when no addition gains, which is what keeps a small table from being
    overfitted. Long tables are compared on a fixed sample of rows, stratified by class (about 20,000 for one or two columns,
    fewer for more). Chosen labels are not averaged: an ensemble's label is the arg max of its probabilities.

    Args:
        oof: Member to its predictions [n, k], as `Predictions.matrix`, all of the same rows. Their order breaks ties.
        y: [n] truth of these rows.
        metric: What to gain.
        classes: In the order of the columns; empty for numbers.
        task_type: Of the run.
        rounds: Members to take at most, counting repeats.
        quantiles: Of the columns after the value.

    Returns:
        Weights above 0 that sum to 1, the heaviest first.

    Raises:
        ValueError: There are no members, or they are not predictions of the same rows.
        InvalidPredictions: As `Metric.score`.
    """
    members = _members(oof, y, classes)
    rows = _sample(y, task_type, next(iter(members.values())).shape[1])
    members, truth = {name: matrix[rows] for name, matrix in members.items()}, y[rows]

    def score(matrix: Floats) -> float:
        predictions = Predictions(matrix=matrix, classes=classes, task_type=task_type, quantiles=quantiles)
        value = metric.score(truth, predictions)
        return value if metric.greater_is_better else -value

    alone = {name: score(matrix) for name, matrix in members.items()}
    taken = [max(alone, key=alone.__getitem__)]
    best, total = alone[taken[0]], members[taken[0]].copy()
    while len(taken) < rounds:
        after = {name: score((total + matrix) / (len(taken) + 1)) for name, matrix in members.items()}
        winner = max(after, key=after.__getitem__)
        if after[winner] <= best + MIN_GAIN * max(1e-12, abs(best)):
            break
        best, total = after[winner], total + members[winner]
        taken.append(winner)
    return {name: count / len(taken) for name, count in Counter(taken).most_common()}


def blend(oof: Mapping[str, Floats], weights: Mapping[str, float], classes: tuple[Label, ...] = ()) -> Floats:
    """Average predictions by weight: [n, classes] probabilities or [n, k] numbers."""
    width = len(classes) or None
    parts = [weight * oof[name][:, :width] for name, weight in weights.items()]
    return np.asarray(sum(parts[1:], start=parts[0]))


def cross_fitted_scores(
    oof: Mapping[str, Floats],
    y: Truth,
    folds: Sequence[npt.NDArray[np.int64]],
    metric: Metric,
    classes: tuple[Label, ...],
    task_type: TaskType,
    rounds: int = 25,
    quantiles: tuple[float, ...] = (),
) -> list[float]:
    """Score an ensemble on each fold with weights learned on the rows outside it: the honest estimate.

    Args:
        oof: As for `greedy_weights`.
        y: [n] truth.
        folds: Numbers of the validation rows of each fold, counted in the rows of `oof`.
        metric: What to compute.
        classes: As for `greedy_weights`.
        task_type: Of the run.
        rounds: As for `greedy_weights`.
        quantiles: As for `greedy_weights`.

    Raises:
        ValueError: A fold leaves no row to learn weights from.
        InvalidPredictions: As `Metric.score`.
    """
    scores = []
    for fold in folds:
        inside = np.zeros(len(y), dtype=bool)
        inside[fold] = True
        if inside.all():
            raise ValueError("A fold of all rows leaves none to learn the weights of an ensemble from.")
        outside = {name: matrix[~inside] for name, matrix in oof.items()}
        weights = greedy_weights(outside, y[~inside], metric, classes, task_type, rounds, quantiles)
        blended = blend({name: oof[name][fold] for name in weights}, weights, classes)
        predictions = Predictions(matrix=blended, classes=classes, task_type=task_type, quantiles=quantiles)
        scores.append(metric.score(y[fold], predictions))
    return scores


def _members(oof: Mapping[str, Floats], y: Truth, classes: tuple[Label, ...]) -> dict[str, Floats]:
    members = {name: matrix[:, : len(classes) or None] for name, matrix in oof.items()}
    if not members:
        raise ValueError("An ensemble needs members.")
    shapes = {matrix.shape for matrix in members.values()}
    if len(shapes) > 1 or next(iter(shapes))[0] != len(y):
        raise ValueError(f"Members have predictions of the shapes {sorted(shapes)} for {len(y)} rows.")
    return members


def _sample(y: Truth, task_type: TaskType, columns: int) -> npt.NDArray[np.int64]:
    """Pick the rows to compare on: an even share of every class (of the sorted values, for numbers), at least one row."""
    limit = max(MIN_ROWS, MAX_CELLS // max(columns, 2))
    if len(y) <= limit:
        return np.arange(len(y))
    order = np.random.default_rng(0).permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    even = order[np.linspace(0, len(y) - 1, limit).astype(np.int64)]
    if not task_type.is_classification:
        return np.sort(even)
    firsts = order[np.unique(y[order], return_index=True)[1]]
    return np.union1d(even, firsts)
