"""The best, evaluated once more with another seed: that tells skill from luck before the winner is named."""

from dataclasses import replace

from open_autoglm.agents import scoring
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.folds import run_fold
from open_autoglm.agents.strategist import Operator
from open_autoglm.sandbox.report import failure_line
from open_autoglm.tools.metrics.predictions import InvalidPredictions
from open_autoglm.tools.metrics.statistics import mean_and_error

RERUN_TOP = 2
RERUN_SHARE = 0.1
"""Share of a budget in seconds that re-running the best with another seed may take."""
SLOWER = 5.0
"""How many times longer than before an execution may take."""
SHORTEST_SECONDS = 2.0
LONGEST_SECONDS = 3600.0


async def rerun_best(deps: Deps, best: list[Attempt]) -> None:
    """Evaluate the best once more with another seed, as far as the time for it goes.

    Ensembles are left as they are: their weights know the truth of every fold, so that only the cross-fitted score of the
    search is honest.
    """
    for attempt in [attempt for attempt in best if attempt.operator is not Operator.MERGE][:RERUN_TOP]:
        again = deps.journal.rerun_of(attempt.id)
        if again is None and _affordable(deps, attempt):
            again = deps.journal.reserve(
                worker=0, operator=Operator.RERUN, slot=0, parents=[attempt.id], seed=attempt.seed + 1
            )
        if again is not None and again.status is AttemptStatus.RUNNING:
            await _evaluate(deps, attempt, again)


def with_rerun(deps: Deps, attempt: Attempt) -> Attempt:
    """Return the attempt with the mean over its seeds, fold by fold; a failed rerun speaks against nothing but itself."""
    again = deps.journal.rerun_of(attempt.id)
    if again is None or again.status is not AttemptStatus.SCORED:
        return attempt
    scores = [(a + b) / 2 for a, b in zip(attempt.fold_scores, again.fold_scores, strict=True)]
    mean, error = mean_and_error(scores)
    detail = {**attempt.detail, "fold_scores": list(scores), "seeds": 2}
    return replace(attempt, mean=mean, standard_error=error, detail=detail)


def _affordable(deps: Deps, attempt: Attempt) -> bool:
    if deps.stop.requested or attempt.rows is not None:
        return False
    if deps.budget.spec.seconds is None:
        return True
    once = 1.2 * ((attempt.number("fit_seconds") or 0.0) + (attempt.number("predict_seconds") or 0.0)) + 0.1
    cost = len(deps.workspace.plan.folds) * once
    return cost <= min(RERUN_SHARE * deps.budget.spec.seconds, 0.5 * max(0.0, _spare_seconds(deps, attempt)))


def _spare_seconds(deps: Deps, attempt: Attempt) -> float:
    """Seconds left beside what delivering this attempt takes; half of the reserve is for what explains it."""
    left = deps.budget.seconds_left
    if left is None:
        return LONGEST_SECONDS
    return left - 0.5 * deps.budget.reserve_seconds(attempt.number("fit_seconds"))


async def _evaluate(deps: Deps, attempt: Attempt, again: Attempt) -> None:
    """Execute and score all folds; what the user stops stays unfinished."""
    again = replace(again, bundle=attempt.bundle, params=attempt.params, title=attempt.title)
    wanted = max(SHORTEST_SECONDS, SLOWER * (attempt.number("fit_seconds") or LONGEST_SECONDS))
    problem = ""
    for number in range(len(deps.workspace.plan.folds)):
        if deps.stop.requested:
            return
        failed = await run_fold(
            again, number, deps, lambda: min(wanted, max(SHORTEST_SECONDS, _spare_seconds(deps, attempt)))
        )
        problem = failure_line(failed.report) if failed is not None else await _graded(deps, again, number)
        if problem:
            break
    deps.journal.update(scoring.close(deps, again, problem))


async def _graded(deps: Deps, again: Attempt, number: int) -> str:
    """Score a fold; return what is wrong with its predictions, if anything."""
    try:
        await deps.blocking.host(scoring.score_fold, deps, again, number)
    except InvalidPredictions as error:
        return str(error)
    return ""
