"""Answers in the form that `predict` owes."""

import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.blocks.choices import LOG_TARGET, QUANTILES, TUNED_DECISION
from open_autoglm.sandbox.inside.runtime.runtime import Context


def as_answer(proba: np.ndarray, learned: dict, ctx: Context) -> np.ndarray | pd.DataFrame:
    """Return probabilities in the order of ctx.task.classes, never quite 0.

    A class too rare to be learned must not be called impossible: as if one more row had been seen, evenly of all
    classes (Laplace's rule).
    """
    seen = learned["rows"]
    proba = (proba * seen + 1.0 / proba.shape[1]) / (seen + 1.0)
    if TUNED_DECISION:
        answer = pd.DataFrame(proba, columns=list(ctx.task.classes))
        codes = (proba * np.array(learned["decision"])).argmax(axis=1)
        answer["prediction"] = [ctx.task.classes[code] for code in codes]
        return answer
    return proba


def as_values(values: np.ndarray, learned: dict) -> np.ndarray:
    """Return the values [rows] in the units of the target; with quantiles [rows, 1 + quantiles]."""
    if QUANTILES:
        values = values[:, None] + np.array([0.0, *learned["offsets"]])
    return np.expm1(values) if LOG_TARGET else values
