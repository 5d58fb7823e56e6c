"""The run in numbers, from the journal, for the report."""

import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from open_autoglm.agents.briefing import attempts_made
from open_autoglm.agents.departing import allowed_hosts
from open_autoglm.agents.deps import Deps, available_cpus
from open_autoglm.agents.finalise.settle import Settled
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.reporting import cost_of, run_warnings, unmet_wishes, writer_of
from open_autoglm.agents.strategist import Operator
from open_autoglm.agents.violations import Tried
from open_autoglm.events import EventKind, Json, read_events
from open_autoglm.tools.export import story as told
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.export.summary import summarise
from open_autoglm.tools.export.words import shown_name

MOST_ATTEMPTS = 300
"""Lines of the leaderboard at most: the best, and the most recent."""
PACKAGES = ("open-autoglm", "numpy", "pandas", "scikit-learn", "lightgbm", "xgboost", "catboost", "pyarrow", "skops")


def story_of(deps: Deps, settled: Settled, reason: StopReason, diagnostics: told.Diagnostics) -> RunStory:
    """Return everything that the report tells."""
    workspace = deps.workspace
    task = workspace.task
    winner = deps.journal.attempt(settled.winner)
    assert winner.bundle is not None, "a winner has code"
    bundle = deps.journal.bundle(winner.bundle)
    attempts = leaderboard(deps)
    events = list(read_events(workspace.root / "events.jsonl"))
    return RunStory(
        run_id=workspace.run_id,
        created=workspace.created,
        prompt=task.prompt,
        language=task.language,
        target=task.target,
        task_type=task.task_type.value,
        strategist=deps.strategist.name,
        model=writer_of(deps).model,
        author=bundle.author.value,
        best_attempt=winner.id,
        best_title=bundle.title,
        refitted=settled.shipped == "refitted",
        scores=_scores(deps, settled),
        attempts=attempts,
        curve=_curve(events),
        checks=tuple(settled.checks),
        stop_reason=deps.say(reason.sentence),
        spending=_spending(deps),
        timings=_timings(events),
        guesses=tuple(task.guesses),
        warnings=tuple(run_warnings(deps)),
        unmet=tuple(unmet_wishes(deps, settled)),
        latency_ms=settled.latency_ms,
        data=summarise(workspace.profile, workspace.classes),
        split=_split(deps),
        diagnostics=diagnostics,
        ensemble=_ensemble(deps, settled),
        isolation=_isolation(deps),
        allowed_hosts=allowed_hosts(deps),
        connections=_connections(deps),
        environment=_environment(),
    )


def leaderboard(deps: Deps) -> tuple[told.Attempt, ...]:
    """Return the attempts for people: all of a short run, the best and the latest of a long one."""
    best = deps.journal.best_attempts(
        greater_is_better=deps.workspace.metric.greater_is_better, count=MOST_ATTEMPTS // 2
    )
    tried = deps.journal.violations()
    shown = {attempt.id: attempt for attempt in [*best, *deps.journal.recent_attempts(MOST_ATTEMPTS // 2)]}
    return tuple(
        told.Attempt(
            attempt_id=attempt.id,
            title=attempt.title,
            operator=attempt.operator.value,
            parents=attempt.parents,
            status=attempt.status.value,
            mean=attempt.mean,
            standard_error=attempt.standard_error,
            fit_seconds=attempt.number("fit_seconds"),
            predict_seconds=attempt.number("predict_seconds"),
            lesson=attempt.lesson or attempt.failure,
            violations=tuple(map(told.Violation.model_validate, tried.get(attempt.id, Tried()).violations)),
            low_violations=tried.get(attempt.id, Tried()).low_violations,
        )
        for attempt in sorted(shown.values(), key=lambda attempt: (len(attempt.id), attempt.id))  # a9999 before a10000
    )


def _scores(deps: Deps, settled: Settled) -> told.Scores:
    metric = deps.workspace.metric
    return told.Scores(
        metric=metric.name,
        greater_is_better=metric.greater_is_better,
        cv_mean=settled.cv_mean,
        cv_se=settled.cv_se,
        folds=settled.folds,
        seeds=settled.seeds,
        holdout=settled.holdout,
        holdout_low=settled.holdout_low,
        holdout_high=settled.holdout_high,
        holdout_rows=settled.holdout_rows,
        dummy=settled.baseline.dummy,
        linear=settled.baseline.linear,
    )


def _curve(events: list[dict[str, Json]]) -> tuple[told.CurvePoint, ...]:
    points = []
    for event in events:
        data = event.get("data")
        if event.get("event") == EventKind.BEST_IMPROVED and isinstance(data, Mapping) and data.get("mean") is not None:
            points.append(
                told.CurvePoint(
                    seconds=float(str(data["seconds"])), score=float(str(data["mean"])), attempt_id=str(data["attempt"])
                )
            )
    return tuple(points)


def _timings(events: list[dict[str, Json]]) -> tuple[told.StageTime, ...]:
    totals: defaultdict[str, float] = defaultdict(float)
    for event in events:
        data = event.get("data")
        if event.get("event") == EventKind.STAGE_FINISHED and isinstance(data, Mapping):
            totals[str(data["stage"])] += float(str(data["seconds"]))
    return tuple(told.StageTime(stage=stage, seconds=round(seconds, 3)) for stage, seconds in totals.items())


def _spending(deps: Deps) -> told.Spending:
    spec, cost = deps.budget.spec, cost_of(deps)
    return told.Spending(
        seconds=round(deps.budget.seconds, 2),
        budget_seconds=spec.seconds,
        attempts=attempts_made(deps),
        budget_attempts=spec.attempts,
        executions=deps.journal.execution_count(),
        tokens=cost.tokens,
        money=cost.money,
        calls=cost.calls,
    )


def _split(deps: Deps) -> str:
    plan, say = deps.workspace.plan, deps.say
    held = deps.workspace.holdout()
    folds = say(
        "{folds} folds ({kind}) on {rows} rows",
        folds=len(plan.folds), kind=shown_name(plan.kind, say), rows=len(deps.workspace.search_rows),
    )  # fmt: skip
    if held is None:
        return say("{folds}; no holdout.", folds=folds)
    if deps.workspace.test is not None:
        return say("{folds}; {rows} rows are the holdout, the labelled test file.", folds=folds, rows=len(held[0]))
    return say(
        "{folds}; {rows} rows are the holdout, set aside before anything was looked at.",
        folds=folds, rows=len(held[0]),
    )  # fmt: skip


def _ensemble(deps: Deps, settled: Settled) -> tuple[told.EnsembleWeight, ...]:
    attempt = deps.journal.attempt(settled.winner)
    weights = attempt.detail.get("weights")
    if attempt.operator is not Operator.MERGE or not isinstance(weights, dict):
        return ()
    return tuple(
        told.EnsembleWeight(attempt_id=name, title=deps.journal.attempt(name).title, weight=float(weight))
        for name, weight in weights.items()
    )


def _isolation(deps: Deps) -> tuple[told.Isolation, ...]:
    """Count executions behind each kind of walls, by what each report says that it ran in."""
    walls = Counter(
        (report.isolation.backend, report.isolation.tier, report.isolation.isolating)
        for report in deps.journal.reports()
    )
    return tuple(
        told.Isolation(backend=backend, tier=tier, isolating=isolating, executions=count)
        for (backend, tier, isolating), count in walls.most_common()
    )


def _connections(deps: Deps) -> tuple[told.Connection, ...]:
    return tuple(
        told.Connection(
            attempt_id=made.attempt, host=made.host, port=made.port, refused=made.refused, count=made.count, size_bytes=made.size_bytes
        )
        for made in deps.journal.connections()
    )  # fmt: skip


def _environment() -> told.Environment:
    packages = []
    for name in PACKAGES:
        try:
            packages.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return told.Environment(
        python=sys.version.split()[0],
        platform=f"{platform.system()} {platform.machine()}",
        cpus=available_cpus(),
        packages=tuple(packages),
    )
