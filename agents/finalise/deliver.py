"""Hands the winner over: the usable files first, then check (b) on their bytes, then what explains them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from open_autoglm import sandbox
from open_autoglm.agents import evaluation
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.baselines import holdout_part
from open_autoglm.agents.finalise.checks import check_shipped_bytes
from open_autoglm.agents.finalise.models import predict_watched, step_for, watched_rows
from open_autoglm.agents.finalise.settle import Settled
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.storytelling import story_of
from open_autoglm.sandbox.base import Limits
from open_autoglm.tools.data.schema import InputSchema
from open_autoglm.tools.export.delivery import Delivery, deliver_model, deliver_rest
from open_autoglm.tools.export.diagnostics import calibration, confusion, residuals, roc_curve
from open_autoglm.tools.export.importance import importance_from, permuted_rows
from open_autoglm.tools.export.story import Diagnostics
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions
from open_autoglm.tools.task import SourceRole

RUNTIME = Path(sandbox.__file__).parent / "runtime" / "runtime.py"
IMPORTANCE_ROWS = 300
FEWEST_IMPORTANCE_ROWS = 50
STACKED_ROWS = 30_000
"""Rows of the one table that holds every permutation: with many columns there are fewer rows for each."""
UNLIMITED_SECONDS = 1e9


async def deliver(deps: Deps, reason: StopReason) -> None:
    """Write a usable deliverable and check its bytes (b); where they fail, the scored model takes its place."""
    settled = _settled(deps)
    if deps.journal.stage("export") is not None and deps.workspace.deliverable.is_dir():
        return
    await deps.blocking.host(deliver_model, _delivery(deps, settled, reason, Diagnostics()))
    attempt = deps.journal.attempt(settled.winner)
    name = "shipped" if settled.shipped == "refitted" else "scored"
    fitted = deps.journal.execution(attempt.id, f"{name}.fit", 0)
    assert fitted is not None, "what ships was fitted"
    model = await predict_watched(deps, attempt, name, fitted)
    assert model is not None, "what ships has predicted"
    check = await check_shipped_bytes(deps, model)
    settled = settled.model_copy(update={"checks": sorted([*settled.checks, check], key=lambda c: c.letter)})
    if check.result == "failed" and settled.shipped == "refitted":
        settled = settled.model_copy(
            update={
                "shipped_model": settled.scored_model,
                "shipped": "scored",
                "warnings": [*settled.warnings, f"{check.sentence} So the scored model ships."],
            }
        )
        await deps.blocking.host(deliver_model, _delivery(deps, settled, reason, Diagnostics()))
    elif check.result == "failed":
        settled = settled.model_copy(update={"warnings": [*settled.warnings, check.sentence]})
    deps.journal.record_stage("finalise", json.loads(settled.model_dump_json()))
    deps.journal.record_stage("export", {"shipped": settled.shipped})


async def explain(deps: Deps, reason: StopReason) -> None:
    """Add report, lock, notebook and cards to the deliverable, as far as the time goes."""
    if deps.journal.stage("explain") is not None:
        return
    settled = _settled(deps)
    delivery = _delivery(deps, settled, reason, await _diagnostics(deps, settled))
    delivery.story.save(deps.workspace.root / "story.json")
    result = await deps.blocking.host(deliver_rest, delivery, deps.session, lambda: _left(deps))
    story = delivery.story.model_copy(update={"left_out": result.left_out})
    story.save(deps.workspace.root / "story.json")
    deps.journal.record_stage("explain", {"left_out": list(result.left_out), "warnings": list(result.warnings)})


def _left(deps: Deps) -> float:
    left = deps.budget.seconds_left
    return UNLIMITED_SECONDS if left is None else left


def _settled(deps: Deps) -> Settled:
    return Settled.model_validate(deps.journal.stage("finalise"))


def _delivery(deps: Deps, settled: Settled, reason: StopReason, diagnostics: Diagnostics) -> Delivery:
    workspace = deps.workspace
    attempt = deps.journal.attempt(settled.winner)
    assert attempt.bundle is not None, "a winner has code"
    source = next(source for source in workspace.task.sources if source.role is SourceRole.TRAIN)
    left = deps.budget.seconds_left
    return Delivery(
        directory=workspace.root,
        run_id=workspace.run_id,
        task=workspace.task,
        schema=InputSchema.of(workspace.train, workspace.task, source),
        classes=workspace.classes,
        bundle=deps.journal.bundle(attempt.bundle),
        params=attempt.params,
        seed=attempt.seed,
        model=workspace.resolve(settled.shipped_model),
        scored_model=workspace.resolve(settled.scored_model),
        story=story_of(deps, settled, reason, diagnostics),
        runtime_source=RUNTIME.read_text(encoding="utf-8"),
        training_table=workspace.staged("shipped", np.arange(len(workspace.train)), labelled=True),
        new_rows=workspace.table(SourceRole.PREDICT),
        sample_submission=workspace.table(SourceRole.SAMPLE_SUBMISSION),
        fit_seconds=attempt.number("fit_seconds") or 1.0,
        limits=Limits(
            wall_seconds=600.0 if left is None else max(1.0, left), memory_bytes=deps.memory_bytes, cpus=deps.n_jobs
        ),
    )


async def _diagnostics(deps: Deps, settled: Settled) -> Diagnostics:
    """Look at where the scored model is right and wrong: on the holdout, or out of fold."""
    attempt = deps.journal.attempt(settled.winner)
    fitted = deps.journal.execution(attempt.id, "scored.fit", 0)
    assert fitted is not None, "the scored model was fitted"
    model = await predict_watched(deps, attempt, "scored", fitted)
    assert model is not None, "the scored model has predicted"
    held = deps.workspace.holdout()
    if held is not None:
        y, predictions, rows_from = held[1], holdout_part(deps, model.predictions), "holdout"
    else:
        found = _fold_predictions(deps, settled)
        if found is None:
            return Diagnostics()
        (y, predictions), rows_from = found, "folds"
    base = await deps.blocking.host(_diagnose, y, predictions, rows_from)
    return await _with_importance(deps, settled, base)


def _diagnose(y: np.ndarray, predictions: Predictions, rows_from: str) -> Diagnostics:
    if not predictions.classes:
        return Diagnostics(rows_from=rows_from, residuals=residuals(y, predictions))
    return Diagnostics(
        rows_from=rows_from,
        confusion=confusion(y, predictions),
        calibration=calibration(y, predictions),
        roc=roc_curve(y, predictions),
    )


def _fold_predictions(deps: Deps, settled: Settled) -> tuple[np.ndarray, Predictions] | None:
    """Return truth and predictions of the first fold that the winner was executed on."""
    attempt = deps.journal.attempt(settled.winner)
    for phase in ("fold.predict", "check-c.predict"):
        execution = deps.journal.execution(attempt.id, phase, 0)
        if execution is not None and execution.ok:
            valid = deps.workspace.plan.folds[0].valid
            return deps.workspace.y[valid], evaluation.read(deps, execution, len(valid))
    return None


async def _with_importance(deps: Deps, settled: Settled, base: Diagnostics) -> Diagnostics:
    """Add permutation importance on rows that the scored model was not fitted on, where there are any."""
    workspace = deps.workspace
    frame, holdout, _ = watched_rows(deps)
    if holdout == 0:
        return base
    held = workspace.holdout()
    assert held is not None, "there are holdout rows"
    columns = [
        c
        for c in frame.columns
        if c not in {workspace.task.target, *workspace.task.columns.id, *workspace.task.columns.dropped}
    ]
    rows = min(IMPORTANCE_ROWS, STACKED_ROWS // (3 * max(1, len(columns))))
    if rows < FEWEST_IMPORTANCE_ROWS or _left(deps) < 3.0:
        return base
    stacked, layout = permuted_rows(held[0], columns, seed=workspace.options.seed, repeats=3, rows=rows)
    attempt = deps.journal.attempt(settled.winner)
    step = replace(step_for(deps, attempt, "importance.predict"), seconds=max(1.0, min(30.0, 0.4 * _left(deps))))
    execution = await evaluation.predict(
        deps, step, workspace.resolve(settled.scored_model), workspace.stage(stacked, labelled=False)
    )
    if not execution.ok:
        return base
    try:
        predictions = evaluation.read(deps, execution, len(stacked))
    except InvalidPredictions:
        return base
    found = importance_from(predictions, layout, held[1], workspace.metric)
    return base.model_copy(update={"importance": tuple(found)})
