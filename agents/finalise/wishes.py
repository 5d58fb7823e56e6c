"""Wishes beyond the score: how fast a model answers and how large it is, measured only where somebody asked."""

from dataclasses import dataclass, replace

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.models import FittedModel, fit_scored, step_for
from open_autoglm.tools.export.svg import number
from open_autoglm.tools.metrics.predictions import InvalidPredictions

LATENCY_ROWS = 20
LATENCY_REPEATS = 3
LATENCY_SECONDS = 30.0
TIME_SHARE = 0.5
"""A candidate is not fitted for its wishes' sake where that takes more than this share of the time left."""
KEPT_SHARE = 0.7
"""Share of the reserve that stays for delivering and explaining a model: looking for another one ends there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What wishes are held against."""

    model_mb: float
    """Of all files of the model's folder."""
    latency_ms: float | None = None
    """For one row alone. Claimed: measured inside the sandbox, by the runtime. None where nobody asked or it failed."""


def has_wishes(deps: Deps) -> bool:
    """Whether a fast or a small model is wished for."""
    constraints = deps.workspace.task.constraints
    return constraints.latency_ms is not None or constraints.model_mb is not None


def missed(deps: Deps, measured: Measured) -> list[str]:
    """Return the wishes that a model does not meet, each with the figure."""
    constraints, found = deps.workspace.task.constraints, []
    if constraints.model_mb is not None and measured.model_mb > constraints.model_mb:
        found.append(
            deps.say(
                "The model takes {size} MB; {wished} MB were wished for.",
                size=number(measured.model_mb, 3), wished=f"{constraints.model_mb:g}",
            )
        )  # fmt: skip
    if constraints.latency_ms is None:
        return found
    if measured.latency_ms is None:
        wished = f"{constraints.latency_ms:g}"
        found.append(
            deps.say("How long one row takes could not be measured; {wished} ms were wished for.", wished=wished)
        )
    elif measured.latency_ms > constraints.latency_ms:
        found.append(
            deps.say(
                "One row takes {time} ms to predict, as measured inside the sandbox; {wished} ms were wished for.",
                time=number(measured.latency_ms, 3),
                wished=f"{constraints.latency_ms:g}",
            )
        )
    return found


async def meets_wishes(deps: Deps, candidate: Attempt) -> bool:
    """Whether a candidate is as fast and as small as was wished; it is fitted to find out, where there is time for that.

    One that cannot be fitted counts as good: the checks that follow say what is wrong with it.
    """
    if not has_wishes(deps):
        return True
    if not _time_to_look(deps, candidate):
        return False
    limit = deps.workspace.task.constraints.model_mb
    if limit is not None and (candidate.number("model_bytes") or 0.0) / 1e6 > limit:  # on fewer rows already
        return False
    try:
        scored = await fit_scored(deps, candidate)
    except InvalidPredictions:
        return True
    return scored is None or not missed(deps, await measure(deps, scored))


def _time_to_look(deps: Deps, candidate: Attempt) -> bool:
    left, fit_seconds = deps.budget.seconds_left, candidate.number("fit_seconds") or 0.0
    if left is None:
        return True
    return fit_seconds <= TIME_SHARE * left and left > KEPT_SHARE * deps.budget.reserve_seconds(fit_seconds)


async def measure(deps: Deps, model: FittedModel) -> Measured:
    """Measure what wishes are held against."""
    return Measured(model_mb=size_mb(deps, model.reference), latency_ms=await _latency_ms(deps, model))


def size_mb(deps: Deps, reference: str) -> float:
    """Return the size of a model's folder in millions of bytes, as it lies on the disk."""
    return sum(path.stat().st_size for path in deps.workspace.resolve(reference).rglob("*") if path.is_file()) / 1e6


async def _latency_ms(deps: Deps, model: FittedModel) -> float | None:
    """Return the median over some executions of what a further row, predicted alone, costs once the model is warm."""
    if deps.workspace.task.constraints.latency_ms is None:
        return None
    rows = deps.workspace.plan.folds[0].valid[:LATENCY_ROWS]
    first = await _call_seconds(deps, model, rows, 0, [[0]])
    alone = [[0], *[[row] for row in range(len(rows))]]
    later = [await _call_seconds(deps, model, rows, number, alone) for number in range(1, 1 + LATENCY_REPEATS)]
    if first is None or None in later:
        return None
    per_row = [1000.0 * (seconds - first) / len(rows) for seconds in later if seconds is not None]
    return max(0.0, float(np.median(per_row)))


async def _call_seconds(
    deps: Deps, model: FittedModel, rows: np.ndarray, number: int, batches: list[list[int]]
) -> float | None:
    """Return the seconds that the runtime claims for predicting the batches, one after the other; None where it failed."""
    step = replace(step_for(deps, model.attempt, "latency.predict", at_most=LATENCY_SECONDS), fold=number)
    table = deps.workspace.staged("latency", rows, labelled=False)
    execution = await evaluation.predict(deps, step, deps.workspace.resolve(model.reference), table, batches=batches)
    return execution.report.claimed_seconds.get("call") if execution.ok else None
