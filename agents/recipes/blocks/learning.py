"""Features that look at the target: learned out of fold, so that no training row is told its own answer."""

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, COLUMNS, HAS_TEXTS, TARGET_ENCODING
from open_autoglm.agents.recipes.blocks.cleaning import as_text
from open_autoglm.agents.recipes.blocks.features import learn_features, make_features
from open_autoglm.agents.recipes.blocks.target import inner_folds
from open_autoglm.agents.recipes.blocks.texts import learn_vocabularies, text_weights
from open_autoglm.sandbox.runtime.runtime import Context


def fit_features(train: pd.DataFrame, y: np.ndarray, ctx: Context) -> tuple[np.ndarray, dict]:
    """Return the features of the training rows, float64 [rows, features], and what new_features must remember."""
    learned = learn_features(train)
    parts = [make_features(train, learned)]
    if TARGET_ENCODING or HAS_TEXTS:
        targets = target_columns(y, ctx)
        folds = inner_folds(train, y, 5, ctx.seed)
    if TARGET_ENCODING:
        learned["target_means"] = []
        for name in COLUMNS["encoded"]:
            texts = as_text(train[name])
            learned["target_means"].append(learn_target_means(texts, targets))
            held_out = np.empty_like(targets)
            for fold in np.unique(folds):
                means = learn_target_means(texts[folds != fold], targets[folds != fold])
                held_out[folds == fold] = target_means(texts[folds == fold], means)
            parts.append(held_out)
    if HAS_TEXTS:
        learned["text_models"] = []
        for name in COLUMNS["texts"]:
            texts = as_text(train[name])
            vocabularies = learn_vocabularies(texts, most=10_000)
            words = text_weights(texts, vocabularies)
            model = Ridge(solver="sparse_cg").fit(words, targets)
            weights = {
                "coef": model.coef_.reshape(targets.shape[1], -1).tolist(),
                "intercept": np.ravel(model.intercept_).tolist(),
            }
            learned["text_models"].append({"vocabularies": vocabularies, **weights})
            held_out = np.empty_like(targets)
            for fold in np.unique(folds):
                model = Ridge(solver="sparse_cg").fit(words[folds != fold], targets[folds != fold])
                held_out[folds == fold] = model.predict(words[folds == fold]).reshape(-1, targets.shape[1])
            parts.append(held_out)
    return np.hstack(parts), learned


def new_features(rows: pd.DataFrame, learned: dict) -> np.ndarray:
    """Return the features of new rows, float64 [rows, features]."""
    parts = [make_features(rows, learned)]
    if TARGET_ENCODING:
        pairs = zip(COLUMNS["encoded"], learned["target_means"], strict=True)
        parts += [target_means(as_text(rows[name]), means) for name, means in pairs]
    if HAS_TEXTS:
        pairs = zip(COLUMNS["texts"], learned["text_models"], strict=True)
        parts += [text_scores(as_text(rows[name]), model) for name, model in pairs]
    return np.hstack(parts)


def target_columns(y: np.ndarray, ctx: Context) -> np.ndarray:
    """Return the target as float64 [rows, outputs]: one column, or one per class where there are more than two."""
    if CLASSIFICATION:
        return (
            np.eye(len(ctx.task.classes))[y][:, 1:] if len(ctx.task.classes) == 2 else np.eye(len(ctx.task.classes))[y]
        )
    return y[:, None]


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


def text_scores(texts: pd.Series, model: dict) -> np.ndarray:
    """Return what a linear model makes of the words, float64 [rows, outputs]."""
    return text_weights(texts, model["vocabularies"]) @ np.array(model["coef"]).T + np.array(model["intercept"])
