"""What simple answers score on the same rows as the winner: a constant, and a linear model."""

from dataclasses import replace

import numpy as np

from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.briefing import linear_attempt
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.models import LONGEST_SECONDS, FittedModel, fit_scored, holdout_count
from open_autoglm.agents.outcome import Baseline
from open_autoglm.tools.metrics.baselines import dummy_predictions
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions

LINEAR_SHARE = 0.4
"""Share of the time left that the linear baseline may take."""


async def baselines(deps: Deps, winner: FittedModel) -> Baseline:
    """Score the baselines on the holdout; without one, on the folds."""
    dummy = dummy_on_holdout(deps)
    if dummy is None:
        return Baseline(dummy=dummy_on_folds(deps), linear=_linear_on_folds(deps))
    return Baseline(dummy=dummy, linear=await _linear_on_holdout(deps, winner))


def dummy_on_holdout(deps: Deps) -> float | None:
    """Return what a constant scores on the holdout; None where there is none.

    Raises:
        MetricMisfit: The metric cannot judge this target.
    """
    workspace = deps.workspace
    held = workspace.holdout()
    if held is None:
        return None
    answers = _dummy(deps, workspace.y[workspace.search_rows], len(held[1]))
    return workspace.metric.score(held[1], answers, workspace.classes)


def dummy_on_folds(deps: Deps) -> float:
    """Return what a constant scores over the folds.

    Raises:
        MetricMisfit: The metric cannot judge this target.
    """
    workspace = deps.workspace
    scores = [
        workspace.metric.score(
            workspace.y[fold.valid], _dummy(deps, workspace.y[fold.train], len(fold.valid)), workspace.classes
        )
        for fold in workspace.plan.folds
    ]
    return float(np.mean(scores))


def _dummy(deps: Deps, y: np.ndarray, rows: int) -> Predictions:
    workspace = deps.workspace
    return dummy_predictions(y, rows, workspace.metric, workspace.task.task_type, workspace.classes)


def _linear_on_folds(deps: Deps) -> float | None:
    attempt = linear_attempt(deps)
    return None if attempt is None else attempt.mean


async def _linear_on_holdout(deps: Deps, winner: FittedModel) -> float | None:
    attempt = linear_attempt(deps)
    if attempt is None:
        return None
    held = deps.workspace.holdout()
    assert held is not None, "asked for only where there is a holdout"
    try:
        model = winner if attempt.id == winner.attempt.id else await _linear_model(deps, attempt)
        if model is None:
            return None
        return deps.workspace.metric.score(held[1], holdout_part(deps, model.predictions), deps.workspace.classes)
    except InvalidPredictions:
        return None


async def _linear_model(deps: Deps, attempt: Attempt) -> FittedModel | None:
    """Fit the linear model on all rows but the holdout, if that takes a part of the time left only.

    Raises:
        InvalidPredictions: The matrix is not what the contract demands.
    """
    left = deps.budget.seconds_left
    at_most = LONGEST_SECONDS if left is None else LINEAR_SHARE * left
    if (attempt.number("fit_seconds") or 0.0) > at_most:
        return None
    return await fit_scored(deps, attempt, at_most=at_most)


def holdout_part(deps: Deps, predictions: Predictions) -> Predictions:
    """Return the predictions of the holdout rows out of those of the watched rows."""
    return replace(predictions, matrix=predictions.matrix[: holdout_count(deps)])
