"""The weighted mean of several solutions, each in a folder of its own; the weights were found on rows held out."""

import dataclasses
import importlib.util
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.blocks.choices import CLASSIFICATION, PARAMS, TASK, TUNED_DECISION, WEIGHTS
from open_autoglm.sandbox.inside.runtime.runtime import Context, script, to_matrix


def load_member(name: str) -> ModuleType:
    """Import the solution of one member from its file."""
    file = Path(__file__).parent / "members" / name / "solution.py"
    spec = importlib.util.spec_from_file_location(f"member_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    member = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(member)
    return member


def member_context(name: str, member: ModuleType, ctx: Context) -> Context:
    """Return what the member is told: its own parameters, else as we were told."""
    return dataclasses.replace(ctx, params={**member.PARAMS, **(ctx.params.get(name) or {})})


def fit(train: pd.DataFrame, ctx: Context) -> dict:
    """Fit the members, each in its share of the time."""
    models: dict[str, Any] = {}
    for name in WEIGHTS:
        member = load_member(name)
        share = 0.95 * ctx.seconds_left() / (len(WEIGHTS) - len(models))
        in_time = dataclasses.replace(member_context(name, member, ctx), deadline=time.monotonic() + share)
        models[name] = member.fit(train, in_time)
    return models


def predict(model: dict, rows: pd.DataFrame, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return the weighted mean of what the members say."""
    answers = []
    for name in WEIGHTS:
        member = load_member(name)
        answers.append(
            to_matrix(member.predict(model[name], rows, member_context(name, member, ctx)), ctx.task, len(rows))
        )
    weights = list(WEIGHTS.values())
    if CLASSIFICATION:
        count = len(ctx.task.classes)
        proba = np.average([answer[:, :count] for answer in answers], axis=0, weights=weights)
        if TUNED_DECISION:
            # Members chose their labels by thresholds of their own: they vote, and probabilities settle a draw.
            votes = [np.eye(count)[choice(answer, count)] for answer in answers]
            labels = (np.average(votes, axis=0, weights=weights) + 1e-6 * proba).argmax(axis=1)
            answer = pd.DataFrame(proba, columns=list(ctx.task.classes))
            answer["prediction"] = [ctx.task.classes[code] for code in labels]
            return answer
        return proba
    return np.average(answers, axis=0, weights=weights)


def choice(answer: np.ndarray, count: int) -> np.ndarray:
    """Return the label that a member named, as a position [rows]; where it named none, the likeliest."""
    return answer[:, count].astype(int) if answer.shape[1] > count else answer.argmax(axis=1)


def save(model: dict, directory: Path) -> None:
    """Let every member write its model into a folder of its own."""
    for name, fitted in model.items():
        member = load_member(name)
        folder = directory / name
        folder.mkdir()
        if hasattr(member, "save"):
            member.save(fitted, folder)
        else:
            joblib.dump(fitted, folder / "model.joblib")


def load(directory: Path) -> dict[str, Any]:
    """Read what save wrote."""
    models = {}
    for name in WEIGHTS:
        member = load_member(name)
        folder = directory / name
        models[name] = member.load(folder) if hasattr(member, "load") else joblib.load(folder / "model.joblib")
    return models


if __name__ == "__main__":
    script(TASK, PARAMS, fit, predict)
