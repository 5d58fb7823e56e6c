"""A forest of randomised trees (scikit-learn): little to tune, hard to overfit, strong on small and wide tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import (
    CLASSIFICATION,
    EXTRA_TREES,
    PARAMS,
    QUANTILES,
    TASK,
    TUNED_DECISION,
)
from open_autoglm.agents.recipes.blocks.decision import cross_fitted, learn_answer
from open_autoglm.agents.recipes.blocks.learning import fit_features, new_features
from open_autoglm.agents.recipes.blocks.target import class_weights, inner_folds, read_target, row_weights
from open_autoglm.agents.recipes.blocks.trees import pack_trees, tree_scores, unpack_trees
from open_autoglm.sandbox.inside.runtime.runtime import Context, script


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Learn the features, then grow the trees."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    X, learned = fit_features(train, y, ctx)
    X = np.clip(X, -1e37, 1e37)  # trees work in single precision
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    learned["rows"] = len(y)
    if TUNED_DECISION or QUANTILES:
        answers = cross_fitted(
            lambda X, y, weights: grow_trees(X, y, weights, {**params, "n_estimators": 100}, ctx),
            lambda forest, X: forest_scores(forest, X, ctx),
            (X, y, weights),
            inner_folds(train, y, 3, ctx.seed),
            ctx,
        )
        learned |= learn_answer(answers, y, ctx)
    return {"learned": learned, "forest": grow_trees(X, y, weights, params, ctx)}


def grow_trees(X: np.ndarray, y: np.ndarray, weights: np.ndarray, params: dict, ctx: Context) -> dict:
    """Grow trees fifty at a time, as many as params name or as half of the time allows."""
    if CLASSIFICATION:
        Forest = ExtraTreesClassifier if EXTRA_TREES else RandomForestClassifier
    else:
        Forest = ExtraTreesRegressor if EXTRA_TREES else RandomForestRegressor
    options = {name: params[name] for name in ("min_samples_leaf", "max_features", "max_leaf_nodes")}
    forest = Forest(n_estimators=0, warm_start=True, n_jobs=ctx.n_jobs, random_state=ctx.seed, **options)
    stop_at = 0.5 * ctx.seconds_left()
    while forest.n_estimators < params["n_estimators"] and (forest.n_estimators == 0 or ctx.seconds_left() >= stop_at):
        forest.n_estimators = min(forest.n_estimators + 50, params["n_estimators"])
        forest.fit(X, y, sample_weight=weights)
    return {"trees": [tree.tree_ for tree in forest.estimators_], "present": np.unique(y) if CLASSIFICATION else []}


def forest_scores(forest: dict, X: np.ndarray, ctx: Context) -> np.ndarray:
    """Return probabilities [rows, classes], 0 for a class that training did not see, or values [rows]."""
    scores = tree_scores(forest["trees"], X)
    if CLASSIFICATION:
        proba = np.zeros((len(X), len(ctx.task.classes)))
        proba[:, forest["present"]] = scores
        return proba
    return scores[:, 0]


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    X = np.clip(new_features(rows, model["learned"]), -1e37, 1e37)
    scores = forest_scores(model["forest"], X, ctx)
    if CLASSIFICATION:
        return as_answer(scores, model["learned"], ctx)
    return as_values(scores, model["learned"])


def save(model: dict, directory: Path) -> None:
    """Write JSON and plain arrays: loading them runs no code."""
    (directory / "learned.json").write_text(json.dumps(model["learned"]), encoding="utf-8")
    arrays: dict[str, Any] = {"present": np.array(model["forest"]["present"]), **pack_trees(model["forest"]["trees"])}
    np.savez(directory / "trees.npz", **arrays)


def load(directory: Path) -> dict:
    """Read what save wrote."""
    learned = json.loads((directory / "learned.json").read_text(encoding="utf-8"))
    with np.load(directory / "trees.npz", allow_pickle=False) as arrays:
        packed = dict(arrays)
    return {"learned": learned, "forest": {"present": packed.pop("present"), "trees": unpack_trees(packed)}}


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
