"""A single shallow decision tree: a handful of questions. `tree.txt` in the model's folder is all that it knows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from open_autoglm.agents.recipes.blocks.answers import as_answer, as_values
from open_autoglm.agents.recipes.blocks.choices import (
    CLASSIFICATION,
    LOG_TARGET,
    PARAMS,
    QUANTILES,
    TASK,
    TUNED_DECISION,
)
from open_autoglm.agents.recipes.blocks.decision import cross_fitted, learn_answer
from open_autoglm.agents.recipes.blocks.questions import ask_questions, learn_questions
from open_autoglm.agents.recipes.blocks.target import class_weights, inner_folds, read_target, row_weights
from open_autoglm.sandbox.inside.runtime.runtime import Context, script


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Choose the questions that tell most, one after the other."""
    params = {**PARAMS, **ctx.params}
    y = read_target(train, ctx)
    learned = learn_questions(train)
    X = ask_questions(train, learned)
    weights = row_weights(train)
    if CLASSIFICATION and params["balanced"]:
        weights = weights * class_weights(y)
    learned["rows"] = len(y)
    if TUNED_DECISION or QUANTILES:
        answers = cross_fitted(
            lambda X, y, weights: grow_tree(X, y, weights, params, ctx),
            tree_answers,
            (X, y, weights),
            inner_folds(train, y, 3, ctx.seed),
            ctx,
        )
        learned |= learn_answer(answers, y, ctx)
    tree = grow_tree(X, y, weights, params, ctx)
    return {"learned": learned, "tree": tree, "text": describe_tree(tree, learned["asks"], ctx)}


def grow_tree(X: np.ndarray, y: np.ndarray, weights: np.ndarray, params: dict, ctx: Context) -> dict:
    """Grow the tree and return it as nested questions. Plain JSON."""
    Tree = DecisionTreeClassifier if CLASSIFICATION else DecisionTreeRegressor
    shape = {name: params[name] for name in ("max_depth", "min_samples_leaf")}
    X = np.clip(X, -1e37, 1e37)  # trees work in single precision
    grown = Tree(random_state=ctx.seed, **shape).fit(X, y, sample_weight=weights).tree_
    return read_node(grown.__getstate__(), 0, np.unique(y) if CLASSIFICATION else None, ctx)


def read_node(state: dict, number: int, present: np.ndarray | None, ctx: Context) -> dict:
    """Return a node with all below it: a question with `yes` and `no`, or an answer and how many rows led to it."""
    node, values = state["nodes"][number], state["values"][number, 0]
    if node["left_child"] < 0:
        answer = values
        if CLASSIFICATION:
            answer = np.zeros(len(ctx.task.classes))
            answer[present] = values / values.sum()
        return {"answer": answer.tolist(), "rows": int(node["n_node_samples"])}
    return {
        "ask": int(node["feature"]),
        "at_most": float(node["threshold"]),
        "missing": bool(node["missing_go_to_left"]),
        "yes": read_node(state, int(node["left_child"]), present, ctx),
        "no": read_node(state, int(node["right_child"]), present, ctx),
    }


def tree_answers(tree: dict, X: np.ndarray) -> np.ndarray:
    """Return probabilities [rows, classes], 0 for a class that training did not see, or values [rows]."""
    if "answer" in tree:
        if CLASSIFICATION:
            return np.tile(tree["answer"], (len(X), 1))
        return np.full(len(X), tree["answer"][0])
    values = X[:, tree["ask"]]
    yes = np.where(np.isnan(values), tree["missing"], values <= tree["at_most"]).astype(bool)
    side, other = tree_answers(tree["yes"], X[yes]), tree_answers(tree["no"], X[~yes])
    answers = np.empty((len(X), *side.shape[1:]))
    answers[yes], answers[~yes] = side, other
    return answers


def describe_tree(tree: dict, asks: list, ctx: Context, indent: str = "") -> str:
    """Write the tree for people, one question or answer a line."""
    if "answer" in tree:
        if CLASSIFICATION:
            likeliest = int(np.argmax(tree["answer"]))
            said = f"{ctx.task.classes[likeliest]!r} with {tree['answer'][likeliest]:.0%}"
        else:
            said = f"{np.expm1(tree['answer'][0]) if LOG_TARGET else tree['answer'][0]:.4g}"
        return f"{indent}-> {said} ({tree['rows']} rows)\n"
    name, level = asks[tree["ask"]]
    question = f"{name} <= {tree['at_most']:.6g}{' or missing' if tree['missing'] else ''}"
    if level is not None:
        question = f"{name} is {level!r}" if level else f"{name} is missing"
    yes = describe_tree(tree["yes"], asks, ctx, indent + "    ")
    no = describe_tree(tree["no"], asks, ctx, indent + "    ")
    return f"{indent}{question}? yes:\n{yes}{indent}no:\n{no}"


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return one probability per class, or one value, for each row."""
    scores = tree_answers(model["tree"], ask_questions(rows, model["learned"]))
    if CLASSIFICATION:
        return as_answer(scores, model["learned"], ctx)
    return as_values(scores, model["learned"])


def save(model: dict, directory: Path) -> None:
    """Write JSON, and the tree once more as text for people."""
    (directory / "model.json").write_text(json.dumps(model), encoding="utf-8")
    (directory / "tree.txt").write_text(model["text"], encoding="utf-8")


def load(directory: Path) -> dict:
    """Read what save wrote."""
    return json.loads((directory / "model.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
