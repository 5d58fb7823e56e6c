"""Gradient boosted trees (LightGBM); the number of trees is found on training rows held out inside `fit`."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import (
    BAGGED,
    CLASSIFICATION,
    HAS_CATEGORIES,
    PARAMS,
    QUANTILES,
    TASK,
    TUNED_DECISION,
)
from open_autoglm.agents.recipes.blocks.decision import empty_answers, learn_answer
from open_autoglm.agents.recipes.blocks.learning import fit_features, new_features
from open_autoglm.agents.recipes.blocks.target import class_weights, held_out, inner_folds, read_target, row_weights
from open_autoglm.agents.recipes.blocks.threads import threads_for
from open_autoglm.sandbox.inside.runtime.runtime import Context, script


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Learn the features, then the trees."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    X, learned = fit_features(train, y, ctx)
    learned["rows"] = len(y)
    options = booster_options(params, threads_for(X, ctx), ctx)
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    native = native_categories(learned, params)
    data = lgb.Dataset(X, y, weight=weights, categorical_feature=native, params=options).construct()
    if BAGGED:
        # One model per inner fold, each stopped on rows it did not see: their mean is steadier than any of them.
        folds = inner_folds(train, y, params["bags"], ctx.seed)
        boosters = fit_bag(data, folds, options, params, ctx)
        if TUNED_DECISION or QUANTILES:
            answers = empty_answers(y, ctx)
            for fold, booster in enumerate(boosters):
                answers[folds == fold] = booster_scores([booster], X[folds == fold])
            learned |= learn_answer(answers, y, ctx)
        return {"learned": learned, "boosters": boosters}
    trees = params["n_estimators"]
    if trees is None:
        began, held = time.monotonic(), held_out(train, y, ctx)
        found = stop_early(data, held, options, params, began + 0.7 * ctx.seconds_left())
        if 3 * (time.monotonic() - began) > ctx.seconds_left():
            # To fit as many trees again, on all rows, would take too long: those that were found are kept.
            if TUNED_DECISION or QUANTILES:
                learned |= learn_answer(booster_scores([found], X[held]), y[held], ctx)
            return {"learned": learned, "boosters": [found]}
        trees = found.best_iteration
    if TUNED_DECISION or QUANTILES:
        folds = inner_folds(train, y, 3, ctx.seed)
        answers = empty_answers(y, ctx)
        for fold in np.unique(folds):
            rest = data.subset(np.flatnonzero(folds != fold).tolist())
            answers[folds == fold] = booster_scores([lgb.train(options, rest, max(1, trees))], X[folds == fold])
        learned |= learn_answer(answers, y, ctx)
    in_time = finish_in_time(time.monotonic() + 0.8 * ctx.seconds_left())
    return {"learned": learned, "boosters": [lgb.train(options, data, max(1, trees), callbacks=[in_time])]}


def fit_bag(data: lgb.Dataset, folds: np.ndarray, options: dict, params: dict, ctx: Context) -> list:
    """Fit one booster per fold, each in its share of the time."""
    boosters: list = []
    for fold in range(params["bags"]):
        finish_by = time.monotonic() + 0.9 * ctx.seconds_left() / (params["bags"] - fold)
        boosters.append(stop_early(data, folds == fold, options, params, finish_by))
    return boosters


def booster_options(params: dict, threads: int, ctx: Context) -> dict:
    """Return the options of LightGBM: what is tuned, and what makes a run repeatable."""
    ours = ("n_estimators", "max_trees", "patience", "balanced", "bags", "native_levels")
    options = {name: value for name, value in params.items() if name not in ours}
    if CLASSIFICATION and len(ctx.task.classes) > 2:
        options["num_class"] = len(ctx.task.classes)
    repeatable = {"seed": ctx.seed, "deterministic": True, "force_row_wise": True}
    return {**options, **repeatable, "num_threads": threads, "verbosity": -1}


def native_categories(learned: dict, params: dict) -> list[int]:
    """List the feature columns that hold codes of few levels: LightGBM splits those by sets of levels."""
    if HAS_CATEGORIES:
        return [column for column, known in enumerate(learned["levels"]) if len(known) <= params["native_levels"]]
    return []


def stop_early(data: lgb.Dataset, held: np.ndarray, options: dict, params: dict, finish_by: float) -> lgb.Booster:
    """Add trees until the rows held out gain no more from them, or time is up; the best number of trees is noted."""
    valid = data.subset(np.flatnonzero(held).tolist())
    losses: dict = {}
    callbacks: list[Callable] = [
        finish_in_time(finish_by),
        lgb.record_evaluation(losses),
        lgb.early_stopping(params["patience"], verbose=False),
    ]
    rest = data.subset(np.flatnonzero(~held).tolist())
    booster = lgb.train(options, rest, params["max_trees"], valid_sets=[valid], callbacks=callbacks)
    for curve in losses.get("valid_0", {}).values():
        booster.best_iteration = 1 + int(np.argmin(curve))  # also where time was up before patience was
    return booster


def finish_in_time(finish_by: float) -> Callable:
    """Make a callback that ends the training at this moment of the monotonic clock, with the trees it has."""

    def callback(env: lgb.callback.CallbackEnv) -> None:
        if time.monotonic() > finish_by:
            raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list or [])

    return callback


def booster_scores(boosters: list, X: np.ndarray) -> np.ndarray:
    """Return the mean of the boosters: probabilities [rows, classes], or values [rows]."""
    scores = np.mean([booster.predict(X) for booster in boosters], axis=0)
    if CLASSIFICATION:
        return np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
    return scores


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    scores = booster_scores(model["boosters"], new_features(rows, model["learned"]))
    if CLASSIFICATION:
        return as_answer(scores, model["learned"], ctx)
    return as_values(scores, model["learned"])


def save(model: dict, directory: Path) -> None:
    """Write JSON and LightGBM's own text: loading them runs no code."""
    (directory / "learned.json").write_text(json.dumps(model["learned"]), encoding="utf-8")
    for number, booster in enumerate(model["boosters"]):
        booster.save_model(directory / f"booster_{number}.txt")


def load(directory: Path) -> dict:
    """Read what save wrote."""
    learned = json.loads((directory / "learned.json").read_text(encoding="utf-8"))
    files = sorted(directory.glob("booster_*.txt"))
    return {"learned": learned, "boosters": [lgb.Booster(model_file=str(file)) for file in files]}


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
