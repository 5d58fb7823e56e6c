"""Budgets: what is spent, what is left, what finalise keeps for itself."""

import pytest

from open_autoglm.agents.budget import DEFAULT_SECONDS, Budget, StopFlag, merged_budget
from open_autoglm.agents.outcome import StopReason
from open_autoglm.tools.task import BudgetSpec


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_of_earlier_processes_counts() -> None:
    """A resumed run gets what is left."""
    clock = Clock()
    budget = Budget(BudgetSpec(seconds=60), 20.0, clock)
    clock.now += 10

    assert budget.seconds == 30
    assert budget.seconds_left == 30


def test_waiting_for_a_person_does_not_count() -> None:
    """The clock stands still while a question is open."""
    clock = Clock()
    budget = Budget(BudgetSpec(seconds=60), clock=clock)
    with budget.waiting():
        clock.now += 1000

    assert budget.seconds == 0


def test_finalise_has_a_reserve_that_grows_with_the_model() -> None:
    """A model that is slow to fit leaves less time to the search, but never less than about half."""
    budget = Budget(BudgetSpec(seconds=60))

    assert 0 < budget.reserve_seconds(None) < budget.reserve_seconds(2.0) <= 0.5 * 60
    assert budget.reserve_seconds(1000.0) <= 0.5 * 60


@pytest.mark.parametrize(
    ("spec", "spent", "reason"),
    [
        (BudgetSpec(attempts=3), {"attempts": 3}, StopReason.BUDGET_ATTEMPTS),
        (BudgetSpec(tokens=10), {"tokens": 10}, StopReason.BUDGET_TOKENS),
        (BudgetSpec(money=1.0), {"money": 2.0}, StopReason.BUDGET_MONEY),
        (BudgetSpec(attempts=3), {"attempts": 2}, None),
    ],
)
def test_each_budget_has_its_own_reason(spec: BudgetSpec, spent: dict[str, int], reason: StopReason | None) -> None:
    """The reason says which budget ended the search."""
    used = {"attempts": 0, "tokens": 0, "money": 0.0, **spent}

    assert Budget(spec).exhausted(fit_seconds=None, **used) is reason  # type: ignore[arg-type]  # plain numbers


def test_seconds_end_the_search_before_they_end_the_run() -> None:
    """The reserve is out of the search's reach."""
    clock = Clock()
    budget = Budget(BudgetSpec(seconds=10), clock=clock)
    clock.now += 10 - budget.reserve_seconds(None)

    assert budget.exhausted(attempts=0, tokens=0, money=0.0, fit_seconds=None) is StopReason.BUDGET_SECONDS
    assert budget.seconds_left is not None
    assert budget.seconds_left > 0


def test_what_options_say_stands_above_the_sentence_and_settings() -> None:
    """Option, then sentence, then settings, then ten minutes."""
    merged = merged_budget(BudgetSpec(seconds=1), BudgetSpec(seconds=2, attempts=5), BudgetSpec(attempts=9, tokens=7))

    assert merged == BudgetSpec(seconds=1, attempts=5, tokens=7)
    assert merged_budget(BudgetSpec(), BudgetSpec()) == BudgetSpec(seconds=DEFAULT_SECONDS)
    assert merged_budget(BudgetSpec(attempts=4), BudgetSpec()).seconds is None


def test_a_stop_flag_tells_its_listeners() -> None:
    """A request asks to finish; an abort asks to stop at once; both are heard."""
    flag, heard = StopFlag(), []
    flag.on_change(lambda: heard.append((flag.requested, flag.aborted)))
    flag.request()
    flag.abort()

    assert heard == [(True, False), (True, True)]


def test_the_reserve_of_a_resumed_run_is_of_what_it_was_given() -> None:
    """More time after a long run is for searching, not for a reserve measured by the whole."""
    clock = Clock()
    short = Budget(BudgetSpec(seconds=20), clock=clock).reserve_seconds(1.0)
    resumed = Budget(BudgetSpec(seconds=620), 600.0, clock).reserve_seconds(1.0)

    assert resumed == short


def test_the_reserve_follows_the_pace_of_the_machine() -> None:
    """Where executions start quickly the search gets more of the time, where they are slow the report keeps its own."""
    idle, usual, busy = (Budget(BudgetSpec(seconds=60)) for _ in range(3))
    for _ in range(4):
        idle.note_pace([0.012, 0.013, 0.5])
        busy.note_pace([0.05, 0.2, 0.09])
        usual.note_pace([])

    assert idle.reserve_seconds(1.0) < usual.reserve_seconds(1.0) < busy.reserve_seconds(1.0) <= 0.5 * 60
    assert usual.pace == 1.0
