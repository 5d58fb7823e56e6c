"""The two models of a run: the scored one earns the holdout score, the shipped one is refitted on all rows."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt, Execution
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.evaluation import Step
from open_autoglm.tools.metrics.predictions import Predictions

SLACK_SECONDS = 1.0
"""What is left to write the deliverable when a fit takes all the time there is."""
CHECK_ROWS = 1000
LONGEST_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedModel:
    """A fitted model and what it says about the rows that finalise looks at."""

    attempt: Attempt
    fit: Execution
    reference: str
    """Where its folder lies, relative to the run directory."""
    predictions: Predictions
    """Of the holdout rows, then of the first fold's validation rows."""


def step_for(deps: Deps, attempt: Attempt, phase: str) -> Step:
    """Return a step of finalise, which may take all the time that is left."""
    left = deps.budget.seconds_left
    seconds = LONGEST_SECONDS if left is None else max(1.0, left - SLACK_SECONDS)
    return Step(attempt=attempt, phase=phase, fold=0, seconds=seconds, seed=attempt.seed)


def watched_rows(deps: Deps) -> tuple[pd.DataFrame, int, np.ndarray]:
    """Return the rows that finalise predicts (holdout, then the first fold's validation rows), how many are holdout, and the latter's numbers."""
    holdout = deps.workspace.holdout()
    valid = deps.workspace.plan.folds[0].valid
    frames = ([] if holdout is None else [holdout[0]]) + [deps.workspace.train.iloc[valid]]
    return pd.concat(frames, ignore_index=True), 0 if holdout is None else len(holdout[0]), valid


async def fit_scored(deps: Deps, attempt: Attempt) -> FittedModel | None:
    """Fit the attempt on all rows but the holdout and predict the watched rows; None where that failed."""
    return await _fitted(deps, attempt, "scored", deps.workspace.search_rows)


async def fit_shipped(deps: Deps, attempt: Attempt) -> FittedModel | None:
    """Fit the attempt on all rows and predict the watched rows; None where that failed."""
    return await _fitted(deps, attempt, "shipped", np.arange(len(deps.workspace.train)))


def check_rows(deps: Deps) -> np.ndarray:
    """Return the rows (of `train`) on which a shipped model is compared with itself right after its fit."""
    return np.arange(min(CHECK_ROWS, len(deps.workspace.train)))


async def _fitted(deps: Deps, attempt: Attempt, name: str, rows: np.ndarray) -> FittedModel | None:
    step = step_for(deps, attempt, f"{name}.fit")
    table = deps.workspace.staged(name, rows, labelled=True)
    fitted = await evaluation.fit(
        deps, step, table, check=deps.workspace.staged("check", check_rows(deps), labelled=False)
    )
    if not fitted.ok:
        return None
    return await predict_watched(deps, attempt, name, fitted)


async def predict_watched(deps: Deps, attempt: Attempt, name: str, fitted: Execution) -> FittedModel | None:
    """Predict the watched rows with a model that was fitted; None where that failed.

    Raises:
        InvalidPredictions: The matrix is not what the contract demands.
    """
    frame, _, _ = watched_rows(deps)
    reference = fitted.outputs["model"]
    predicted = await evaluation.predict(
        deps,
        replace(step_for(deps, attempt, f"{name}.predict"), seed=attempt.seed),
        deps.workspace.resolve(reference),
        deps.workspace.stage(frame, labelled=False),
    )
    if not predicted.ok:
        return None
    answers = evaluation.read(deps, predicted, len(frame))
    return FittedModel(attempt=attempt, fit=fitted, reference=reference, predictions=answers)
