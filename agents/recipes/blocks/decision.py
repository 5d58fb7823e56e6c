"""Which label to name, where the metric judges labels and the likeliest one is not the best answer."""

from collections.abc import Callable

import numpy as np
from sklearn import metrics

from open_autoglm.sandbox.runtime.runtime import Context


def cross_fitted(learn: Callable, score: Callable, data: tuple, folds: np.ndarray, ctx: Context) -> np.ndarray:
    """Return probabilities [rows, classes] of each fold by a model learned on the others; data is (X, y, weights)."""
    proba = np.zeros((len(folds), len(ctx.task.classes)))
    for fold in np.unique(folds):
        model = learn(*(part[folds != fold] for part in data))
        proba[folds == fold] = score(model, data[0][folds == fold])
    return proba


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
    """Score labels by the metric of the task; greater is better."""
    if ctx.task.metric == "f1":
        positive = len(ctx.task.classes) - 1  # the last of two classes counts as positive
        return metrics.f1_score(y == positive, labels == positive, zero_division=0.0)
    if ctx.task.metric == "mcc":
        return metrics.matthews_corrcoef(y, labels)
    if ctx.task.metric == "quadratic_kappa":
        return metrics.cohen_kappa_score(y, labels, weights="quadratic")
    average = "weighted" if ctx.task.metric == "f1_weighted" else "macro"
    if ctx.task.metric.startswith("f1"):
        return metrics.f1_score(y, labels, average=average, zero_division=0.0)
    return metrics.recall_score(y, labels, average="macro", zero_division=0.0)  # balanced accuracy
