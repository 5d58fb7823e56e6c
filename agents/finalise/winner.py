"""Who wins: the best score, told from luck by another seed; among equals the one that is cheaper to predict."""

from dataclasses import replace

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.evaluation import Step
from open_autoglm.agents.strategist import Operator
from open_autoglm.tools.metrics.predictions import InvalidPredictions
from open_autoglm.tools.metrics.statistics import mean_and_error, within_one_standard_error

CANDIDATES = 5
RERUN_TOP = 2
CLEARLY_CHEAPER = 0.5
"""Among equals a cheaper one must cost so much less: smaller differences are noise of the clock."""
RERUN_SHARE = 0.1
"""Share of a budget in seconds that re-running the best with another seed may take."""


async def candidates(deps: Deps) -> list[Attempt]:
    """Return who may win, the favourite first; incomplete attempts only where nothing is complete."""
    greater = deps.workspace.metric.greater_is_better
    best = deps.journal.best_attempts(greater_is_better=greater, count=CANDIDATES)
    if not best:
        return _incomplete(deps)
    await rerun(deps, best[:RERUN_TOP])
    return _in_order(deps, [_with_reruns(deps, attempt) for attempt in best])


def _incomplete(deps: Deps) -> list[Attempt]:
    """Return attempts with at least one graded fold, those with most folds first: better than nothing, and said so."""
    started = [attempt for attempt in deps.journal.attempts(AttemptStatus.STOPPED) if attempt.fold_scores]
    sign = 1 if deps.workspace.metric.greater_is_better else -1
    started.sort(key=lambda attempt: (-len(attempt.fold_scores), -sign * float(np.mean(attempt.fold_scores))))
    return started[:CANDIDATES]


async def rerun(deps: Deps, best: list[Attempt]) -> None:
    """Evaluate the best once more with another seed, as far as the time for it goes."""
    for attempt in best:
        if attempt.detail.get("rerun") or not _affordable(deps, attempt):
            continue
        fresh = deps.journal.rerun_of(attempt.id) or deps.journal.reserve(
            worker=0, operator=Operator.RERUN, slot=0, parents=[attempt.id], seed=attempt.seed + 1
        )
        await _evaluate(deps, replace(fresh, bundle=attempt.bundle, params=attempt.params, title=attempt.title))


def _affordable(deps: Deps, attempt: Attempt) -> bool:
    if deps.stop.requested:
        return False
    if deps.budget.spec.seconds is None:
        return True
    once = 1.2 * ((attempt.number("fit_seconds") or 0.0) + (attempt.number("predict_seconds") or 0.0)) + 0.1
    cost = len(deps.workspace.plan.folds) * once
    left = deps.budget.seconds_left or 0.0
    reserve = deps.budget.reserve_seconds(attempt.number("fit_seconds"))
    return cost <= min(RERUN_SHARE * deps.budget.spec.seconds, 0.5 * max(0.0, left - 0.5 * reserve))


async def _evaluate(deps: Deps, attempt: Attempt) -> None:
    if attempt.status is not AttemptStatus.RUNNING:
        return
    scores: list[float] = []
    for number, fold in enumerate(deps.workspace.plan.folds):
        seconds = max(2.0, 5 * (attempt.number("fit_seconds") or 60.0))
        step = Step(attempt=attempt, phase="fold.fit", fold=number, seconds=seconds, seed=attempt.seed)
        train = deps.workspace.staged(f"fold{number}.train", fold.train, labelled=True)
        fitted = await evaluation.fit(deps, step, train)
        if not fitted.ok:
            break
        rows = deps.workspace.staged(f"fold{number}.valid", fold.valid, labelled=False)
        model = deps.workspace.resolve(fitted.outputs["model"])
        predicted = await evaluation.predict(deps, replace(step, phase="fold.predict"), model, rows)
        if not predicted.ok:
            break
        deps.workspace.discard(fitted.outputs["model"])
        try:
            answers = evaluation.read(deps, predicted, len(fold.valid))
        except InvalidPredictions:
            break
        scores.append(evaluation.score(deps, deps.workspace.y[fold.valid], answers))
    complete = len(scores) == len(deps.workspace.plan.folds)
    mean, error = mean_and_error(scores) if complete else (None, None)
    status = AttemptStatus.SCORED if complete else AttemptStatus.FAILED
    deps.journal.update(
        replace(attempt, status=status, mean=mean, standard_error=error, detail={"fold_scores": list(scores)})
    )


def _with_reruns(deps: Deps, attempt: Attempt) -> Attempt:
    """Return the attempt with the mean over its seeds, fold by fold; a failed rerun speaks against nothing but itself."""
    again = deps.journal.rerun_of(attempt.id)
    if again is None or again.status is not AttemptStatus.SCORED:
        return attempt
    scores = [(a + b) / 2 for a, b in zip(attempt.fold_scores, again.fold_scores, strict=True)]
    mean, error = mean_and_error(scores)
    return replace(attempt, mean=mean, standard_error=error, detail={**attempt.detail, "fold_scores": list(scores)})


def _in_order(deps: Deps, rivals: list[Attempt]) -> list[Attempt]:
    sign = 1 if deps.workspace.metric.greater_is_better else -1
    rivals = sorted(rivals, key=lambda attempt: (-sign * (attempt.mean or 0.0), attempt.id))
    complete = {rival.id: rival.fold_scores for rival in rivals}
    equals = within_one_standard_error(complete, greater_is_better=deps.workspace.metric.greater_is_better)
    favourite = rivals[0]
    for rival in rivals:
        if rival.id in equals and _cost(deps, rival) < CLEARLY_CHEAPER * _cost(deps, favourite):
            favourite = rival
    return [favourite, *[rival for rival in rivals if rival.id != favourite.id]]


def _cost(deps: Deps, attempt: Attempt) -> float:
    """Cost of a prediction. Under a budget in attempts it is the model's size, which does not vary from run to run."""
    name = "model_bytes" if deps.budget.spec.seconds is None else "predict_seconds"
    return attempt.number(name) or float("inf")
