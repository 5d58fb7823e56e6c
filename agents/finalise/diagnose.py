"""Where the scored model is right and wrong, and what it looks at: on the holdout, or out of fold."""

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.baselines import holdout_part
from open_autoglm.agents.finalise.models import holdout_count, predict_watched, step_for, watched_rows
from open_autoglm.agents.finalise.settle import Settled
from open_autoglm.tools.export.diagnostics import calibration, confusion, residuals, roc_curve
from open_autoglm.tools.export.importance import importance_from, permuted_rows
from open_autoglm.tools.export.story import Diagnostics
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions

IMPORTANCE_ROWS = 300
FEWEST_IMPORTANCE_ROWS = 50
STACKED_ROWS = 30_000
"""Rows of the one table that holds every permutation: with many columns there are fewer rows for each."""
REPEATS = 3
FEWEST_SECONDS = 3.0
TIME_SHARE = 0.4
LONGEST_SECONDS = 30.0


async def diagnostics(deps: Deps, settled: Settled) -> Diagnostics:
    """Look at the predictions of the scored model, all of them of rows that it was not fitted on."""
    judged = await _judged(deps, settled)
    if judged is None:
        return Diagnostics()
    base = await deps.blocking.host(_look_at, *judged)
    return await _with_importance(deps, settled, base)


async def _judged(deps: Deps, settled: Settled) -> tuple[np.ndarray, Predictions, str] | None:
    """Return truth, predictions and where the rows come from; None where no such predictions are there."""
    held = deps.workspace.holdout()
    if held is None:
        return _fold_predictions(deps, settled)
    attempt = deps.journal.attempt(settled.winner)
    fitted = deps.journal.execution(attempt.id, "scored.fit", 0)
    assert fitted is not None, "the scored model was fitted"
    model = await predict_watched(deps, attempt, "scored", fitted)
    assert model is not None, "the scored model has predicted"
    return held[1], holdout_part(deps, model.predictions), "holdout"


def _fold_predictions(deps: Deps, settled: Settled) -> tuple[np.ndarray, Predictions, str] | None:
    """Return those of the first fold that the winner was executed on; an ensemble was in check (c) only."""
    for phase in ("fold.predict", "check-c.predict"):
        execution = deps.journal.execution(settled.winner, phase, 0)
        if execution is not None and execution.ok:
            valid = deps.workspace.plan.folds[0].valid
            return deps.workspace.y[valid], evaluation.read(deps, execution, len(valid)), "folds"
    return None


def _look_at(y: np.ndarray, predictions: Predictions, rows_from: str) -> Diagnostics:
    if not predictions.classes:
        return Diagnostics(rows_from=rows_from, residuals=residuals(y, predictions))
    return Diagnostics(
        rows_from=rows_from,
        confusion=confusion(y, predictions),
        calibration=calibration(y, predictions),
        roc=roc_curve(y, predictions),
    )


async def _with_importance(deps: Deps, settled: Settled, base: Diagnostics) -> Diagnostics:
    """Add permutation importance on rows that the scored model was not fitted on, where there are any and there is time."""
    workspace = deps.workspace
    held = workspace.holdout()
    left = deps.budget.seconds_left
    if held is None or (left is not None and left < FEWEST_SECONDS):
        return base
    frame = watched_rows(deps).iloc[: holdout_count(deps)]
    task = workspace.task
    columns = [name for name in frame.columns if name not in {*task.columns.id, *task.columns.dropped}]
    rows = min(IMPORTANCE_ROWS, STACKED_ROWS // (REPEATS * max(1, len(columns))))
    if rows < FEWEST_IMPORTANCE_ROWS:
        return base
    stacked, layout = permuted_rows(frame, columns, seed=workspace.options.seed, repeats=REPEATS, rows=rows)
    at_most = LONGEST_SECONDS if left is None else min(LONGEST_SECONDS, TIME_SHARE * left)
    step = step_for(deps, deps.journal.attempt(settled.winner), "importance.predict", at_most=at_most)
    execution = await evaluation.predict(
        deps, step, workspace.resolve(settled.scored_model), workspace.stage(stacked, labelled=False)
    )
    if not execution.ok:
        return base
    try:
        predictions = evaluation.read(deps, execution, len(stacked))
    except InvalidPredictions:
        return base
    found = await deps.blocking.host(importance_from, predictions, layout, held[1], workspace.metric)
    return base.model_copy(update={"importance": tuple(found)})
