"""The target as models want it, and how the training rows are divided inside `fit`."""

import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.blocks.choices import (
    CLASSIFICATION,
    COLUMNS,
    HAS_GROUP,
    HAS_TIME,
    HAS_WEIGHT,
    LOG_TARGET,
)
from open_autoglm.agents.recipes.blocks.cleaning import as_text, find_date_format, to_dates, to_number
from open_autoglm.sandbox.inside.runtime.runtime import Context


def read_target(train: pd.DataFrame, ctx: Context) -> np.ndarray:
    """Return what is to be learned, [rows]."""
    if CLASSIFICATION:
        # The position in ctx.task.classes: the order in which the probabilities are asked for.
        codes = {label: code for code, label in enumerate(ctx.task.classes)}
        return np.array([codes[label] for label in train[ctx.task.target].tolist()])
    if LOG_TARGET:
        # Learned as log(1 + y), since it spans orders of magnitude and relative errors count.
        return np.log1p(to_number(train[ctx.task.target]))
    return to_number(train[ctx.task.target])


def row_weights(train: pd.DataFrame) -> np.ndarray:
    """Return how much each row counts."""
    if HAS_WEIGHT:
        return np.nan_to_num(to_number(train[COLUMNS["weight"]]), nan=1.0)
    return np.ones(len(train))


def class_weights(y: np.ndarray) -> np.ndarray:
    """Return weights [rows] that give every class the same total."""
    counts = np.bincount(y)
    return (len(y) / len(counts) / np.maximum(counts, 1))[y]


def held_out(train: pd.DataFrame, y: np.ndarray, ctx: Context) -> np.ndarray:
    """Mark the training rows, one in five or ten, on which boosting sees when to stop."""
    folds = inner_folds(train, y, 5 if len(y) < 5000 else 10, ctx.seed)
    return folds == folds.max()


def inner_folds(train: pd.DataFrame, y: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Give every training row a fold, 0 to count - 1, each fold with the same mix of targets."""
    rng = np.random.default_rng(seed)
    if HAS_TIME:
        # Later rows must not tell about earlier ones: the last fold holds the latest.
        moments = train[COLUMNS["time"]]
        numeric = pd.api.types.is_numeric_dtype(moments.dtype)
        ordered = moments if numeric else to_dates(moments, find_date_format(moments))
        return (ordered.rank(method="first", na_option="top").to_numpy() - 1).astype(int) * count // len(train)
    if HAS_GROUP:
        # Rows of one group stay together, as they will be apart from the rows to predict.
        groups = pd.factorize(as_text(train[COLUMNS["group"]]))[0]
        if groups.max() > 0:
            return (rng.permutation(groups.max() + 1) % count)[groups]
    order = rng.permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    folds = np.empty(len(y), dtype=int)
    folds[order] = np.arange(len(y)) % count
    return folds
