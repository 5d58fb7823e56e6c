"""The worker's steps: choose -> write -> check -> smoke -> evaluate -> grade -> learn, with repair on the way."""

import hashlib
from dataclasses import replace

from open_autoglm.agents import guard, scoring
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.briefing import (
    affords_one_more,
    at_hand,
    attempts_made,
    best_attempt,
    best_fit_seconds,
    brief,
    first_model_fits,
    fold_seconds,
    leaves_time_to_deliver,
    linear_attempt,
    note_linear,
    past,
    rows_that_fit,
)
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.folds import run_fold
from open_autoglm.agents.nodes.smoking import smoke_problem
from open_autoglm.agents.nodes.writing import mended_bundle, write_bundle
from open_autoglm.agents.outcome import Cost, StopReason
from open_autoglm.agents.reporting import cost_of
from open_autoglm.agents.search.view import search_view
from open_autoglm.agents.state import WorkerState, WorkerUpdate
from open_autoglm.agents.strategist import Operator
from open_autoglm.events import EventKind
from open_autoglm.sandbox.bundles.rules import Severity, check_bundle
from open_autoglm.sandbox.report import ExecutionReport, Status, failure_line
from open_autoglm.tools.metrics.predictions import InvalidPredictions

MAX_REPAIRS = 2
CLEAN = WorkerUpdate(fold=0, problem="", graded=False, repairs=0)


def derive_seed(run_seed: int, attempt_number: int) -> int:
    """Return the seed of an attempt: the same for the same run seed and place in the run."""
    digest = hashlib.sha256(f"{run_seed}:{attempt_number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % (2**31 - 1)


async def choose(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Pick what to try next and reserve it, or say why the search ends. An unfinished attempt goes on first."""
    unfinished = deps.journal.unfinished(state.worker)
    if unfinished is not None:
        return {**CLEAN, "attempt": unfinished.id, "repairs": unfinished.repairs}
    reason = stop_reason(deps)
    if reason is not None:
        return {**CLEAN, "attempt": "", "stop_reason": reason.value}
    view = search_view(deps)
    pick = deps.policy.choose(view)
    if pick is None:
        return {**CLEAN, "attempt": "", "stop_reason": StopReason.CONVERGED.value}
    number = sum(view.made.values())
    attempt = deps.journal.reserve(
        worker=state.worker,
        operator=pick.operator,
        slot=pick.slot,
        parents=pick.parents,
        seed=derive_seed(deps.workspace.options.seed, number),
    )
    return {**CLEAN, "attempt": attempt.id}


def stop_reason(deps: Deps) -> StopReason | None:
    """Return why no further attempt may start, if so."""
    if deps.stop.requested:
        return StopReason.INTERRUPTED
    best = best_attempt(deps)
    wished = deps.workspace.options.target_score
    if best is not None and wished is not None and best.mean is not None:
        sign = 1 if deps.workspace.metric.greater_is_better else -1
        if sign * best.mean >= sign * wished:
            return StopReason.TARGET_REACHED
    made = attempts_made(deps)
    cost = _spent_on_model_alone(deps)
    spent = deps.budget.exhausted(
        attempts=made, tokens=cost.tokens, money=cost.money, fit_seconds=best_fit_seconds(deps)
    )
    if spent is StopReason.BUDGET_SECONDS and first_model_fits(deps):
        return None
    if spent is not None:
        return spent
    if not affords_one_more(deps):
        return StopReason.BUDGET_SECONDS
    if best is not None and deps.journal.since(best.id) >= scoring.patience(len(deps.workspace.search_rows)):
        return StopReason.NO_PROGRESS
    return None


def _spent_on_model_alone(deps: Deps) -> Cost:
    """Return what a cap on tokens or money ends the search for: a model was demanded, and there is something to deliver. Else recipes go on."""
    demanded = deps.workspace.options.strategist == "glm" and best_attempt(deps) is not None
    return cost_of(deps) if demanded else Cost()


async def write(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Have the strategist write the code of the pick."""
    attempt = deps.journal.attempt(state.attempt)
    if attempt.bundle is None:
        written = await write_bundle(attempt, deps)
        if written is None:
            deps.journal.update(replace(attempt, status=AttemptStatus.EMPTY))
            return {"attempt": ""}
        attempt = written
    _announce(deps, attempt)
    if attempt.status is AttemptStatus.FAILED:  # nothing new was written: there is nothing to execute
        _tell(deps, attempt, best_attempt(deps))
        return {"attempt": ""}
    return {"problem": ""}


def _announce(deps: Deps, attempt: Attempt) -> None:
    deps.events.emit(
        EventKind.ATTEMPT_STARTED,
        attempt=attempt.id,
        operator=attempt.operator.value,
        title=attempt.title,
        parents=list(attempt.parents),
        worker=attempt.worker,
    )


async def check(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Hold the code against the rules: contract, imports, calls that need a permission."""
    attempt = deps.journal.attempt(state.attempt)
    assert attempt.bundle is not None, "write comes before check"
    bundle = deps.journal.bundle(attempt.bundle)
    refused = [found for found in check_bundle(bundle) if found.severity is Severity.REFUSED]
    return {"problem": "; ".join(f"{found.file}:{found.line} {found.message}" for found in refused)}


async def smoke(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Fit and predict a small sample, so that errors surface in seconds."""
    attempt = deps.journal.attempt(state.attempt)
    if attempt.operator is Operator.TUNE:  # the same code as its parent, which passed
        return {"problem": ""}
    return {"problem": await smoke_problem(attempt, deps)}


async def repair(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Have the strategist mend the code; without a mend the attempt has failed."""
    attempt = deps.journal.attempt(state.attempt)
    assert attempt.bundle is not None, "only written code is repaired"
    if attempt.repairs > state.repairs:  # recorded before the process died
        return {"problem": "", "fold": 0, "repairs": attempt.repairs}
    report = _last_failure(deps, attempt, state.problem)
    mended = await mended_bundle(attempt, report, state.problem, deps)
    if mended is None:
        return {"graded": True}
    deps.journal.save_bundle(attempt.id, mended, repairs=attempt.repairs + 1, failure=state.problem)
    return {"problem": "", "fold": 0, "repairs": attempt.repairs + 1}


async def evaluate(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Execute one fold: fit in one sandbox process, predict in another."""
    attempt = deps.journal.attempt(state.attempt)
    if attempt.operator is Operator.MERGE:  # scored from its members' out-of-fold predictions
        return {"problem": ""}
    if _must_end(state, deps):
        return {"problem": scoring.CUT}
    first = at_hand(deps) is None and deps.budget.seconds_left is not None
    if first and state.fold == 0 and attempt.rows is None and (rows := rows_that_fit(deps, attempt)) is not None:
        attempt = _noted(deps, attempt, rows=rows)
    began = deps.budget.seconds
    failed = await run_fold(attempt, state.fold, deps, lambda: fold_seconds(deps))
    if first:
        slowest = max(attempt.number("fold_seconds") or 0.0, deps.budget.seconds - began)
        _noted(deps, attempt, fold_seconds=slowest)
    return {"problem": "" if failed is None else failure_line(failed.report)}


def _noted(deps: Deps, attempt: Attempt, **numbers: float) -> Attempt:
    """Add numbers to what is known of an attempt."""
    attempt = replace(attempt, detail={**attempt.detail, **numbers})
    deps.journal.update(attempt)
    return attempt


def _must_end(state: WorkerState, deps: Deps) -> bool:
    """Whether the search is over and there is something to deliver without this fold."""
    if at_hand(deps) is None:  # the first model may use what finalise would like to keep, but for its own fit
        slowest = deps.journal.attempt(state.attempt).number("fold_seconds") or 0.0
        return state.fold > 0 and not leaves_time_to_deliver(deps, slowest)
    left = deps.budget.search_seconds_left(best_fit_seconds(deps))
    return deps.stop.requested or (left is not None and left <= 0)


async def grade(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Score the fold on the host, and decide whether the attempt goes on to its next fold."""
    attempt = deps.journal.attempt(state.attempt)
    if state.problem:
        return {"graded": True}
    if attempt.operator is Operator.MERGE:
        await deps.blocking.host(scoring.score_merge, deps, attempt)
        return {"graded": True}
    try:
        await deps.blocking.host(scoring.score_fold, deps, attempt, state.fold)
    except InvalidPredictions as error:
        return {"problem": str(error), "graded": True}
    last = state.fold + 1 >= len(deps.workspace.plan.folds)
    hopeless = not last and scoring.is_hopeless(deps, attempt)
    return {"fold": state.fold + 1, "graded": last or hopeless}


async def learn(state: WorkerState, deps: Deps) -> WorkerUpdate:
    """Close the attempt: its score, its status, and what it taught."""
    attempt = deps.journal.attempt(state.attempt)
    before = best_attempt(deps)
    closed = scoring.close(deps, attempt, state.problem)
    if closed.status is AttemptStatus.FAILED:
        guard.note_failure_again(deps.journal, closed)
    lesson = await deps.strategist.reflect(brief(deps, attempt), past(deps, closed))
    closed = replace(closed, lesson=lesson)
    deps.journal.update(closed)
    deps.budget.note_pace(scoring.overheads(deps, closed))
    if closed.status is AttemptStatus.SCORED:
        note_linear(deps, closed)
    deps.save_clock()
    _tell(deps, closed, before)
    return {"attempt": ""}


def _tell(deps: Deps, attempt: Attempt, before: Attempt | None) -> None:
    seconds = round(deps.budget.seconds, 2)
    deps.events.emit(
        EventKind.ATTEMPT_FINISHED,
        attempt=attempt.id,
        status=attempt.status.value,
        mean=attempt.mean,
        se=attempt.standard_error,
        seconds=seconds,
        title=attempt.title,
        lesson=attempt.lesson or attempt.failure,
    )
    best, linear = best_attempt(deps), linear_attempt(deps)
    if best is not None and best.id == attempt.id and (before is None or before.id != best.id):
        deps.events.emit(
            EventKind.BEST_IMPROVED,
            attempt=best.id,
            mean=best.mean,
            se=best.standard_error,
            metric=deps.workspace.task.metric.name,
            title=best.title,
            seconds=seconds,
            dummy=(deps.journal.stage("profile") or {}).get("dummy"),
            linear=None if linear is None else linear.mean,
        )


def _last_failure(deps: Deps, attempt: Attempt, problem: str) -> ExecutionReport:
    failed = [execution for execution in deps.journal.executions(attempt.id) if not execution.ok]
    if failed:
        return failed[-1].report
    return ExecutionReport(phase="check", status=Status.STATUS_ERROR, detail=problem)


# --- where each step leads ---------------------------------------------------------------------------------------


def after_choose(state: WorkerState, deps: Deps) -> str:
    """On with the pick, or to the end."""
    return "write" if state.attempt else "stop"


def after_write(state: WorkerState, deps: Deps) -> str:
    """On with the code; a pick for which there was nothing to write ends the cycle."""
    return "check" if state.attempt else "stop"


def after_check(state: WorkerState, deps: Deps) -> str:
    """Broken code is repaired a few times."""
    return _repair_or(state, deps, "smoke")


def after_smoke(state: WorkerState, deps: Deps) -> str:
    """Broken code is repaired a few times."""
    return _repair_or(state, deps, "evaluate")


def _repair_or(state: WorkerState, deps: Deps, forward: str) -> str:
    if not state.problem:
        return forward
    attempt = deps.journal.attempt(state.attempt)
    over = deps.stop.requested or scoring.was_cut(deps, attempt)
    return "repair" if attempt.repairs < MAX_REPAIRS and not over else "learn"


def after_repair(state: WorkerState, deps: Deps) -> str:
    """Mended code is checked again."""
    return "learn" if state.graded else "check"


def after_grade(state: WorkerState, deps: Deps) -> str:
    """The next fold, until all are graded or there is no hope."""
    return "learn" if state.graded else "evaluate"
