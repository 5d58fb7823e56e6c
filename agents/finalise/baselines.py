"""What simple answers score on the same rows as the winner: a constant, and a linear model."""

from dataclasses import replace

import numpy as np

from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.models import FittedModel, fit_scored, watched_rows
from open_autoglm.agents.outcome import Baseline
from open_autoglm.tools.metrics.baselines import dummy_predictions
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions
from open_autoglm.tools.task import ModelFamily

LINEAR_SHARE = 0.4
"""Share of the time left that the linear baseline may take."""


async def baselines(deps: Deps, winner: FittedModel | None) -> Baseline:
    """Score the baselines on the holdout; without one, on the folds."""
    if deps.workspace.holdout() is None:
        return Baseline(dummy=dummy_on_folds(deps), linear=_linear_on_folds(deps))
    return Baseline(dummy=_dummy_on_holdout(deps), linear=await _linear_on_holdout(deps, winner))


def _dummy_on_holdout(deps: Deps) -> float:
    workspace = deps.workspace
    held = workspace.holdout()
    assert held is not None, "asked for only where there is a holdout"
    return workspace.metric.score(
        held[1], _dummy(deps, workspace.y[workspace.search_rows], len(held[1])), workspace.classes
    )


def dummy_on_folds(deps: Deps) -> float:
    """Return what a constant scores over the folds."""
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


def linear_attempt(deps: Deps) -> Attempt | None:
    """Return the first scored attempt that is a linear model."""
    for attempt in deps.journal.attempts(AttemptStatus.SCORED):
        if attempt.bundle and deps.journal.bundle(attempt.bundle).traits.get("family") == ModelFamily.LINEAR.value:
            return attempt
    return None


def _linear_on_folds(deps: Deps) -> float | None:
    attempt = linear_attempt(deps)
    return None if attempt is None else attempt.mean


async def _linear_on_holdout(deps: Deps, winner: FittedModel | None) -> float | None:
    attempt = linear_attempt(deps)
    if attempt is None:
        return None
    model: FittedModel | None
    if winner is not None and attempt.id == winner.attempt.id:
        model = winner
    else:
        left, needed = deps.budget.seconds_left, attempt.number("fit_seconds") or 0.0
        if left is not None and needed > LINEAR_SHARE * left:
            return None
        try:
            model = await fit_scored(deps, attempt)
        except InvalidPredictions:
            model = None
    return None if model is None else holdout_score(deps, model)


def holdout_score(deps: Deps, model: FittedModel) -> float:
    """Score a model's predictions of the holdout."""
    workspace = deps.workspace
    held = workspace.holdout()
    assert held is not None, "asked for only where there is a holdout"
    return workspace.metric.score(held[1], holdout_part(deps, model.predictions), workspace.classes)


def holdout_part(deps: Deps, predictions: Predictions) -> Predictions:
    """Return the predictions of the holdout rows out of those of the watched rows."""
    _, holdout, _ = watched_rows(deps)
    return replace(predictions, matrix=predictions.matrix[:holdout])
