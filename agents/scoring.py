"""Scores, all computed here on the host from prediction matrices: folds, ensembles, and when to give an attempt up."""

from dataclasses import replace

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.briefing import best_attempt, best_fit_seconds
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.search.reward import EVEN, reward
from open_autoglm.agents.strategist import Operator
from open_autoglm.sandbox.report import Status
from open_autoglm.tools.data.split import SplitPlan
from open_autoglm.tools.ensembling import cross_fitted_scores, greedy_weights
from open_autoglm.tools.metrics.predictions import Predictions
from open_autoglm.tools.metrics.statistics import mean_and_error
from open_autoglm.tools.words.overheard import overheard

FOLDS_BEFORE_GIVING_UP = 2
HOPELESS_ERRORS = 4.0
"""An attempt is given up when it trails the best by this many standard errors of the best on the folds made so far."""

CUT = "cut by the end of the budget"
"""Why an attempt stopped that goes on when the run is given more."""
CUT_SECONDS = 1.0
"""An execution that timed out with less than this left was not slow: its time had come."""


def patience(rows: int) -> int:
    """Return after how many attempts without gain the search ends: trying on would overfit the folds of small data.

    AutoGluon 1.6 stops after 4 models at 100 rows up to 100 at 100,000 (EarlyStoppingCountCallback). Trials of one model
    differ less than models do, so that the figures here are twice as large.
    """
    return int(np.interp(np.log10(max(rows, 1)), [2, 2.7, 3.4, 4, 5], [8, 16, 30, 80, 200]))


def score_fold(deps: Deps, attempt: Attempt, number: int) -> float:
    """Score one executed fold and record it.

    Raises:
        InvalidPredictions: The matrix is not what the contract demands.
    """
    execution = deps.journal.execution(attempt.id, "fold.predict", number)
    assert execution is not None, "evaluate comes before grade"
    if execution.score is not None:
        return execution.score
    rows = deps.workspace.plan.folds[number].valid
    value = evaluation.score(deps, deps.workspace.y[rows], evaluation.read(deps, execution, len(rows)))
    deps.journal.record_score(execution, value)
    return value


def fold_scores(deps: Deps, attempt: Attempt) -> list[float]:
    """Return the scores of the graded folds, in fold order."""
    made = [deps.journal.execution(attempt.id, "fold.predict", k) for k in range(len(deps.workspace.plan.folds))]
    return [execution.score for execution in made if execution is not None and execution.score is not None]


def is_hopeless(deps: Deps, attempt: Attempt) -> bool:
    """Whether the attempt trails the best so far by so much, on the same folds, that the rest can be saved."""
    best = best_attempt(deps)
    scores = fold_scores(deps, attempt)
    if best is None or len(scores) < FOLDS_BEFORE_GIVING_UP or best.standard_error is None:
        return False
    rival = best.fold_scores[: len(scores)]
    sign = 1 if deps.workspace.metric.greater_is_better else -1
    behind = [sign * (theirs - ours) for ours, theirs in zip(scores, rival, strict=True)]
    return min(behind) > 0 and float(np.mean(behind)) > HOPELESS_ERRORS * max(best.standard_error, 1e-12)


def close(deps: Deps, attempt: Attempt, problem: str) -> Attempt:
    """Return the attempt with its status, score and timings."""
    if attempt.operator is Operator.MERGE and not problem:
        return replace(attempt, status=AttemptStatus.SCORED)
    scores = fold_scores(deps, attempt)
    known = {name: value for name, value in attempt.detail.items() if name != "cut"}  # of a search that went on since
    detail = {**known, **timings(deps, attempt), "fold_scores": list(scores)}
    attempt = replace(attempt, detail=detail)
    if problem == CUT or (problem and was_cut(deps, attempt)):
        return replace(attempt, status=AttemptStatus.STOPPED, failure=deps.say(CUT), detail={**detail, "cut": True})
    if problem:
        return replace(attempt, status=AttemptStatus.FAILED, failure=overheard(problem, deps.say), reward=0.0)
    attempt = replace(attempt, reward=_reward(deps, attempt))
    if len(scores) < len(deps.workspace.plan.folds):
        failure = deps.say("given up after {folds} folds, far behind the best", folds=len(scores))
        return replace(attempt, status=AttemptStatus.STOPPED, failure=failure)
    mean, error = mean_and_error(scores)
    return replace(attempt, status=AttemptStatus.SCORED, mean=mean, standard_error=error)


def _reward(deps: Deps, attempt: Attempt) -> float:
    """Return what the search may make of an attempt that was graded, on as many folds as it was."""
    parent = deps.journal.attempt(attempt.parents[0]) if attempt.parents else None
    if parent is None or parent.rows != attempt.rows:  # a draft, or folds that learned from other rows
        return EVEN
    fold = deps.workspace.plan.folds[0]
    return reward(
        attempt.fold_scores,
        parent.fold_scores,
        greater_is_better=deps.workspace.metric.greater_is_better,
        test_share=len(fold.valid) / max(1, len(fold.train)),
    )


def was_cut(deps: Deps, attempt: Attempt) -> bool:
    """Whether the last execution that failed was ended from outside: by the user, or by the end of the search's time."""
    failed = [execution.report.status for execution in deps.journal.executions(attempt.id) if not execution.ok]
    if not failed:
        return False
    if failed[-1] == Status.STATUS_CANCELLED:
        return True
    left = deps.budget.search_seconds_left(best_fit_seconds(deps))
    return failed[-1] == Status.STATUS_TIMEOUT and left is not None and left <= CUT_SECONDS


def timings(deps: Deps, attempt: Attempt) -> dict[str, float]:
    """Return what the executed folds of an attempt took on average: fit_seconds, predict_seconds, model_bytes."""
    made = [execution for execution in deps.journal.executions(attempt.id) if execution.ok]
    fits = [execution.report for execution in made if execution.phase == "fold.fit"]
    predicts = [execution.report for execution in made if execution.phase == "fold.predict"]
    found: dict[str, float] = {}
    if fits:
        found["fit_seconds"] = float(np.mean([report.wall_seconds for report in fits]))
        found["model_bytes"] = float(np.mean([sum(a.size_bytes for a in report.artefacts) for report in fits]))
    if predicts:
        found["predict_seconds"] = float(np.mean([report.claimed_seconds.get("call", 0.0) for report in predicts]))
    return found


def overheads(deps: Deps, attempt: Attempt) -> list[float]:
    """Return, for each execution that ended well, the seconds it took beyond what the code inside accounts for."""
    reports = [execution.report for execution in deps.journal.executions(attempt.id) if execution.ok]
    return [
        report.queued_seconds + max(0.0, report.wall_seconds - sum(report.claimed_seconds.values()))
        for report in reports
        if report.claimed_seconds
    ]


# --- ensembles -----------------------------------------------------------------------------------------------------


def stacked_targets(deps: Deps) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and fold numbers of all validation rows, fold after fold; both [sum of validation rows]."""
    folds = deps.workspace.plan.folds
    y = np.concatenate([deps.workspace.y[fold.valid] for fold in folds])
    return y, np.concatenate([np.full(len(fold.valid), number) for number, fold in enumerate(folds)])


def out_of_fold(deps: Deps, attempt: Attempt) -> np.ndarray:
    """Return the out-of-fold predictions of a complete attempt, in the order of `stacked_targets`, [rows, k]."""
    parts = []
    for number, fold in enumerate(deps.workspace.plan.folds):
        execution = deps.journal.execution(attempt.id, "fold.predict", number)
        assert execution is not None, "only complete attempts have out-of-fold predictions"
        parts.append(_soft(evaluation.read(deps, execution, len(fold.valid))))
    return np.concatenate(parts)


def _soft(predictions: Predictions) -> np.ndarray:
    """Return what can be averaged: probabilities, or values; never labels."""
    return predictions.proba if predictions.classes else predictions.matrix


def ensemble_weights(deps: Deps, members: list[Attempt]) -> dict[str, float]:
    """Return the weight of each member by greedy selection on out-of-fold predictions; they sum to 1."""
    y, _ = stacked_targets(deps)
    workspace = deps.workspace
    return greedy_weights(
        {member.id: out_of_fold(deps, member) for member in members},
        y,
        metric=workspace.metric,
        classes=workspace.classes,
        task_type=workspace.task.task_type,
        quantiles=tuple(workspace.task.quantiles),
    )


def score_merge(deps: Deps, attempt: Attempt) -> None:
    """Score an ensemble without executing it: on each fold with the weights that the other folds would have chosen."""
    weights = attempt.detail.get("weights")
    assert isinstance(weights, dict), "write records the weights of a merge"
    members = [deps.journal.attempt(name) for name in weights]
    scores = _cross_fitted(deps, {member.id: out_of_fold(deps, member) for member in members})
    mean, error = mean_and_error(scores)
    totals = {
        name: sum(member.number(name) or 0.0 for member in members)
        for name in ("fit_seconds", "predict_seconds", "model_bytes")
    }
    detail = {**attempt.detail, **totals, "fold_scores": list(scores)}
    deps.journal.update(replace(attempt, mean=mean, standard_error=error, detail=detail))


def _cross_fitted(deps: Deps, oof: dict[str, np.ndarray]) -> list[float]:
    """Score an ensemble on each fold with weights learned on the others, each repeat of the cross-validation by itself.

    Another repeat holds the same rows: weights learned there would know the rows that are scored.
    """
    workspace = deps.workspace
    y, folds = stacked_targets(deps)
    scores: list[float] = []
    for numbers in repeats_of(workspace.plan):
        rows = np.flatnonzero(np.isin(folds, numbers))
        parts = [np.flatnonzero(folds[rows] == number) for number in numbers]
        halves = len(parts) == 1  # one fold is cut in two, so that no row is scored with weights it had a say in
        found = cross_fitted_scores(
            {name: matrix[rows] for name, matrix in oof.items()},
            y[rows],
            [parts[0][0::2], parts[0][1::2]] if halves else parts,
            metric=workspace.metric,
            classes=workspace.classes,
            task_type=workspace.task.task_type,
            quantiles=tuple(workspace.task.quantiles),
        )
        scores += [float(np.mean(found))] if halves else found
    return scores


def repeats_of(plan: SplitPlan) -> list[list[int]]:
    """Return the numbers of the folds of each repeat: together they hold every row once, however many folds it takes."""
    if plan.repeats == 1:
        return [list(range(len(plan.folds)))]
    rows = len(plan.rest)
    repeats: list[list[int]] = [[]]
    held = 0
    for number, fold in enumerate(plan.folds):
        if held == rows:
            repeats.append([])
            held = 0
        repeats[-1].append(number)
        held += len(fold.valid)
    return repeats
