"""The two models of a run: the scored one earns the holdout score, the shipped one is refitted on all rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt, Execution
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.evaluation import Step
from open_autoglm.agents.folds import staged_sample
from open_autoglm.agents.ingest import as_trained
from open_autoglm.tools.export.delivery import PREDICT_SECONDS
from open_autoglm.tools.metrics.predictions import Predictions
from open_autoglm.tools.task import SourceRole

FIT_SHARE = 0.3
"""Share of the time left that the fit on more rows than the folds learned from may take, as far as can be told."""
SLACK_SECONDS = 1.0
"""What is left to write the deliverable when a fit takes all the time there is."""
CHECK_ROWS = 1000
SHORTEST_SECONDS = 1.0
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


def seconds_for_one(deps: Deps) -> float:
    """Return how long one step of finalise may take: all the time that is left."""
    left = deps.budget.seconds_left
    return LONGEST_SECONDS if left is None else max(SHORTEST_SECONDS, left - slack_seconds(deps))


def slack_seconds(deps: Deps) -> float:
    """Return what no fit may take: the seconds to write the deliverable, and to predict the rows given for it."""
    asked = any(source.role is SourceRole.PREDICT for source in deps.workspace.task.sources)
    return SLACK_SECONDS + (PREDICT_SECONDS if asked else 0.0)


def step_for(deps: Deps, attempt: Attempt, phase: str, *, at_most: float = LONGEST_SECONDS) -> Step:
    """Return a step of finalise, which may take the time that is left, or less."""
    seconds = min(seconds_for_one(deps), max(SHORTEST_SECONDS, at_most))
    return Step(attempt=attempt, phase=phase, fold=0, seconds=seconds, seed=attempt.seed)


def watched_rows(deps: Deps) -> pd.DataFrame:
    """Return the rows that finalise predicts: the holdout, then the first fold's validation rows; without target."""
    workspace = deps.workspace
    valid = workspace.train.iloc[workspace.plan.folds[0].valid]
    parts = [valid]
    holdout = workspace.holdout()
    if holdout is not None:
        parts = [holdout[0] if workspace.test is None else as_trained(workspace, holdout[0])[0], valid]
    bare = [frame.drop(columns=[workspace.task.target], errors="ignore") for frame in parts]
    return pd.concat(bare, ignore_index=True)


def holdout_count(deps: Deps) -> int:
    """Return how many of the watched rows, the first ones, are holdout."""
    holdout = deps.workspace.holdout()
    return 0 if holdout is None else len(holdout[0])


def watched_count(deps: Deps) -> int:
    """Return how many rows finalise predicts."""
    return holdout_count(deps) + len(deps.workspace.plan.folds[0].valid)


def staged_watched(deps: Deps) -> Path:
    """Return the watched rows as staged for a sandbox."""
    workspace = deps.workspace
    if workspace.test is None:  # all of them stand in one table
        rows = np.concatenate([workspace.plan.holdout, workspace.plan.folds[0].valid])
        return workspace.staged("watched", rows, labelled=False)
    return deps.workspace.staged_once("watched", lambda: watched_rows(deps), labelled=False)


async def fit_scored(deps: Deps, attempt: Attempt, *, at_most: float = LONGEST_SECONDS) -> FittedModel | None:
    """Fit the attempt on all rows but the holdout, in so many seconds, and predict the watched rows; None where that failed.

    Raises:
        InvalidPredictions: The matrix is not what the contract demands.
    """
    return await _fitted(deps, attempt, "scored", deps.workspace.search_rows, at_most)


async def fit_shipped(deps: Deps, attempt: Attempt) -> FittedModel | None:
    """Fit the attempt on all rows and predict the watched rows; None where that failed.

    Raises:
        InvalidPredictions: The matrix is not what the contract demands.
    """
    return await _fitted(deps, attempt, "shipped", np.arange(len(deps.workspace.train)), LONGEST_SECONDS)


def check_rows(deps: Deps) -> np.ndarray:
    """Return the rows (of `train`) on which a shipped model is compared with itself right after its fit."""
    return np.arange(min(CHECK_ROWS, len(deps.workspace.train)))


async def _fitted(deps: Deps, attempt: Attempt, name: str, rows: np.ndarray, at_most: float) -> FittedModel | None:
    step = step_for(deps, attempt, f"{name}.fit", at_most=at_most)
    table = staged_sample(deps, name, rows, affordable_rows(deps, attempt, name, len(rows)))
    fitted = await evaluation.fit(
        deps, step, table, check=deps.workspace.staged("check", check_rows(deps), labelled=False)
    )
    if not fitted.ok:
        return None
    return await predict_watched(deps, attempt, name, fitted)


def affordable_rows(deps: Deps, attempt: Attempt, name: str, rows: int) -> int | None:
    """Return how many of so many rows a model is fitted on: all, but for an attempt whose folds learned from fewer.

    That one is fitted on as many as there is time for; what was decided stands, also after a kill.
    """
    if attempt.rows is None:
        return None
    key = f"rows.{attempt.id}.{name}"
    if (known := deps.journal.get_meta(key)) is None:
        per_row = (attempt.number("fit_seconds") or 0.0) / attempt.rows
        spare = FIT_SHARE * seconds_for_one(deps)
        known = str(min(rows, max(attempt.rows, int(spare / max(per_row, 1e-9)))))
        deps.journal.set_meta(key, known)
    return int(known)


async def predict_watched(deps: Deps, attempt: Attempt, name: str, fitted: Execution) -> FittedModel | None:
    """Predict the watched rows with a model that was fitted; None where that failed.

    Raises:
        InvalidPredictions: The matrix is not what the contract demands.
    """
    reference = fitted.outputs["model"]
    predicted = await evaluation.predict(
        deps,
        step_for(deps, attempt, f"{name}.predict"),
        deps.workspace.resolve(reference),
        staged_watched(deps),
    )
    if not predicted.ok:
        return None
    answers = evaluation.read(deps, predicted, watched_count(deps))
    return FittedModel(attempt=attempt, fit=fitted, reference=reference, predictions=answers)
