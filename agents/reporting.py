"""How the run ended, as one object: the Outcome."""

from open_autoglm.agents.briefing import attempts_made, best_attempt
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.settle import Settled
from open_autoglm.agents.outcome import Baseline, Cost, Outcome, Score, StopReason


def outcome_of(deps: Deps, reason: StopReason) -> Outcome:
    """Return the outcome of a run that ended (or was stopped) with this reason."""
    workspace = deps.workspace
    recorded = deps.journal.stage("finalise")
    settled = Settled.model_validate(recorded) if recorded else None
    unmet = unmet_wishes(deps, settled)
    warnings = [*run_warnings(deps), *unmet]
    return Outcome(
        run_id=workspace.run_id,
        run_dir=workspace.root,
        status=_status(settled, reason, warnings=bool(settled and settled.warnings) or bool(unmet)),
        stop_reason=reason,
        task=workspace.task,
        score=_score(deps, settled),
        baseline=settled.baseline if settled else Baseline(),
        best_attempt=settled.winner if settled else None,
        attempts=attempts_made(deps),
        seconds=round(deps.budget.seconds, 3),
        cost=Cost(),
        deliverable=workspace.deliverable if settled else None,
        guesses=workspace.task.guesses,
        warnings=warnings,
        unmet=unmet,
    )


def _status(settled: Settled | None, reason: StopReason, *, warnings: bool) -> str:
    if settled is None:
        return "interrupted" if reason is StopReason.INTERRUPTED else "failed"
    return "delivered_with_warnings" if warnings else "delivered"


def _score(deps: Deps, settled: Settled | None) -> Score:
    metric = deps.workspace.metric
    plain = Score(metric=metric.name, greater_is_better=metric.greater_is_better)
    if settled is None:
        best = best_attempt(deps)
        return plain if best is None else plain.model_copy(update={"cv_mean": best.mean, "cv_se": best.standard_error})
    found = {name: getattr(settled, name) for name in ("cv_mean", "cv_se", "holdout", "holdout_low", "holdout_high")}
    return plain.model_copy(update=found)


def run_warnings(deps: Deps) -> list[str]:
    """Return what the user should know, from every stage, each once."""
    found: list[str] = []
    for stage in ("understand", "sandbox", "profile", "finalise", "explain"):
        recorded = deps.journal.stage(stage) or {}
        found += [str(text) for text in recorded.get("warnings", [])]
    return list(dict.fromkeys(found))


def unmet_wishes(deps: Deps, settled: Settled | None) -> list[str]:
    """Return the wishes that the delivered model does not meet, each with the figure."""
    if settled is None:
        return []
    workspace = deps.workspace
    unmet = []
    wished, sign = workspace.options.target_score, 1 if workspace.metric.greater_is_better else -1
    if wished is not None and settled.cv_mean is not None and sign * settled.cv_mean < sign * wished:
        unmet.append(
            f"The wished score of {wished:g} was not reached: {workspace.metric.name} is {settled.cv_mean:.5g}."
        )
    attempt = deps.journal.attempt(settled.winner)
    megabytes, limit = (attempt.number("model_bytes") or 0.0) / 1e6, workspace.task.constraints.model_mb
    if limit is not None and megabytes > limit:
        unmet.append(f"The model takes {megabytes:.1f} MB; {limit:g} MB were wished for.")
    latency = _latency_ms(deps, settled)
    wanted = workspace.task.constraints.latency_ms
    if wanted is not None and latency is not None and latency > wanted:
        unmet.append(f"One row takes {latency:.1f} ms to predict; {wanted:g} ms were wished for.")
    return unmet


def _latency_ms(deps: Deps, settled: Settled) -> float | None:
    """Return the milliseconds that predicting one row alone takes, as the smoke test measured them."""
    execution = deps.journal.execution(settled.winner, "latency.predict", 0)
    return None if execution is None else 1000.0 * execution.report.claimed_seconds.get("call", 0.0)
