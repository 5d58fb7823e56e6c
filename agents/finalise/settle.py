"""Who is delivered: candidates are fitted and checked one after the other until one stands."""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.baselines import baselines, holdout_part, holdout_score
from open_autoglm.agents.finalise.checks import check_reproduced, check_scored_bytes, check_shipped_agrees
from open_autoglm.agents.finalise.models import FittedModel, fit_scored, fit_shipped
from open_autoglm.agents.finalise.winner import candidates
from open_autoglm.agents.outcome import Baseline
from open_autoglm.tools.export.story import Check
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions
from open_autoglm.tools.metrics.statistics import bootstrap_interval

CHECK_SHARE = 0.5
"""A check that fits anew is skipped when it would take more than this share of the time left."""


class Settled(BaseModel):
    """What finalise decided; recorded in the journal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    winner: str
    cv_mean: float | None
    cv_se: float | None
    folds: int
    holdout: float | None = None
    holdout_low: float | None = None
    holdout_high: float | None = None
    holdout_rows: int | None = None
    baseline: Baseline = Baseline()
    scored_model: str
    shipped_model: str
    shipped: Literal["scored", "refitted"]
    checks: list[Check]
    warnings: list[str] = []


async def settle(deps: Deps) -> Settled | None:
    """Return what is delivered, from the journal where it is there; None where nothing could be fitted."""
    recorded = deps.journal.stage("finalise")
    if recorded is not None:
        return Settled.model_validate(recorded) if recorded else None
    rejected: list[str] = []
    for candidate in await candidates(deps):
        settled = await _settle_one(deps, candidate, rejected)
        if settled is not None:
            deps.journal.record_stage("finalise", json.loads(settled.model_dump_json()))
            return settled
    deps.journal.record_stage("finalise", {})
    return None


async def _settle_one(deps: Deps, candidate: Attempt, rejected: list[str]) -> Settled | None:
    scored = await _fit_scored(deps, candidate, rejected)
    if scored is None:
        return None
    checks = [await check_scored_bytes(deps, scored)]
    reproduced, fold_model = await _reproduce(deps, candidate)
    checks.append(reproduced)
    failed = [check for check in checks if check.result == "failed"]
    if failed:
        rejected.append(
            f"{candidate.id} ({candidate.title}) was the favourite and failed a check: {failed[0].sentence}"
        )
        return None
    shipped, agrees, warnings = await _ship(deps, scored, fold_model)
    checks.append(agrees)
    low, high = _interval(deps, scored)
    held = deps.workspace.holdout()
    complete = len(candidate.fold_scores) == len(deps.workspace.plan.folds)
    if not complete:
        warnings.append(
            f"No attempt was finished on all folds: the winner was scored on {len(candidate.fold_scores)} of "
            f"{len(deps.workspace.plan.folds)}. More time gives a better founded choice: autoglm resume {deps.workspace.root} --time 10m"
        )
    return Settled(
        winner=candidate.id,
        cv_mean=candidate.mean,
        cv_se=candidate.standard_error,
        folds=len(candidate.fold_scores),
        holdout=None if held is None else holdout_score(deps, scored),
        holdout_low=low,
        holdout_high=high,
        holdout_rows=None if held is None else len(held[0]),
        baseline=await baselines(deps, scored),
        scored_model=scored.reference,
        shipped_model=shipped.reference,
        shipped="scored" if shipped is scored else "refitted",
        checks=checks,
        warnings=[*rejected, *warnings],
    )


async def _fit_scored(deps: Deps, candidate: Attempt, rejected: list[str]) -> FittedModel | None:
    try:
        scored = await fit_scored(deps, candidate)
    except InvalidPredictions as error:
        rejected.append(
            f"{candidate.id} ({candidate.title}) was the favourite and its predictions cannot be used: {error}"
        )
        return None
    if scored is None:
        rejected.append(f"{candidate.id} ({candidate.title}) was the favourite and could not be fitted on all rows.")
    return scored


async def _reproduce(deps: Deps, candidate: Attempt) -> tuple[Check, Predictions | None]:
    if not candidate.fold_scores or not _time_for(deps, candidate):
        return Check(letter="c", result="skipped", sentence="No time was left to fit the code anew."), None
    return await check_reproduced(deps, candidate)


def _time_for(deps: Deps, candidate: Attempt) -> bool:
    left = deps.budget.seconds_left
    return left is None or (candidate.number("fit_seconds") or 0.0) <= CHECK_SHARE * left


async def _ship(
    deps: Deps, scored: FittedModel, fold_model: Predictions | None
) -> tuple[FittedModel, Check, list[str]]:
    """Refit on all rows where that is wanted and there is time; return what ships."""
    skipped = Check(
        letter="d", result="skipped", sentence="The scored model itself ships: there is nothing to compare."
    )
    all_rows_seen = len(deps.workspace.plan.holdout) == 0
    if not deps.workspace.options.refit or all_rows_seen:
        return scored, skipped, []
    if not _time_for(deps, scored.attempt):
        return scored, skipped, ["No time was left to refit on all rows: the scored model ships."]
    try:
        shipped = await fit_shipped(deps, scored.attempt)
    except InvalidPredictions:
        shipped = None
    if shipped is None:
        return scored, skipped, ["The model could not be refitted on all rows: the scored model ships."]
    agrees = check_shipped_agrees(deps, scored, shipped, fold_model)
    if agrees.result == "failed":
        return scored, agrees, [f"{agrees.sentence} So the scored model ships."]
    return shipped, agrees, []


def _interval(deps: Deps, scored: FittedModel) -> tuple[float | None, float | None]:
    held = deps.workspace.holdout()
    if held is None:
        return None, None
    workspace = deps.workspace
    return bootstrap_interval(workspace.metric, held[1], holdout_part(deps, scored.predictions), workspace.options.seed)
