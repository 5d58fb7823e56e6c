"""Who wins: the best score, told from luck by another seed; among equals the one that is cheaper to predict."""

import numpy as np

from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.rerun import rerun_best, with_rerun
from open_autoglm.agents.finalise.wishes import has_wishes
from open_autoglm.tools.metrics.statistics import within_one_standard_error

CANDIDATES = 5
CANDIDATES_FOR_WISHES = 25
"""Where a fast or a small model is wished for, the one that is may stand far behind the best."""
CLEARLY_CHEAPER = 0.5
"""Among equals a cheaper one must cost so much less: smaller differences are noise of the clock."""


async def candidates(deps: Deps) -> list[Attempt]:
    """Return who may win, the favourite first; incomplete attempts only where nothing is complete."""
    best = deps.journal.best_attempts(
        greater_is_better=deps.workspace.metric.greater_is_better,
        count=CANDIDATES_FOR_WISHES if has_wishes(deps) else CANDIDATES,
    )
    if not best:
        return _incomplete(deps)
    await rerun_best(deps, best)
    return _in_order(deps, [with_rerun(deps, attempt) for attempt in best])


def _incomplete(deps: Deps) -> list[Attempt]:
    """Return attempts with at least one graded fold, those with most folds first: better than nothing, and said so."""
    started = [attempt for attempt in deps.journal.attempts(AttemptStatus.STOPPED) if attempt.fold_scores]
    sign = _sign(deps)
    started.sort(key=lambda attempt: (-len(attempt.fold_scores), -sign * float(np.mean(attempt.fold_scores))))
    return started[:CANDIDATES]


def _in_order(deps: Deps, rivals: list[Attempt]) -> list[Attempt]:
    sign = _sign(deps)
    rivals = sorted(rivals, key=lambda attempt: (-sign * (attempt.mean or 0.0), attempt.id))
    equals = within_one_standard_error(
        {rival.id: rival.fold_scores for rival in rivals}, greater_is_better=deps.workspace.metric.greater_is_better
    )
    favourite = rivals[0]
    for rival in rivals:
        cheaper = _cost(deps, rival) < CLEARLY_CHEAPER * _cost(deps, favourite)
        if rival.id in equals and cheaper and _reaches_target(deps, rival) >= _reaches_target(deps, favourite):
            favourite = rival
    return [favourite, *[rival for rival in rivals if rival.id != favourite.id]]


def _sign(deps: Deps) -> int:
    return 1 if deps.workspace.metric.greater_is_better else -1


def _reaches_target(deps: Deps, attempt: Attempt) -> bool:
    wished = deps.workspace.options.target_score
    return wished is None or (attempt.mean is not None and _sign(deps) * attempt.mean >= _sign(deps) * wished)


def _cost(deps: Deps, attempt: Attempt) -> float:
    """Cost of a prediction. Under a budget in attempts it is the model's size, which does not vary from run to run."""
    name = "model_bytes" if deps.budget.spec.seconds is None else "predict_seconds"
    return attempt.number(name) or float("inf")
