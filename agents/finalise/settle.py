"""Who is delivered: candidates are fitted and checked one after the other until one stands."""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.briefing import SLOWER_ON_ALL_ROWS
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.baselines import baselines, holdout_part
from open_autoglm.agents.finalise.checks import check_reproduced, check_scored_bytes, check_shipped_agrees
from open_autoglm.agents.finalise.models import FittedModel, affordable_rows, fit_scored, fit_shipped, seconds_for_one
from open_autoglm.agents.finalise.winner import candidates
from open_autoglm.agents.finalise.wishes import measure, meets_wishes
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.outcome import Baseline
from open_autoglm.tools.export.story import Check
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions
from open_autoglm.tools.metrics.statistics import bootstrap_interval
from open_autoglm.tools.places import how_to_resume
from open_autoglm.tools.words.overheard import overheard

CHECK_SHARE = 0.5
"""A check that fits anew is skipped when it would take more than this share of the time left."""


class Settled(BaseModel):
    """What finalise decided; recorded in the journal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    winner: str
    cv_mean: float | None
    cv_se: float | None
    folds: int
    seeds: int = 1
    """How many seeds `cv_mean` is the mean over."""
    holdout: float | None = None
    holdout_low: float | None = None
    holdout_high: float | None = None
    holdout_rows: int | None = None
    baseline: Baseline = Baseline()
    scored_model: str
    shipped_model: str
    shipped: Literal["scored", "refitted"]
    model_mb: float
    """Size of `shipped_model`."""
    latency_ms: float | None = None
    """What one row alone takes, as claimed by the runtime; None where nobody asked."""
    checks: list[Check]
    warnings: list[str] = []


def settled_in(journal: Journal) -> Settled | None:
    """Return what finalise decided; None where it has not ended, or nothing could be delivered."""
    recorded = journal.stage("finalise")
    return Settled.model_validate(recorded) if recorded and "winner" in recorded else None


async def settle(deps: Deps) -> Settled | None:
    """Return what is delivered, from the journal where it is there; None where nothing stood the checks."""
    if deps.journal.stage("finalise") is not None:
        return settled_in(deps.journal)
    rejected: list[str] = []
    settled = await _first_that_stands(deps, await candidates(deps), rejected)
    found = {"warnings": rejected} if settled is None else json.loads(settled.model_dump_json())
    deps.journal.record_stage("finalise", found)
    return settled


async def _first_that_stands(deps: Deps, rivals: list[Attempt], rejected: list[str]) -> Settled | None:
    """Settle on the first that passes the checks; those that miss a wish come after all others."""
    late: list[Attempt] = []
    for candidate in rivals:
        if not await meets_wishes(deps, candidate):
            late.append(candidate)
        elif (settled := await _settle_one(deps, candidate, rivals, rejected)) is not None:
            return settled
    for candidate in late:
        if (settled := await _settle_one(deps, candidate, rivals, rejected)) is not None:
            return settled
    return None


async def _settle_one(deps: Deps, candidate: Attempt, rivals: list[Attempt], rejected: list[str]) -> Settled | None:
    scored = await _fit_scored(deps, candidate, rivals, rejected)
    if scored is None:
        return None
    checks = [await check_scored_bytes(deps, scored)]
    reproduced, fold_model = await _reproduce(deps, candidate)
    checks.append(reproduced)
    failed = [check for check in checks if check.result == "failed"]
    if failed:
        rejected.append(
            deps.say(
                "{attempt} was the favourite and failed a check: {sentence}",
                attempt=_name(candidate),
                sentence=failed[0].sentence,
            )
        )
        return None
    try:
        figures = await deps.blocking.host(_holdout_figures, deps, scored)
    except InvalidPredictions as error:
        rejected.append(
            deps.say(
                "{attempt} was the favourite and its predictions cannot be used: {error}",
                attempt=_name(candidate),
                error=overheard(str(error), deps.say),
            )
        )
        return None
    shipped, agrees, warnings = await _ship(deps, scored, fold_model)
    measured = await measure(deps, shipped)
    return Settled(
        winner=candidate.id,
        cv_mean=candidate.mean,
        cv_se=candidate.standard_error,
        folds=len(candidate.fold_scores),
        seeds=int(candidate.number("seeds") or 1),
        **figures,
        baseline=await baselines(deps, scored),
        scored_model=scored.reference,
        shipped_model=shipped.reference,
        shipped="scored" if shipped is scored else "refitted",
        model_mb=measured.model_mb,
        latency_ms=measured.latency_ms,
        checks=[*checks, agrees],
        warnings=[*rejected, *warnings, *_incomplete(deps, candidate), *_sampled(deps, candidate)],
    )


def _name(candidate: Attempt) -> str:
    return f"{candidate.id} ({candidate.title})"


def _incomplete(deps: Deps, candidate: Attempt) -> list[str]:
    made, wanted = len(candidate.fold_scores), len(deps.workspace.plan.folds)
    if made == wanted:
        return []
    return [
        deps.say(
            "No attempt was finished on all folds: the winner was scored on {made} of {wanted}. More time gives a better founded choice: {command}",
            made=made,
            wanted=wanted,
            command=how_to_resume(deps.workspace.root, "--time 10m"),
        )
    ]


def _sampled(deps: Deps, candidate: Attempt) -> list[str]:
    """Say so where the folds, and perhaps the model, learned from a part of the rows."""
    if candidate.rows is None:
        return []
    whole, own = len(deps.workspace.plan.folds[0].train), len(deps.workspace.search_rows)
    learned = affordable_rows(deps, candidate, "scored", own)
    return [
        deps.say(
            "To have a model in time, each fold learned from {sample} of {fold_rows} rows, and the delivered model from {learned} of {rows}. "
            "More time lets it learn from all: {command}",
            sample=candidate.rows,
            fold_rows=whole,
            learned=learned or own,
            rows=own,
            command=how_to_resume(deps.workspace.root, "--time 10m"),
        )
    ]


def _holdout_figures(deps: Deps, scored: FittedModel) -> dict[str, Any]:
    """Return score, bounds and rows of the holdout by the names of `Settled`; empty without one."""
    workspace = deps.workspace
    held = workspace.holdout()
    if held is None:
        return {}
    answers = holdout_part(deps, scored.predictions)
    low, high = bootstrap_interval(workspace.metric, held[1], answers, workspace.options.seed)
    return {
        "holdout": workspace.metric.score(held[1], answers, workspace.classes),
        "holdout_low": low,
        "holdout_high": high,
        "holdout_rows": len(held[0]),
    }


async def _fit_scored(deps: Deps, candidate: Attempt, rivals: list[Attempt], rejected: list[str]) -> FittedModel | None:
    at_most = _seconds_for(deps, candidate, rivals)
    if at_most is None:
        rejected.append(
            deps.say(
                "{attempt} was the favourite and there was no time left to fit it on all rows.",
                attempt=_name(candidate),
            )
        )
        return None
    try:
        scored = await fit_scored(deps, candidate, at_most=at_most)
    except InvalidPredictions as error:
        rejected.append(
            deps.say(
                "{attempt} was the favourite and its predictions cannot be used: {error}",
                attempt=_name(candidate),
                error=overheard(str(error), deps.say),
            )
        )
        return None
    if scored is None:
        rejected.append(
            deps.say("{attempt} was the favourite and could not be fitted on all rows.", attempt=_name(candidate))
        )
    return scored


def _seconds_for(deps: Deps, candidate: Attempt, rivals: list[Attempt]) -> float | None:
    """Return how long the fit of a candidate may take, so that time stays for the cheapest one; None where it has none."""
    available, own = seconds_for_one(deps), _fit_seconds(candidate)
    cheapest = min(map(_fit_seconds, rivals))
    if own > available and own > cheapest:
        return None
    spare = 0.0 if own == cheapest else SLOWER_ON_ALL_ROWS * cheapest + 1.0
    return max(available - spare, min(available, SLOWER_ON_ALL_ROWS * own))


def _fit_seconds(attempt: Attempt) -> float:
    return attempt.number("fit_seconds") or 0.0


async def _reproduce(deps: Deps, candidate: Attempt) -> tuple[Check, Predictions | None]:
    if not candidate.fold_scores or not _time_for(deps, candidate):
        return Check(letter="c", result="skipped", sentence=deps.say("No time was left to fit the code anew.")), None
    return await check_reproduced(deps, candidate)


def _time_for(deps: Deps, candidate: Attempt) -> bool:
    left = deps.budget.seconds_left
    return left is None or _fit_seconds(candidate) <= CHECK_SHARE * left


async def _ship(
    deps: Deps, scored: FittedModel, fold_model: Predictions | None
) -> tuple[FittedModel, Check, list[str]]:
    """Refit on all rows where that is wanted and there is time; return what ships."""
    skipped = Check(
        letter="d", result="skipped", sentence=deps.say("The scored model itself ships: there is nothing to compare.")
    )
    all_rows_seen = len(deps.workspace.plan.holdout) == 0
    if not deps.workspace.options.refit or all_rows_seen or scored.attempt.rows is not None:
        return scored, skipped, []
    if not _time_for(deps, scored.attempt):
        return scored, skipped, [deps.say("No time was left to refit on all rows: the scored model ships.")]
    try:
        shipped = await fit_shipped(deps, scored.attempt)
    except InvalidPredictions:
        shipped = None
    if shipped is None:
        return scored, skipped, [deps.say("The model could not be refitted on all rows: the scored model ships.")]
    agrees = check_shipped_agrees(deps, scored, shipped, fold_model)
    if agrees.result == "failed":
        return scored, agrees, [deps.say("{sentence} So the scored model ships.", sentence=agrees.sentence)]
    return shipped, agrees, []
