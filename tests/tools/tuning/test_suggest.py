"""Suggestions come from the journal's trials alone: the same trials, the same suggestion."""

import logging
import math
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from open_autoglm.tools.tuning import Choice, Float, Int, Space, Trial, suggest

SPACE = Space(
    dimensions={
        "rate": Float(low=1e-4, high=1, log=True),
        "depth": Int(low=1, high=12),
        "kind": Choice(options=["a", None, [1, 2], True]),
    }
)


def loss(params: dict) -> float:
    """Smallest (0) at rate 0.01, depth 7, kind None."""
    return (math.log10(params["rate"]) + 2) ** 2 + ((params["depth"] - 7) / 4) ** 2 + (params["kind"] is not None)


def test_a_space_survives_json() -> None:
    """It is part of a saved attempt."""
    assert Space.model_validate_json(SPACE.model_dump_json()) == SPACE


@pytest.mark.parametrize(
    ("dimension", "message"),
    [
        ({"kind": "float", "low": 2, "high": 1}, "low 2.0 is above high 1.0"),
        ({"kind": "int", "low": 0, "high": 9, "log": True}, "starts above 0"),
        ({"kind": "float", "low": 0, "high": math.inf}, "finite"),
        ({"kind": "choice", "options": []}, "at least 1"),
        ({"kind": "choice", "options": ["a", "a"]}, "named twice"),
        ({"kind": "normal", "low": 0}, "float"),
    ],
)
def test_impossible_dimensions_are_refused(dimension: dict, message: str) -> None:
    """A model may have written them."""
    with pytest.raises(ValidationError, match=message):
        Space.model_validate({"dimensions": {"x": dimension}})


def test_true_is_not_one() -> None:
    """JSON tells them apart, and so do the options."""
    choice = Choice(options=[1, True, 0, False])

    assert [choice.index(value) for value in (True, 1, False, 0, 2)] == [1, 0, 3, 2, None]


def test_the_same_trials_give_the_same_suggestion() -> None:
    """A resumed run goes on as if it had not stopped; another seed, or one more trial, draws anew."""
    trials = [Trial(params={"rate": 0.01 * (n + 1), "depth": n + 1, "kind": "a"}, value=float(n)) for n in range(11)]

    first = suggest(SPACE, trials, greater_is_better=True, seed=5)

    assert first == suggest(SPACE, trials, greater_is_better=True, seed=5)
    assert first != suggest(SPACE, trials, greater_is_better=True, seed=6)
    assert first != suggest(SPACE, trials[:-1], greater_is_better=True, seed=5)
    assert list(first) == ["rate", "depth", "kind"]


def test_the_start_goes_first() -> None:
    """Once; names outside the space are ignored, numbers moved into it, missing ones drawn."""
    start = {"rate": 5.0, "depth": 3, "other": 1}

    first = suggest(SPACE, [], greater_is_better=True, seed=0, start=start)
    second = suggest(SPACE, [Trial(params=first, value=1.0)], greater_is_better=True, seed=0, start=start)

    assert (first["rate"], first["depth"]) == (1.0, 3)
    assert (second["rate"], second["depth"]) != (1.0, 3)


def searched(seed: int, count: int, *, failing: bool = False) -> list[Trial]:
    trials: list[Trial] = []
    for _ in range(count):
        params = suggest(SPACE, trials, greater_is_better=False, seed=seed)
        failed = failing and params["kind"] != "a"
        trials.append(Trial(params=params, value=None if failed else loss(params)))
    return trials


def test_it_beats_chance() -> None:
    """The best of 30 suggestions, against the best of 30 random points, over three seeds."""
    best = [min(trial.value for trial in searched(seed, 30) if trial.value is not None) for seed in range(3)]
    chance = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        points = [
            {
                "rate": 10 ** random.uniform(-4, 0),
                "depth": random.integers(1, 13),
                "kind": random.choice([None, 1, 2, 3]),
            }
            for _ in range(30)
        ]
        chance.append(min(loss(point) for point in points))

    assert np.mean(best) < np.mean(chance) / 2


def test_failures_are_avoided() -> None:
    """Where all but one option fails, the search learns to take that one."""
    trials = searched(0, 30, failing=True)

    assert sum(trial.params["kind"] == "a" for trial in trials[15:]) >= 9


def test_nothing_is_suggested_twice_while_there_is_more() -> None:
    """Six points, six different suggestions, scored, failed or still running; then it repeats one."""
    space = Space(dimensions={"n": Int(low=1, high=3), "b": Choice(options=[True, False])})
    trials: list[Trial] = []
    for turn in range(6):
        params = suggest(space, trials, greater_is_better=True, seed=1)
        trials.append(Trial(params=params, value=[None, 1.0, math.nan][turn % 3], pending=turn == 0))

    assert len({(trial.params["n"], trial.params["b"]) for trial in trials}) == 6
    assert suggest(space, trials, greater_is_better=True, seed=1) in [dict(trial.params) for trial in trials]


def test_workers_do_not_crowd() -> None:
    """Four picks that do not know each other's scores are four different ones."""
    trials = searched(0, 12)
    for _ in range(4):
        params = suggest(SPACE, trials, greater_is_better=False, seed=0)
        trials.append(Trial(params=params, pending=True))

    rates = sorted(math.log10(trial.params["rate"]) for trial in trials[-4:])
    assert min(np.diff(rates)) > 1e-3


def test_trials_of_another_space_are_only_counted() -> None:
    """An unknown option, a missing name, a number that is none: no error, and nothing learned."""
    odd = [
        Trial(params=params, value=1.0)
        for params in ({}, {"rate": "x", "depth": 1, "kind": "zzz"}, {"depth": math.nan})
    ]

    assert set(suggest(SPACE, odd, greater_is_better=True, seed=0)) == set(SPACE.dimensions)


def test_optuna_keeps_quiet_and_keeps_its_verbosity(caplog: pytest.LogCaptureFixture) -> None:
    """No line per study, and the user's own Optuna logs as before."""
    import optuna  # noqa: PLC0415 - only this test looks at it

    before = optuna.logging.get_verbosity()
    optuna.logging.enable_propagation()
    with caplog.at_level(logging.DEBUG):
        suggest(SPACE, [], greater_is_better=True, seed=0)
    optuna.logging.disable_propagation()

    assert caplog.records == []
    assert optuna.logging.get_verbosity() == before


def test_a_space_does_not_load_optuna() -> None:
    """Strategists import `Space`; `autoglm --help` must stay instant."""
    code = "import sys, open_autoglm.tools.tuning; sys.exit('optuna' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
