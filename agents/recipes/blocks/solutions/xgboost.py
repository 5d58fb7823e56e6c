"""Gradient boosted trees (XGBoost); the number of trees is found on training rows held out inside `fit`."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, PARAMS, QUANTILES, TASK, TUNED_DECISION
from open_autoglm.agents.recipes.blocks.decision import cross_fitted, learn_answer
from open_autoglm.agents.recipes.blocks.learning import fit_features, new_features
from open_autoglm.agents.recipes.blocks.target import class_weights, held_out, inner_folds, read_target, row_weights
from open_autoglm.agents.recipes.blocks.threads import threads_for
from open_autoglm.sandbox.inside.runtime.runtime import Context, script


class FinishInTime(xgb.callback.TrainingCallback):
    """Ends the training at a moment of the monotonic clock, with the trees it has."""

    def __init__(self, finish_by: float) -> None:
        self.finish_by = finish_by

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: dict) -> bool:
        """Say whether to stop."""
        return time.monotonic() > self.finish_by


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Learn the features, then the number of trees, then the trees on all rows."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    X, learned = fit_features(train, y, ctx)
    learned["rows"] = len(y)
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    trees = params["n_estimators"]
    if trees is None:
        held = held_out(train, y, ctx)
        valid = xgb.DMatrix(X[held], y[held], weight=weights[held])
        rest = xgb.DMatrix(X[~held], y[~held], weight=weights[~held])
        stop = xgb.callback.EarlyStopping(rounds=params["patience"])
        in_time = FinishInTime(time.monotonic() + 0.4 * ctx.seconds_left())
        evals = {"evals": [(valid, "held_out")], "verbose_eval": False}
        options = booster_options(params, threads_for(X, ctx), ctx)
        trial = xgb.train(options, rest, params["max_trees"], callbacks=[stop, in_time], **evals)
        trees = trial.best_iteration + 1
    if TUNED_DECISION or QUANTILES:
        answers = cross_fitted(
            lambda X, y, weights: fit_booster(X, y, weights, trees, params, ctx),
            booster_scores,
            (X, y, weights),
            inner_folds(train, y, 3, ctx.seed),
            ctx,
        )
        learned |= learn_answer(answers, y, ctx)
    return {"learned": learned, "booster": fit_booster(X, y, weights, trees, params, ctx)}


def fit_booster(
    X: np.ndarray, y: np.ndarray, weights: np.ndarray, trees: int, params: dict, ctx: Context
) -> xgb.Booster:
    """Add that many trees."""
    data = xgb.DMatrix(X, y, weight=weights)
    in_time = FinishInTime(time.monotonic() + 0.8 * ctx.seconds_left())
    return xgb.train(booster_options(params, threads_for(X, ctx), ctx), data, trees, callbacks=[in_time])


def booster_options(params: dict, threads: int, ctx: Context) -> dict:
    """Return the options of XGBoost."""
    ours = ("n_estimators", "max_trees", "patience", "balanced")
    options = {name: value for name, value in params.items() if name not in ours}
    if CLASSIFICATION and len(ctx.task.classes) > 2:
        options["num_class"] = len(ctx.task.classes)
    return {**options, "tree_method": "hist", "seed": ctx.seed, "nthread": threads, "verbosity": 0}


def booster_scores(booster: xgb.Booster, X: np.ndarray) -> np.ndarray:
    """Return probabilities [rows, classes], or values [rows]."""
    scores = booster.predict(xgb.DMatrix(X)).astype(np.float64)
    if CLASSIFICATION and scores.ndim == 1:
        return np.column_stack([1 - scores, scores])
    return scores


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    scores = booster_scores(model["booster"], new_features(rows, model["learned"]))
    if CLASSIFICATION:
        return as_answer(scores, model["learned"], ctx)
    return as_values(scores, model["learned"])


def save(model: dict, directory: Path) -> None:
    """Write JSON: loading it runs no code."""
    (directory / "learned.json").write_text(json.dumps(model["learned"]), encoding="utf-8")
    model["booster"].save_model(directory / "booster.json")


def load(directory: Path) -> dict:
    """Read what save wrote."""
    learned = json.loads((directory / "learned.json").read_text(encoding="utf-8"))
    return {"learned": learned, "booster": xgb.Booster(model_file=directory / "booster.json")}


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
