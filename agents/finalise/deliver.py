"""Hands the winner over: the usable files first, then check (b) on their bytes, then what explains them."""

import json
from pathlib import Path

import numpy as np

from open_autoglm.agents.deps import Deps
from open_autoglm.agents.evaluation import RecordedSession
from open_autoglm.agents.finalise.checks import check_shipped_bytes
from open_autoglm.agents.finalise.diagnose import diagnostics
from open_autoglm.agents.finalise.settle import Settled, settled_in
from open_autoglm.agents.finalise.wishes import size_mb
from open_autoglm.agents.ingest import input_schema
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.storytelling import story_of
from open_autoglm.errors import InputError
from open_autoglm.sandbox.base import Limits
from open_autoglm.sandbox.launch import INSIDE
from open_autoglm.tools.export.delivery import PREDICTIONS, Delivery, deliver_model, deliver_predictions, deliver_rest
from open_autoglm.tools.export.manifest import load_manifest, verify
from open_autoglm.tools.export.story import Diagnostics
from open_autoglm.tools.task import SourceRole

RUNTIME = INSIDE / "runtime" / "runtime.py"
UNLIMITED_SECONDS = 1e9


async def deliver(deps: Deps, reason: StopReason) -> None:
    """Write a usable deliverable and check its bytes (b); where they fail, the scored model takes its place.

    Predictions of the rows that the user gave for it come right after, before anything explains the model.
    """
    if deps.journal.stage("export") is not None:
        if await deps.blocking.host(is_whole, deps.workspace.deliverable):
            return
        deps.journal.forget_stages(["explain"])  # it goes with the folder that is replaced
    settled = await _delivered(deps, _settled(deps), reason)
    check = settled.checks[-1]
    if check.result == "failed" and settled.shipped == "refitted":
        size = size_mb(deps, settled.scored_model)
        scored = settled.model_copy(
            update={"shipped_model": settled.scored_model, "shipped": "scored", "model_mb": size}
        )
        settled = _warned(
            await _delivered(deps, scored, reason),
            deps.say("{sentence} So the scored model ships.", sentence=check.sentence),
        )
        check = settled.checks[-1]
    if check.result == "failed":
        settled = _warned(settled, check.sentence)
    settled = settled.model_copy(update={"checks": sorted(settled.checks, key=lambda c: c.letter)})
    deps.journal.record_stage("finalise", json.loads(settled.model_dump_json()))
    delivery = _delivery(deps, settled, reason, Diagnostics())
    session = RecordedSession(deps=deps, attempt=settled.winner)
    odd = await deps.blocking.host(deliver_predictions, delivery, session, lambda: _left(deps))
    deps.journal.record_stage("export", {"shipped": settled.shipped, "warnings": list(odd)})


async def _delivered(deps: Deps, settled: Settled, reason: StopReason) -> Settled:
    """Write the usable files; return what was settled with check (b) on them last."""
    await deps.blocking.host(deliver_model, _delivery(deps, settled, reason, Diagnostics()))
    attempt = deps.journal.attempt(settled.winner)
    check = await check_shipped_bytes(deps, attempt, "shipped" if settled.shipped == "refitted" else "scored")
    return settled.model_copy(update={"checks": [*[c for c in settled.checks if c.letter != "b"], check]})


def _warned(settled: Settled, text: str) -> Settled:
    """Return what was settled with a warning; one that is there already, from before a kill, is not repeated."""
    return settled.model_copy(update={"warnings": list(dict.fromkeys([*settled.warnings, text]))})


def is_whole(deliverable: Path) -> bool:
    """Whether code and model of a deliverable are what its manifest says."""
    try:
        verify(deliverable, load_manifest(deliverable).running)
    except InputError:
        return False
    return True


async def explain(deps: Deps, reason: StopReason) -> None:
    """Add report, lock, notebook and cards to the deliverable, as far as the time goes."""
    if deps.journal.stage("explain") is not None:
        return
    settled = _settled(deps)
    delivery = _delivery(deps, settled, reason, await diagnostics(deps, settled))
    session = RecordedSession(deps=deps, attempt=settled.winner)
    result = await deps.blocking.host(deliver_rest, delivery, session, lambda: _left(deps))
    missing = [deps.say("Left out: {part}.", part=part) for part in result.left_out if part.startswith(PREDICTIONS)]
    warnings = list(dict.fromkeys([*result.warnings, *missing]))
    story = delivery.story.model_copy(
        update={"left_out": result.left_out, "warnings": (*delivery.story.warnings, *warnings)}
    )
    await deps.blocking.host(story.save, deps.workspace.root / "story.json")
    deps.journal.record_stage("explain", {"left_out": list(result.left_out), "warnings": warnings})


def _left(deps: Deps) -> float:
    left = deps.budget.seconds_left
    return UNLIMITED_SECONDS if left is None else left


def _settled(deps: Deps) -> Settled:
    settled = settled_in(deps.journal)
    assert settled is not None, "there is a winner"
    return settled


def _delivery(deps: Deps, settled: Settled, reason: StopReason, found: Diagnostics) -> Delivery:
    workspace = deps.workspace
    attempt = deps.journal.attempt(settled.winner)
    assert attempt.bundle is not None, "a winner has code"
    left = deps.budget.seconds_left
    return Delivery(
        directory=workspace.root,
        run_id=workspace.run_id,
        task=workspace.task,
        schema=input_schema(workspace),
        classes=workspace.classes,
        bundle=deps.journal.bundle(attempt.bundle),
        params=attempt.params,
        seed=attempt.seed,
        model=workspace.resolve(settled.shipped_model),
        scored_model=workspace.resolve(settled.scored_model),
        story=story_of(deps, settled, reason, found),
        runtime_source=RUNTIME.read_text(encoding="utf-8"),
        training_table=workspace.staged("shipped", np.arange(len(workspace.train)), labelled=True),
        new_rows=workspace.table(SourceRole.PREDICT),
        sample_submission=workspace.table(SourceRole.SAMPLE_SUBMISSION),
        fit_seconds=attempt.number("fit_seconds") or 1.0,
        pace=deps.budget.pace,
        limits=Limits(
            wall_seconds=600.0 if left is None else max(1.0, left), memory_bytes=deps.memory_bytes, cpus=deps.n_jobs
        ),
    )
