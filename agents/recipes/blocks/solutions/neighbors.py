"""The nearest training rows decide (scikit-learn kNN on scaled numbers and levels): wrong in other ways than trees."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neighbors import KDTree

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, PARAMS, QUANTILES, TASK, TUNED_DECISION
from open_autoglm.agents.recipes.blocks.decision import cross_fitted, learn_answer
from open_autoglm.agents.recipes.blocks.design import learn_design, make_design
from open_autoglm.agents.recipes.blocks.target import class_weights, inner_folds, read_target, row_weights
from open_autoglm.sandbox.inside.runtime.runtime import Context, script


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Remember the rows."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    learned = learn_design(train)
    X = make_design(train, learned).toarray()
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    learned |= {"rows": len(y), "neighbors": params["neighbors"]}
    if TUNED_DECISION or QUANTILES:
        answers = cross_fitted(
            remember,
            lambda known, held: neighbor_scores(known, held, params["neighbors"], ctx),
            (X, y, weights),
            inner_folds(train, y, 3, ctx.seed),
            ctx,
        )
        learned |= learn_answer(answers, y, ctx)
    return {"learned": learned, "known": remember(X, y, weights)}


def remember(X: np.ndarray, y: np.ndarray, weights: np.ndarray) -> dict:
    """Keep the rows in a tree that finds neighbours; it looks at one row at a time, so batches cannot matter."""
    return {"X": X, "y": y, "weights": weights, "tree": KDTree(X)}


def neighbor_scores(known: dict, X: np.ndarray, neighbors: int, ctx: Context) -> np.ndarray:
    """Return shares of the classes among the neighbours [rows, classes], or their mean [rows]; near ones count more."""
    distances, positions = known["tree"].query(X, k=min(neighbors, len(known["y"])))
    closeness = known["weights"][positions] / (distances + 1e-3 + 0.1 * distances[:, -1:])
    closeness /= closeness.sum(axis=1, keepdims=True)
    if CLASSIFICATION:
        found = known["y"][positions]
        return np.column_stack([(closeness * (found == code)).sum(axis=1) for code in range(len(ctx.task.classes))])
    return (closeness * known["y"][positions]).sum(axis=1)


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    learned = model["learned"]
    scores = neighbor_scores(model["known"], make_design(rows, learned).toarray(), learned["neighbors"], ctx)
    if CLASSIFICATION:
        return as_answer(scores, learned, ctx)
    return as_values(scores, learned)


def save(model: dict, directory: Path) -> None:
    """Write JSON and plain arrays: loading them runs no code."""
    (directory / "learned.json").write_text(json.dumps(model["learned"]), encoding="utf-8")
    np.savez(directory / "known.npz", **{name: model["known"][name] for name in ("X", "y", "weights")})


def load(directory: Path) -> dict:
    """Read what save wrote."""
    learned = json.loads((directory / "learned.json").read_text(encoding="utf-8"))
    with np.load(directory / "known.npz", allow_pickle=False) as arrays:
        return {"learned": learned, "known": remember(arrays["X"], arrays["y"], arrays["weights"])}


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
