"""Metrics of probabilities: proper scores, at their best when the stated chances are the true ones."""

import numpy as np

from open_autoglm.tools.metrics.base import CLASSIFICATION, Floats, Metric, Need, RowMean, Rows

EPSILON = 1e-15


def _surprise(rows: Rows) -> Floats:
    proba = np.clip(rows.predictions.proba, EPSILON, 1)
    proba = proba / proba.sum(axis=1, keepdims=True)
    codes = rows.y.astype(np.int64)
    chance = proba[np.arange(len(codes)), np.maximum(codes, 0)]
    return -np.log(np.where(codes < 0, EPSILON, chance))


def _squared_distance(rows: Rows) -> Floats:
    proba = rows.predictions.proba
    truth = rows.y[:, None] == np.arange(proba.shape[1])
    squares: Floats = np.sum((proba - truth) ** 2, axis=1)
    return squares / 2 if proba.shape[1] == 2 else squares  # of two classes, the positive one says it all


METRICS = (
    Metric(
        name="log_loss",
        greater_is_better=False,
        needs=Need.PROBA,
        task_types=CLASSIFICATION,
        compute=RowMean(losses=_surprise),
        valid_range=(0, float(-np.log(EPSILON)) + 1e-9),
        english="Log loss: the mean surprise at the true class; being sure and wrong costs most.",
        chinese="对数损失：对真实类别的平均意外程度，自信却出错的代价最大。",
        source="Good 1952, Rational decisions; natural logarithm, probabilities clipped to 1e-15 and renormalised. A class "
        "that training never saw counts as probability 1e-15.",
        aliases=("logloss", "cross_entropy", "crossentropy", "nll", "对数损失", "交叉熵"),
    ),
    Metric(
        name="brier",
        greater_is_better=False,
        needs=Need.PROBA,
        task_types=CLASSIFICATION,
        compute=RowMean(losses=_squared_distance),
        valid_range=(0, 2),
        english="Brier score: the mean squared error of the probabilities.",
        chinese="布里尔分数：概率的均方误差。",
        source="Brier 1950, Verification of forecasts expressed in terms of probability; two classes: of the positive one "
        "alone, 0 to 1; several: summed over the classes, 0 to 2.",
        aliases=("brier_score", "brier_loss", "布里尔分数"),
    ),
)
