"""Histogram gradient boosting (scikit-learn), told when to stop by training rows held out inside `fit`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, PARAMS, QUANTILES, TASK, TUNED_DECISION
from open_autoglm.agents.recipes.blocks.decision import cross_fitted, learn_answer
from open_autoglm.agents.recipes.blocks.learning import fit_features, new_features
from open_autoglm.agents.recipes.blocks.target import class_weights, held_out, inner_folds, read_target, row_weights
from open_autoglm.agents.recipes.blocks.threads import threads_for
from open_autoglm.sandbox.inside.runtime.runtime import Context, script

# The one class of such a model that skops does not know by itself; it holds arrays and no code.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Learn the features, then the trees."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    X, learned = fit_features(train, y, ctx)
    learned["rows"] = len(y)
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    with threadpool_limits(threads_for(X, ctx)):  # left alone it takes every core
        trees = params["n_estimators"] or find_trees(X, y, weights, held_out(train, y, ctx), params, ctx)
        if TUNED_DECISION or QUANTILES:
            answers = cross_fitted(
                lambda X, y, weights: make_boosting(trees, params, ctx).fit(X, y, sample_weight=weights),
                lambda model, X: boosting_scores(model, X, ctx),
                (X, y, weights),
                inner_folds(train, y, 3, ctx.seed),
                ctx,
            )
            learned |= learn_answer(answers, y, ctx)
        return {"learned": learned, "boosting": make_boosting(trees, params, ctx).fit(X, y, sample_weight=weights)}


def find_trees(X: np.ndarray, y: np.ndarray, weights: np.ndarray, held: np.ndarray, params: dict, ctx: Context) -> int:
    """Return the number of trees after which the rows held out gained no more."""
    model = make_boosting(params["max_trees"], params, ctx, patience=params["patience"])
    judged_on = {"X_val": X[held], "y_val": y[held], "sample_weight_val": weights[held]}
    return max(1, model.fit(X[~held], y[~held], sample_weight=weights[~held], **judged_on).n_iter_)


def make_boosting(
    trees: int, params: dict, ctx: Context, patience: int | None = None
) -> HistGradientBoostingClassifier | HistGradientBoostingRegressor:
    """Make the untrained model; with patience it stops when that many trees brought nothing."""
    ours = ("n_estimators", "max_trees", "patience", "balanced")
    options = {name: value for name, value in params.items() if name not in ours}
    if patience is not None:
        options |= {"early_stopping": True, "n_iter_no_change": patience}
    else:
        options |= {"early_stopping": False}
    if CLASSIFICATION:
        return HistGradientBoostingClassifier(max_iter=trees, random_state=ctx.seed, **options)
    return HistGradientBoostingRegressor(max_iter=trees, random_state=ctx.seed, **options)


def boosting_scores(
    model: HistGradientBoostingClassifier | HistGradientBoostingRegressor, X: np.ndarray, ctx: Context
) -> np.ndarray:
    """Return probabilities [rows, classes], 0 for a class that training did not see, or values [rows]."""
    if CLASSIFICATION:
        proba = np.zeros((len(X), len(ctx.task.classes)))
        proba[:, model.classes_] = model.predict_proba(X)
        return proba
    return model.predict(X)


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    scores = boosting_scores(model["boosting"], new_features(rows, model["learned"]), ctx)
    if CLASSIFICATION:
        return as_answer(scores, model["learned"], ctx)
    return as_values(scores, model["learned"])


def save(model: dict, directory: Path) -> None:
    """Write JSON and skops: loading them runs no code."""
    (directory / "learned.json").write_text(json.dumps(model["learned"]), encoding="utf-8")
    skops.io.dump(model["boosting"], directory / "boosting.skops")


def load(directory: Path) -> dict:
    """Read what save wrote."""
    learned = json.loads((directory / "learned.json").read_text(encoding="utf-8"))
    return {"learned": learned, "boosting": skops.io.load(directory / "boosting.skops", trusted=TRUSTED)}


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
