"""A linear model on scaled numbers, one column per level, and word weights: quick, and its weights can be read."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, PARAMS, QUANTILES, TASK, TUNED_DECISION
from open_autoglm.agents.recipes.blocks.decision import cross_fitted, learn_answer
from open_autoglm.agents.recipes.blocks.design import learn_design, make_design
from open_autoglm.agents.recipes.blocks.target import class_weights, inner_folds, read_target, row_weights
from open_autoglm.sandbox.inside.runtime.runtime import Context, script


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Learn one weight per feature and class."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    learned = learn_design(train)
    X = make_design(train, learned)
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    learned["rows"] = len(y)
    if TUNED_DECISION or QUANTILES:
        folds = inner_folds(train, y, 3, ctx.seed)
        answers = cross_fitted(
            lambda X, y, weights: fit_linear(X, y, weights, params, ctx),
            lambda linear, X: linear_scores(X, linear, ctx),
            (X, y, weights),
            folds,
            ctx,
        )
        learned |= learn_answer(answers, y, ctx)
    return {"learned": learned, "linear": fit_linear(X, y, weights, params, ctx)}


def fit_linear(X: np.ndarray, y: np.ndarray, weights: np.ndarray, params: dict, ctx: Context) -> dict:
    """Fit the weights: coef [outputs, features], intercept [outputs], and the classes or the range they speak of."""
    if CLASSIFICATION:
        present = np.unique(y)
        if len(present) == 1:
            return {"coef": np.zeros((1, X.shape[1])), "intercept": np.zeros(1), "classes": present}
        model = LogisticRegression(C=params["C"], max_iter=params["max_iter"], random_state=ctx.seed)
        # On sparse data the threads of the linear algebra only wait for each other. Near the optimum is near enough.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, sample_weight=weights)
        return {"coef": model.coef_, "intercept": model.intercept_, "classes": present}
    with threadpool_limits(1):
        model = Ridge(alpha=1 / params["C"], random_state=ctx.seed).fit(X, y, sample_weight=weights)
    seen = np.array([y.min(), y.max()])
    return {"coef": model.coef_[None, :], "intercept": np.array([model.intercept_]), "range": seen}


def linear_scores(X: np.ndarray, linear: dict, ctx: Context) -> np.ndarray:
    """Return probabilities [rows, classes], or values [rows] kept within the range that was seen."""
    scores = X @ linear["coef"].T + linear["intercept"]
    if CLASSIFICATION:
        if len(linear["classes"]) == 2:
            scores = np.hstack([np.zeros_like(scores), scores])
        proba = np.zeros((X.shape[0], len(ctx.task.classes)))
        proba[:, linear["classes"]] = softmax(scores, axis=1)
        return proba
    return np.clip(scores[:, 0], *linear["range"])


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    scores = linear_scores(make_design(rows, model["learned"]), model["linear"], ctx)
    if CLASSIFICATION:
        return as_answer(scores, model["learned"], ctx)
    return as_values(scores, model["learned"])


def save(model: dict, directory: Path) -> None:
    """Write JSON and plain arrays: loading them runs no code."""
    (directory / "learned.json").write_text(json.dumps(model["learned"]), encoding="utf-8")
    np.savez(directory / "linear.npz", **model["linear"])


def load(directory: Path) -> dict:
    """Read what save wrote."""
    learned = json.loads((directory / "learned.json").read_text(encoding="utf-8"))
    with np.load(directory / "linear.npz", allow_pickle=False) as arrays:
        return {"learned": learned, "linear": dict(arrays)}


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
