"""How each operator gets its code written."""

import ast
from dataclasses import replace

from pydantic import JsonValue

from open_autoglm.agents import scoring
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.briefing import brief, past
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.strategist import Operator
from open_autoglm.events import Json
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.tools.tuning import Trial, suggest

ENSEMBLE_FIT_SHARE = 0.1
"""Share of a budget in seconds that fitting all members of an ensemble once may take: finalise does it three times."""


async def write_bundle(attempt: Attempt, deps: Deps) -> Attempt | None:
    """Write the code of a reserved pick into the journal; None where the strategist has nothing (left) to write."""
    if attempt.operator is Operator.TUNE:
        return await _write_trial(attempt, deps)
    bundle = await _bundle(attempt, deps)
    if bundle is None:
        return None
    if deps.journal.twin(attempt, bundle.content_hash) is not None:
        return None  # the loop guard: the same code was written before
    deps.journal.save_bundle(attempt.id, bundle)
    return deps.journal.attempt(attempt.id)


async def _bundle(attempt: Attempt, deps: Deps) -> CodeBundle | None:
    order = brief(deps, seed=attempt.seed)
    if attempt.operator is Operator.DRAFT:
        return await deps.strategist.draft(order, attempt.slot)
    if attempt.operator is Operator.IMPROVE:
        return await deps.strategist.improve(order, past(deps, deps.journal.attempt(attempt.parents[0])))
    return await _write_merge(attempt, deps)


async def _write_merge(attempt: Attempt, deps: Deps) -> CodeBundle | None:
    deps.journal.set_meta("scored_at_last_merge", str(_scored(deps)))
    parents = [deps.journal.attempt(parent) for parent in attempt.parents]
    members = affordable(
        [parent for parent in parents if parent.rows is None], deps
    )  # an ensemble fits each on all rows
    if len(members) < 2:  # two make an ensemble
        return None
    weights = await deps.blocking.host(scoring.ensemble_weights, deps, members)
    chosen = {name: weight for name, weight in weights.items() if weight > 0}
    if len(chosen) < 2:  # the best alone is already there
        return None
    deps.journal.update(replace(attempt, detail={"weights": chosen}))
    written = [past(deps, member) for member in members if member.id in chosen]
    return await deps.strategist.merge(brief(deps, seed=attempt.seed), written, chosen)


def affordable(candidates: list[Attempt], deps: Deps) -> list[Attempt]:
    """Return the candidates, best first, that can all be fitted within the share of the budget for it."""
    if deps.budget.spec.seconds is None:
        return candidates
    left = ENSEMBLE_FIT_SHARE * deps.budget.spec.seconds
    members: list[Attempt] = []
    for candidate in candidates:
        cost = candidate.number("fit_seconds") or 0.0
        if cost <= left or not members:
            members.append(candidate)
            left -= cost
    return members


def _scored(deps: Deps) -> int:
    picks = deps.journal.picks()
    return sum(
        n for operator, status, _, n in picks if status is AttemptStatus.SCORED and operator is not Operator.MERGE
    )


async def _write_trial(attempt: Attempt, deps: Deps) -> Attempt | None:
    parent = deps.journal.attempt(attempt.parents[0])
    space = await deps.strategist.propose_space(brief(deps, seed=attempt.seed), past(deps, parent))
    if space is None or parent.bundle is None:
        return None
    bundle = deps.journal.bundle(parent.bundle)
    async with deps.suggesting:
        params = await deps.blocking.host(
            suggest,
            space,
            _trials(attempt, parent, deps),
            greater_is_better=deps.workspace.metric.greater_is_better,
            seed=deps.workspace.options.seed,
        )
        merged: dict[str, Json] = {**(parent.params or {}), **params}
        deps.journal.update(replace(attempt, params=merged))
    deps.journal.save_bundle(attempt.id, bundle)
    written = deps.journal.attempt(attempt.id)
    if deps.journal.twin(written, bundle.content_hash) is not None:
        return None
    return written


def _trials(attempt: Attempt, parent: Attempt, deps: Deps) -> list[Trial]:
    """Return what is known of the space: the parent with its own PARAMS, then its trials."""
    family = [
        other for other in deps.journal.trials_of(parent.id) if other.id != attempt.id and other.params is not None
    ]
    return [
        Trial(params=effective_params(parent, deps), value=parent.mean),
        *[
            Trial(params=effective_params(other, deps), value=other.mean, pending=other.status is AttemptStatus.RUNNING)
            for other in family
        ],
    ]


def effective_params(attempt: Attempt, deps: Deps) -> dict[str, JsonValue]:
    """Return the PARAMS that the attempt ran with: the bundle's literal, and what a trial set."""
    assert attempt.bundle is not None, "only written attempts have parameters"
    literal = deps.journal.bundle(attempt.bundle).metadata.params
    own = {} if literal is None else ast.literal_eval(literal)
    return {**own, **(attempt.params or {})}
