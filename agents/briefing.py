"""What a strategist is told: the brief, made from the journal, bounded whatever the length of the run."""

from open_autoglm.agents import guard
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.strategist import Brief, Operator, Past
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.tools.task import ModelFamily

RECENT = 200
BEST = 20
"""A brief holds the most recent attempts and the best of all."""

FIRST_FIT_SHARE = 0.35
"""Share of the search's time that one fold of an attempt may take while nothing is scored yet."""
FOLDS_TO_DELIVER = 4.0
"""Seconds that one more fold and the delivery after it take, measured in seconds of the slowest fold so far: the delivery
fits once, on more rows, and predicts three times."""
SMALLEST_SAMPLE = 300
"""Rows that a first model learns from at least: as many as the smoke test showed to work."""
SLOWER_ON_ALL_ROWS = 1.5
"""How many times longer than on one fold a fit on all rows may take."""
LEAST_RESERVE_SECONDS = 1.5
"""What finalise needs at least, to hand over a first model."""
FOLD_SHARE = 0.2
LONGEST_FOLD_SECONDS = 3600.0
SHORTEST_FOLD_SECONDS = 0.5
LINEAR_KEY = "linear_attempt"

_UNWRITTEN = CodeBundle(
    files={"solution.py": "def fit(train, ctx): ...\ndef predict(model, rows, ctx): ...\n"}, author=Author.RECIPES
)


def brief(deps: Deps, attempt: Attempt) -> Brief:
    """Make the brief for the next piece of code of an attempt."""
    workspace = deps.workspace
    fit_seconds = best_fit_seconds(deps)
    return Brief(
        task=workspace.task,
        profile=workspace.profile,
        classes=workspace.classes,
        past=[past(deps, attempt) for attempt in _remembered(deps)],
        seed=attempt.seed,
        n_jobs=deps.n_jobs,
        spent=deps.budget.share_spent(attempts_made(deps), fit_seconds),
        seconds_left=deps.budget.search_seconds_left(fit_seconds),
        fold_seconds=fold_seconds(deps),
        folds=len(workspace.plan.folds),
        attempt_id=attempt.id,
        refused=guard.refusals(deps.journal, attempt),
        mends=guard.mends(deps.journal, attempt.id),
    )


def _remembered(deps: Deps) -> list[Attempt]:
    best = deps.journal.best_attempts(greater_is_better=deps.workspace.metric.greater_is_better, count=BEST)
    known = {attempt.id: attempt for attempt in [*best, *deps.journal.recent_attempts(RECENT)]}
    return sorted(known.values(), key=lambda attempt: (len(attempt.id), attempt.id))  # a9999 before a10000


def past(deps: Deps, attempt: Attempt) -> Past:
    """Return what a strategist may know of an attempt."""
    return Past(
        attempt_id=attempt.id,
        operator=attempt.operator,
        parents=attempt.parents,
        bundle=_UNWRITTEN if attempt.bundle is None else deps.journal.bundle(attempt.bundle),
        params=attempt.params,
        status=attempt.status.value,
        mean=attempt.mean,
        standard_error=attempt.standard_error,
        fit_seconds=attempt.number("fit_seconds"),
        predict_seconds=attempt.number("predict_seconds"),
        failure=attempt.failure,
        lesson=attempt.lesson,
    )


def attempts_made(deps: Deps) -> int:
    """Return how many attempts the budget has paid for: written ones, failed ones included."""
    return sum(deps.journal.counts().values())


def best_attempt(deps: Deps) -> Attempt | None:
    """Return the best scored attempt so far."""
    best = deps.journal.best_attempts(greater_is_better=deps.workspace.metric.greater_is_better, count=1)
    return best[0] if best else None


def note_linear(deps: Deps, attempt: Attempt) -> None:
    """Remember the first attempt that is a linear model and was scored: it is the baseline of the run."""
    assert attempt.bundle is not None, "only written attempts are scored"
    family = deps.journal.bundle(attempt.bundle).traits.get("family")
    if family == ModelFamily.LINEAR.value and linear_attempt(deps) is None:
        deps.journal.set_meta(LINEAR_KEY, attempt.id)


def linear_attempt(deps: Deps) -> Attempt | None:
    """Return the first scored attempt that is a linear model."""
    known = deps.journal.get_meta(LINEAR_KEY)
    return None if known is None else deps.journal.attempt(known)


def at_hand(deps: Deps) -> Attempt | None:
    """Return what would be delivered if the search ended now: the best, else what came farthest before it was cut."""
    best = best_attempt(deps)
    if best is not None:
        return best
    cut = [attempt for attempt in deps.journal.attempts(AttemptStatus.STOPPED) if attempt.fold_scores]
    return max(cut, key=lambda attempt: len(attempt.fold_scores), default=None)


def best_fit_seconds(deps: Deps) -> float | None:
    """Return how long what would be delivered now takes to fit on one fold."""
    found = at_hand(deps)
    return None if found is None else found.number("fit_seconds")


def fold_seconds(deps: Deps) -> float:
    """Return the seconds one execution on a fold may take now: no single fit may eat the budget.

    Shares are of what this process was given: a resumed run has spent the rest before.
    """
    if deps.budget.spec.seconds is None:
        return LONGEST_FOLD_SECONDS
    best = at_hand(deps)
    left = (deps.budget.seconds_left or 0.0) - LEAST_RESERVE_SECONDS
    if best is not None:
        left = deps.budget.search_seconds_left(best_fit_seconds(deps)) or 0.0
    share = FIRST_FIT_SHARE if best is None else FOLD_SHARE
    cap = max(2.0, share * (deps.budget.spec.seconds - deps.budget.spent_before))
    return max(SHORTEST_FOLD_SECONDS, min(left, cap, LONGEST_FOLD_SECONDS))


def leaves_time_to_deliver(deps: Deps, fold_seconds: float) -> bool:
    """Whether a fold that takes so long can be executed and the model be delivered after it: without that, no fold counts."""
    left = deps.budget.seconds_left
    return left is None or left > FOLDS_TO_DELIVER * fold_seconds + LEAST_RESERVE_SECONDS


def rows_that_fit(deps: Deps, attempt: Attempt) -> int | None:
    """Return how many rows the folds of the first model may learn from, so that there surely is one; None for all.

    The smoke test says what few rows take on this machine, now. That time grows no faster than the rows do, since a part of it is
    the same for any number: so many times the rows is what surely fits.
    """
    left = deps.budget.seconds_left
    tried = deps.journal.execution(attempt.id, "smoke.fit", 0)
    if left is None or tried is None:
        return None
    pool = len(deps.workspace.plan.folds[0].train)
    seconds = max(tried.report.claimed_seconds.get("call", 0.0), 1e-3) / min(SMALLEST_SAMPLE, pool)
    rows = int(max(left - LEAST_RESERVE_SECONDS, 0.0) / (FOLDS_TO_DELIVER * SLOWER_ON_ALL_ROWS * seconds))
    return None if rows >= pool else max(SMALLEST_SAMPLE, rows)


def first_model_fits(deps: Deps) -> bool:
    """Whether there is no model yet and time to try for one: the first may use what finalise would like to keep."""
    left = deps.budget.seconds_left
    return left is not None and left > LEAST_RESERVE_SECONDS and at_hand(deps) is None


def attempt_seconds(deps: Deps) -> float:
    """Return what an attempt costs at least: the folds of the cheapest of the best attempts that were executed."""
    best = deps.journal.best_attempts(greater_is_better=deps.workspace.metric.greater_is_better, count=BEST)
    costs = [
        len(deps.workspace.plan.folds)
        * ((attempt.number("fit_seconds") or 0.0) + (attempt.number("predict_seconds") or 0.0))
        for attempt in best
        if attempt.operator is not Operator.MERGE
    ]
    return min(costs, default=0.0)


def affords_two_more(deps: Deps) -> bool:
    """Whether the time suffices for this pick and another one after it."""
    left = deps.budget.search_seconds_left(best_fit_seconds(deps))
    return left is None or left > 2.0 * attempt_seconds(deps)


def affords_one_more(deps: Deps) -> bool:
    """Whether an attempt that starts now can end in time; one that cannot would be time thrown away."""
    left = deps.budget.search_seconds_left(best_fit_seconds(deps))
    return left is None or left > 0.8 * attempt_seconds(deps)
