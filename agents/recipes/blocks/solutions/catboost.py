"""Gradient boosted symmetric trees (CatBoost), which orders rows to encode categories without leaking the target."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor, Pool

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import (
    CLASSIFICATION,
    COLUMNS,
    HAS_CATEGORIES,
    PARAMS,
    QUANTILES,
    TASK,
    TUNED_DECISION,
)
from open_autoglm.agents.recipes.blocks.decision import cross_fitted, learn_answer
from open_autoglm.agents.recipes.blocks.learning import fit_features, new_features
from open_autoglm.agents.recipes.blocks.target import class_weights, held_out, inner_folds, read_target, row_weights
from open_autoglm.sandbox.inside.runtime.runtime import Context, script


class FinishInTime:
    """Ends the training at a moment of the monotonic clock, with the trees it has."""

    def __init__(self, finish_by: float) -> None:
        self.finish_by = finish_by

    def after_iteration(self, info: object) -> bool:
        """Say whether to go on."""
        return time.monotonic() < self.finish_by


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Learn the features, then the number of trees, then the trees on all rows."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    X, learned = fit_features(train, y, ctx)
    learned["rows"] = len(y)
    if CLASSIFICATION and len(np.unique(y)) == 1:
        return {"learned": {**learned, "only": int(y[0])}, "boosting": None}
    frame = name_categories(X)
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    trees = params["n_estimators"]
    if trees is None:
        held = held_out(train, y, ctx)
        valid = make_pool(frame[held], y[held], weights[held])
        model = make_boosting(params["max_trees"], params, ctx)
        stop = {"eval_set": valid, "early_stopping_rounds": params["patience"], "use_best_model": True}
        in_time = FinishInTime(time.monotonic() + 0.4 * ctx.seconds_left())
        model.fit(make_pool(frame[~held], y[~held], weights[~held]), callbacks=[in_time], **stop)
        trees = model.tree_count_
    if TUNED_DECISION or QUANTILES:
        answers = cross_fitted(
            lambda frame, y, weights: fit_boosting(frame, y, weights, trees, params, ctx),
            lambda model, frame: boosting_scores(model, frame, ctx),
            (frame, y, weights),
            inner_folds(train, y, 3, ctx.seed),
            ctx,
        )
        learned |= learn_answer(answers, y, ctx)
    return {"learned": learned, "boosting": fit_boosting(frame, y, weights, trees, params, ctx)}


def fit_boosting(
    frame: pd.DataFrame, y: np.ndarray, weights: np.ndarray, trees: int, params: dict, ctx: Context
) -> CatBoostClassifier | CatBoostRegressor:
    """Add that many trees."""
    in_time = FinishInTime(time.monotonic() + 0.8 * ctx.seconds_left())
    return make_boosting(max(1, trees), params, ctx).fit(make_pool(frame, y, weights), callbacks=[in_time])


def name_categories(X: np.ndarray) -> pd.DataFrame:
    """Mark the first columns, codes of levels, as categories: CatBoost wants whole numbers there, -1 for unknown."""
    frame = pd.DataFrame(X)
    if HAS_CATEGORIES:
        count = len(COLUMNS["categories"])
        codes = frame.iloc[:, :count].fillna(-1).astype(int)
        return pd.concat([codes, frame.iloc[:, count:]], axis=1)
    return frame


def make_pool(frame: pd.DataFrame, y: np.ndarray | None = None, weights: np.ndarray | None = None) -> Pool:
    """Pack rows for CatBoost."""
    categories = list(range(len(COLUMNS["categories"]))) if HAS_CATEGORIES else []
    return Pool(frame, y, weight=weights, cat_features=categories)


def make_boosting(trees: int, params: dict, ctx: Context) -> CatBoostClassifier | CatBoostRegressor:
    """Make the untrained model."""
    ours = ("n_estimators", "max_trees", "patience", "balanced")
    options = {name: value for name, value in params.items() if name not in ours}
    options |= {"thread_count": ctx.n_jobs, "random_seed": ctx.seed, "verbose": False, "allow_writing_files": False}
    if CLASSIFICATION:
        return CatBoostClassifier(iterations=trees, **options)
    return CatBoostRegressor(iterations=trees, **options)


def boosting_scores(model: CatBoostClassifier | CatBoostRegressor, frame: pd.DataFrame, ctx: Context) -> np.ndarray:
    """Return probabilities [rows, classes], 0 for a class that training did not see, or values [rows]."""
    if CLASSIFICATION:
        proba = np.zeros((len(frame), len(ctx.task.classes)))
        proba[:, model.classes_.astype(int)] = model.predict_proba(make_pool(frame))
        return proba
    return model.predict(make_pool(frame))


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    learned = model["learned"]
    if CLASSIFICATION and "only" in learned:
        return np.eye(len(ctx.task.classes))[np.full(len(rows), learned["only"])]
    scores = boosting_scores(model["boosting"], name_categories(new_features(rows, learned)), ctx)
    if CLASSIFICATION:
        return as_answer(scores, learned, ctx)
    return as_values(scores, learned)


def save(model: dict, directory: Path) -> None:
    """Write JSON and CatBoost's own format: loading them runs no code."""
    (directory / "learned.json").write_text(json.dumps(model["learned"]), encoding="utf-8")
    if model["boosting"] is not None:
        model["boosting"].save_model(str(directory / "boosting.cbm"))


def load(directory: Path) -> dict:
    """Read what save wrote."""
    learned = json.loads((directory / "learned.json").read_text(encoding="utf-8"))
    file = directory / "boosting.cbm"
    model = CatBoostClassifier() if CLASSIFICATION else CatBoostRegressor()
    return {"learned": learned, "boosting": model.load_model(str(file)) if file.exists() else None}


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
