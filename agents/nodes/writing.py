"""How each operator gets its code written."""

import ast
from dataclasses import replace

from pydantic import JsonValue

from open_autoglm.agents import guard, scoring
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.briefing import brief, past
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.search.view import picks_made
from open_autoglm.agents.strategist import Operator, Refusal
from open_autoglm.events import Json
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.tuning import Trial, suggest

TIMES_ASKED = 2
"""How often a model is asked for code that is new: once more, with what was refused named to it."""
ENSEMBLE_FIT_SHARE = 0.1
"""Share of a budget in seconds that fitting all members of an ensemble once may take: finalise does it three times."""


async def write_bundle(attempt: Attempt, deps: Deps) -> Attempt | None:
    """Write the code of a reserved pick into the journal.

    None where the strategist has nothing (left) to write; failed where a model wrote only what is there already.
    """
    if attempt.operator is Operator.TUNE:
        return await _write_trial(attempt, deps)
    refusal = None
    for _ in range(TIMES_ASKED):
        bundle = await _bundle(attempt, deps)
        if bundle is None:
            return None
        refusal = guard.repeated(deps.journal, attempt, bundle)
        if refusal is None:
            edit = guard.edit_of(deps.journal, attempt, bundle)
            deps.journal.save_bundle(attempt.id, bundle, edit=edit)
            return deps.journal.attempt(attempt.id)
        if bundle.author is Author.RECIPES or attempt.operator is Operator.MERGE:
            return None  # there is nothing else: ensembles are written by recipes, whoever wrote their members
        guard.note(deps.journal, refusal)
    assert refusal is not None, "all that was written was refused"
    return _written_in_vain(attempt, refusal, deps)


def _written_in_vain(attempt: Attempt, refusal: Refusal, deps: Deps) -> Attempt:
    """Close an attempt for which only known code was written: it was paid for, but there may be other ideas."""
    failure = deps.say("only what {attempt} holds already was written", attempt=refusal.like)
    failed = replace(attempt, status=AttemptStatus.FAILED, title=refusal.title, failure=failure, reward=0.0)
    deps.journal.update(failed)
    return failed


async def mended_bundle(attempt: Attempt, report: ExecutionReport, problem: str, deps: Deps) -> CodeBundle | None:
    """Have the strategist mend the attempt's code; None where nothing is left to try, or only what was tried comes back."""
    assert attempt.bundle is not None, "only written code is mended"
    broken = deps.journal.bundle(attempt.bundle)
    guard.note_error_again(deps.journal, attempt, problem)
    for _ in range(TIMES_ASKED):
        mended = await deps.strategist.repair(brief(deps, attempt), broken, report)
        refusal = None if mended is None else guard.repeated(deps.journal, attempt, mended)
        if mended is None or refusal is None:
            return mended
        if mended.author is Author.RECIPES:
            return None
        guard.note(deps.journal, refusal)
    return None


async def _bundle(attempt: Attempt, deps: Deps) -> CodeBundle | None:
    order = brief(deps, attempt)
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
    return await deps.strategist.merge(brief(deps, attempt), written, chosen)


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
    return picks_made(deps.journal).scored


async def _write_trial(attempt: Attempt, deps: Deps) -> Attempt | None:
    parent = deps.journal.attempt(attempt.parents[0])
    space = await deps.strategist.propose_space(brief(deps, attempt), past(deps, parent))
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
