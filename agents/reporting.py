"""How the run ended, as one object: the Outcome."""

from open_autoglm.agents.briefing import attempts_made, best_attempt
from open_autoglm.agents.calls import Calls
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.settle import Settled, settled_in
from open_autoglm.agents.finalise.wishes import Measured, missed
from open_autoglm.agents.outcome import Baseline, Cost, Outcome, Score, StopReason, Writer
from open_autoglm.agents.writers import STAGE as WRITERS
from open_autoglm.tools.export.svg import number

DELIVERY_STAGES = ("finalise", "export", "explain")
"""Stages whose warnings are about what was delivered, not about the data."""


def outcome_of(deps: Deps, reason: StopReason) -> Outcome:
    """Return the outcome of a run that ended (or was stopped) with this reason."""
    workspace = deps.workspace
    settled = settled_in(deps.journal)
    unmet = unmet_wishes(deps, settled)
    warnings = [*run_warnings(deps), *unmet]
    return Outcome(
        run_id=workspace.run_id,
        run_dir=workspace.root,
        status=_status(settled, reason, warned=bool(unmet or stage_warnings(deps, *DELIVERY_STAGES))),
        stop_reason=reason,
        task=workspace.task,
        score=_score(deps, settled),
        baseline=settled.baseline if settled else Baseline(),
        best_attempt=settled.winner if settled else None,
        attempts=attempts_made(deps),
        seconds=round(deps.budget.seconds, 3),
        cost=cost_of(deps),
        writer=writer_of(deps),
        deliverable=workspace.deliverable if settled else None,
        guesses=workspace.task.guesses,
        warnings=warnings,
        unmet=unmet,
    )


def cost_of(deps: Deps) -> Cost:
    """Return what the run spent on a language model."""
    spent = Calls(deps.journal).spent()
    return Cost(tokens=spent.tokens, money=round(spent.money, 6), calls=spent.calls)


def writer_of(deps: Deps) -> Writer:
    """Return who wrote the code of the run."""
    known = deps.journal.stage(WRITERS) or {}
    return Writer(strategist=deps.strategist.name, model=known.get("model"), degraded=known.get("degraded"))


def _status(settled: Settled | None, reason: StopReason, *, warned: bool) -> str:
    if settled is None:
        return "interrupted" if reason is StopReason.INTERRUPTED else "failed"
    return "delivered_with_warnings" if warned else "delivered"


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
    return stage_warnings(deps, "understand", "sandbox", WRITERS, "profile", *DELIVERY_STAGES)


def stage_warnings(deps: Deps, *stages: str) -> list[str]:
    """Return what the stages that have ended had to say, each once."""
    recorded = [deps.journal.stage(stage) or {} for stage in stages]
    return list(dict.fromkeys(str(text) for found in recorded for text in found.get("warnings", [])))


def unmet_wishes(deps: Deps, settled: Settled | None) -> list[str]:
    """Return the wishes that the delivered model does not meet, each with the figure."""
    if settled is None:
        return []
    measured = Measured(model_mb=settled.model_mb, latency_ms=settled.latency_ms)
    return [*_missed_score(deps, settled), *missed(deps, measured)]


def _missed_score(deps: Deps, settled: Settled) -> list[str]:
    metric, wished = deps.workspace.metric, deps.workspace.options.target_score
    if wished is None or settled.cv_mean is None:
        return []
    sign = 1 if metric.greater_is_better else -1
    if sign * settled.cv_mean >= sign * wished:
        return []
    if settled.seeds > 1:
        return [
            deps.say(
                "The wished score of {wished} was not reached: {metric} is {score} over {seeds} seeds.",
                wished=number(wished), metric=metric.name, score=number(settled.cv_mean), seeds=settled.seeds,
            )
        ]  # fmt: skip
    return [
        deps.say(
            "The wished score of {wished} was not reached: {metric} is {score}.",
            wished=number(wished), metric=metric.name, score=number(settled.cv_mean),
        )
    ]  # fmt: skip
