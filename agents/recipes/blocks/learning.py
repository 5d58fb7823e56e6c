"""Features that look at the target: learned out of fold, so that no training row is told its own answer."""

import itertools

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, COLUMNS, COMPARISONS, HAS_TEXTS, TARGET_ENCODING
from open_autoglm.agents.recipes.blocks.cleaning import as_text
from open_autoglm.agents.recipes.blocks.features import learn_features, make_features
from open_autoglm.agents.recipes.blocks.target import inner_folds
from open_autoglm.agents.recipes.blocks.texts import learn_vocabularies, text_weights
from open_autoglm.sandbox.inside.runtime.runtime import Context


def fit_features(train: pd.DataFrame, y: np.ndarray, ctx: Context) -> tuple[np.ndarray, dict]:
    """Return the features of the training rows, float64 [rows, features], and what new_features must remember."""
    learned = learn_features(train)
    parts = [make_features(train, learned)]
    if COMPARISONS:
        learned["leading"] = leading_features(parts[0], target_columns(y, ctx))
        parts.append(compare(parts[0], learned["leading"]))
    if TARGET_ENCODING:
        means, learned["target_means"] = fit_target_means(train, y, ctx)
        parts.append(means)
    if HAS_TEXTS:
        scores, learned["text_models"] = fit_text_scores(train, y, ctx)
        parts.append(scores)
    return np.hstack(parts), learned


def new_features(rows: pd.DataFrame, learned: dict) -> np.ndarray:
    """Return the features of new rows, float64 [rows, features]."""
    parts = [make_features(rows, learned)]
    if COMPARISONS:
        parts.append(compare(parts[0], learned["leading"]))
    if TARGET_ENCODING:
        pairs = zip(COLUMNS["encoded"], learned["target_means"], strict=True)
        parts += [target_means(as_text(rows[name]), means) for name, means in pairs]
    if HAS_TEXTS:
        pairs = zip(COLUMNS["texts"], learned["text_models"], strict=True)
        for name, model in pairs:
            words = text_weights(as_text(rows[name]), model["vocabularies"])
            parts.append(text_scores(words, model))
    return np.hstack(parts)


def target_columns(y: np.ndarray, ctx: Context) -> np.ndarray:
    """Return the target as float64 [rows, outputs]: one column, or one per class where there are more than two."""
    if CLASSIFICATION:
        first = 1 if len(ctx.task.classes) == 2 else 0  # of two classes, one tells all
        return np.eye(len(ctx.task.classes))[y][:, first:]
    return y[:, None]


def fit_target_means(train: pd.DataFrame, y: np.ndarray, ctx: Context) -> tuple[np.ndarray, list[dict]]:
    """Replace the categories of many levels by what the target was for them: [rows, outputs], and the means."""
    targets = target_columns(y, ctx)
    folds = inner_folds(train, y, 5, ctx.seed)
    parts, learned = [], []
    for name in COLUMNS["encoded"]:
        texts = as_text(train[name])
        learned.append(learn_target_means(texts, targets))
        # A row's own target must not be in its mean: each fold is told what the others know.
        part = np.empty_like(targets)
        for fold in np.unique(folds):
            means = learn_target_means(texts[folds != fold], targets[folds != fold])
            part[folds == fold] = target_means(texts[folds == fold], means)
        parts.append(part)
    return np.hstack(parts), learned


def learn_target_means(texts: pd.Series, targets: np.ndarray) -> dict:
    """Average the targets per level, drawn towards the overall mean as if ten rows of it had been seen too."""
    overall = targets.mean(axis=0)
    codes, levels = pd.factorize(texts)
    counts = np.bincount(codes, minlength=len(levels))[:, None]
    sums = np.column_stack([np.bincount(codes, weights=column, minlength=len(levels)) for column in targets.T])
    means = (sums + 10 * overall) / (counts + 10)
    return {"overall": overall.tolist(), "levels": levels.tolist(), "means": means.tolist()}


def target_means(texts: pd.Series, learned: dict) -> np.ndarray:
    """Return the mean of each row's level, float64 [rows, outputs]; of an unknown level the overall mean."""
    table = np.array([*learned["means"], learned["overall"]])
    return table[
        pd.Index(learned["levels"], dtype=object).get_indexer(texts.to_numpy(dtype=object))
    ]  # unknown: -1, the last


def fit_text_scores(train: pd.DataFrame, y: np.ndarray, ctx: Context) -> tuple[np.ndarray, list[dict]]:
    """Replace texts by what a linear model makes of their words, out of fold: [rows, outputs], and the models."""
    targets = target_columns(y, ctx)
    folds = inner_folds(train, y, 5, ctx.seed)
    parts, learned = [], []
    for name in COLUMNS["texts"]:
        texts = as_text(train[name])
        vocabularies = learn_vocabularies(texts, most=10_000)
        words = text_weights(texts, vocabularies)
        learned.append({"vocabularies": vocabularies, **learn_text_model(words, targets)})
        part = np.empty_like(targets)
        for fold in np.unique(folds):
            model = learn_text_model(words[folds != fold], targets[folds != fold])
            part[folds == fold] = text_scores(words[folds == fold], model)
        parts.append(part)
    return np.hstack(parts), learned


def learn_text_model(words: sparse.csr_matrix, targets: np.ndarray) -> dict:
    """Fit a weight per word and output. Plain JSON."""
    if words.shape[1] == 0:  # no word occurs twice: all there is to say is the mean
        return {"coef": [[] for _ in targets.T], "intercept": targets.mean(axis=0).tolist()}
    with threadpool_limits(1):  # on sparse data threads only wait for each other
        model = Ridge(solver="sparse_cg").fit(words, targets)
    return {"coef": np.atleast_2d(model.coef_).tolist(), "intercept": np.ravel(model.intercept_).tolist()}


def text_scores(words: sparse.csr_matrix, model: dict) -> np.ndarray:
    """Return what the linear model makes of the words, float64 [rows, outputs]."""
    return words @ np.array(model["coef"]).T + np.array(model["intercept"])


def leading_features(X: np.ndarray, targets: np.ndarray, most: int = 6) -> list[int]:
    """List the feature columns that go with the target most closely, by rank correlation."""
    ranks = pd.DataFrame(X).rank()
    centred = (ranks - ranks.mean()).fillna(0.0).to_numpy()
    goals = pd.DataFrame(targets).rank().to_numpy()
    goals = goals - goals.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))[:, None] * np.sqrt((goals**2).sum(axis=0)) + 1e-12
    strength = np.abs(centred.T @ goals / lengths).max(axis=1)
    return np.argsort(-strength, kind="stable")[:most].tolist()


def compare(X: np.ndarray, leading: list[int]) -> np.ndarray:
    """Return the ratio and the difference of each pair of leading features, float64 [rows, 2 * pairs]."""
    parts = [np.empty((len(X), 0))]
    for first, second in itertools.combinations(leading, 2):
        below = np.where(X[:, second] == 0, np.nan, X[:, second])
        parts += [X[:, first] / below, X[:, first] - X[:, second]]
    return np.column_stack(parts)
