"""Which label to name, where the metric judges labels and the likeliest one is not the best answer."""

from collections.abc import Callable

import numpy as np

from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, QUANTILES
from open_autoglm.sandbox.inside.runtime.runtime import Context


def empty_answers(y: np.ndarray, ctx: Context) -> np.ndarray:
    """Return room for one answer per training row: [rows, classes], or [rows]."""
    if CLASSIFICATION:
        return np.zeros((len(y), len(ctx.task.classes)))
    return np.zeros(len(y))


def cross_fitted(learn: Callable, score: Callable, data: tuple, folds: np.ndarray, ctx: Context) -> np.ndarray:
    """Return what a model learned on the other folds says of each fold: [rows, classes], or [rows].

    data is (X, y, weights).
    """
    answers = empty_answers(data[1], ctx)
    for fold in np.unique(folds):
        model = learn(*(part[folds != fold] for part in data))
        answers[folds == fold] = score(model, data[0][folds == fold])
    return answers


def learn_answer(answers: np.ndarray, y: np.ndarray, ctx: Context) -> dict:
    """Learn from answers to rows that their model did not see how to turn scores into what is asked for."""
    if QUANTILES:
        # How far off the answers are: these quantiles of the errors are added to each new value.
        return {"offsets": np.quantile(y - answers, ctx.task.quantiles).tolist()}
    return {"decision": learn_decision(answers, y, ctx)}


def learn_decision(proba: np.ndarray, y: np.ndarray, ctx: Context) -> list[float]:
    """Find a weight per class so that the label with the largest weighted probability scores best.

    Probabilities must come from models that did not see the rows. Coordinate search over a geometric grid; a change
    must bring more than noise would.
    """
    weights = np.ones(len(ctx.task.classes))
    best = decision_score(y, proba.argmax(axis=1), ctx)
    for _ in range(2):
        for code in range(1 if len(weights) == 2 else 0, len(weights)):
            for factor in np.geomspace(0.05, 20, 61):
                trial = weights.copy()
                trial[code] = factor
                score = decision_score(y, (proba * trial).argmax(axis=1), ctx)
                if score > best + 0.0005:
                    best, weights = score, trial
    return weights.tolist()


def decision_score(y: np.ndarray, labels: np.ndarray, ctx: Context) -> float:
    """Score labels by the metric of the task, from the table of true by named classes; greater is better."""
    count = len(ctx.task.classes)
    table = np.bincount(y * count + labels, minlength=count * count).reshape(count, count).astype(float)
    true, named, hits = table.sum(axis=1), table.sum(axis=0), np.diag(table)
    if ctx.task.metric == "mcc":
        spread = np.sqrt((len(y) ** 2 - (named**2).sum()) * (len(y) ** 2 - (true**2).sum()))
        return (hits.sum() * len(y) - true @ named) / max(spread, 1.0)
    if ctx.task.metric == "quadratic_kappa":
        apart = np.subtract.outer(np.arange(count), np.arange(count)) ** 2
        return 1 - len(y) * (apart * table).sum() / max((apart * np.outer(true, named)).sum(), 1.0)
    f1 = 2 * hits / np.maximum(true + named, 1.0)
    if ctx.task.metric == "f1":
        return f1[-1]  # the last of two classes counts as positive
    if ctx.task.metric == "f1_macro":
        return f1[true + named > 0].mean()
    if ctx.task.metric == "f1_weighted":
        return f1 @ true / len(y)
    return (hits / np.maximum(true, 1.0))[true > 0].mean()  # balanced accuracy
