"""The one module that knows Optuna: rebuilds a study from past trials and asks it for the next parameters."""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from pydantic import JsonValue

from open_autoglm.tools.tuning.space import Choice, Float, Int, Space, Trial

Point: TypeAlias = dict[str, int | float]
"""Parameters as the study knows them: numbers, and of a choice the place of its option."""

STARTUP_TRIALS = 8
"""Random trials before the model of the scores is trusted; a run affords tens of trials, not thousands."""
MAX_ASKS = 30
"""How often to ask again for a point that was not tried; after that the space counts as exhausted."""

_verbosity = threading.Lock()


def next_params(
    space: Space, trials: Sequence[Trial], *, greater_is_better: bool, seed: int, start: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """Ask for the next parameters; the contract is that of `open_autoglm.tools.tuning.suggest`."""
    points = [_point(space, trial.params) for trial in trials]
    first = _point(space, start)
    with _quiet():
        study = _study([*zip(trials, points, strict=True)], space, greater_is_better=greater_is_better, seed=seed)
        if first and not any(first.items() <= point.items() for point in points):
            study.enqueue_trial(dict(first))
        point = _ask(study, space, {_key(point) for point in points})
    return {name: _value(space, name, number) for name, number in point.items()}


def _study(
    past: Sequence[tuple[Trial, Point]], space: Space, *, greater_is_better: bool, seed: int
) -> optuna.study.Study:
    sampler = optuna.samplers.TPESampler(seed=(seed * 1_000_003 + len(past)) % 2**32, n_startup_trials=STARTUP_TRIALS)
    study = optuna.create_study(direction="maximize" if greater_is_better else "minimize", sampler=sampler)
    for trial, point in past:
        if len(point) == len(space.dimensions):  # a trial of another space teaches nothing about this one
            study.add_trial(_frozen(trial, point, _distributions(space)))
    return study


def _ask(study: optuna.study.Study, space: Space, tried: set[tuple[tuple[str, float], ...]]) -> Point:
    """Ask until an untried point comes; every answer is pending in the study and so pushes the next one away."""
    point: Point = {}
    for _ in range(MAX_ASKS):
        asked = study.ask(_distributions(space)).params
        point = {name: asked[name] for name in space.dimensions}
        if _key(point) not in tried:
            break
    return point


def _frozen(trial: Trial, point: Point, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    """Show a trial to the sampler: pending ones by a constant lie, failed ones (as if pruned) below all scored ones."""
    if trial.pending:
        return optuna.trial.create_trial(state=TrialState.RUNNING, params=point, distributions=distributions)
    if trial.value is None or not math.isfinite(trial.value):
        return optuna.trial.create_trial(state=TrialState.PRUNED, params=point, distributions=distributions)
    return optuna.trial.create_trial(value=trial.value, params=point, distributions=distributions)


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {name: _distribution(dimension) for name, dimension in space.dimensions.items()}


def _distribution(dimension: Float | Int | Choice) -> BaseDistribution:
    if isinstance(dimension, Choice):
        return CategoricalDistribution(range(len(dimension.options)))
    if isinstance(dimension, Float):
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    return IntDistribution(dimension.low, dimension.high, log=dimension.log)


def _point(space: Space, params: Mapping[str, JsonValue]) -> Point:
    """Take what of the parameters has a place in the space, numbers moved into their bounds."""
    point: Point = {}
    for name, dimension in space.dimensions.items():
        if name not in params:
            continue
        value = params[name]
        number = dimension.index(value) if isinstance(dimension, Choice) else dimension.nearest(value)
        if number is not None:
            point[name] = number
    return point


def _value(space: Space, name: str, number: float) -> JsonValue:
    dimension = space.dimensions[name]
    return dimension.options[int(number)] if isinstance(dimension, Choice) else number


def _key(point: Point) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(point.items()))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from announcing every study, and leave its verbosity as the user had it."""
    with _verbosity:
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)
