"""Workers side by side: what they share, how they wait for each other, and why the search ends."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.search.base import Pick, SearchView
from open_autoglm.agents.search.greedy import GreedyPolicy
from open_autoglm.agents.strategist import Operator
from open_autoglm.agents.waiting import WaitingRoom
from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.task import BudgetSpec
from open_autoglm.tools.tuning import Float, Space

SECONDS = 30
"""Nothing here takes so long unless it is broken."""


def test_workers_share_the_journal_and_nothing_else(tmp_path: Path) -> None:
    """Three workers make each draft once, and find the winner that one finds."""
    outcome = engine.go(tmp_path, writer=engine.strategist(2.0, 0.5, 1.0), workers=3, budget=BudgetSpec(attempts=3))
    drafts = engine.attempts(tmp_path, Operator.DRAFT)

    assert outcome.status == "delivered"
    assert sorted(a.title for a in drafts) == ["noise 0.5", "noise 1.0", "noise 2.0"]
    assert {a.status for a in drafts} == {AttemptStatus.SCORED}
    assert next(a.title for a in drafts if a.id == outcome.best_attempt) == "noise 0.5"


class InTurn(engine.Played):
    """Plays jobs; those of the second attempt wait until the first is told to go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def __call__(self, job: Job) -> ExecutionReport:
        if job.execution_id.startswith("a0002"):
            self.go_on.wait(SECONDS)
        return super().__call__(job)


def test_the_reason_is_that_of_the_last_worker_to_end(tmp_path: Path) -> None:
    """One worker has nothing left to do, the other reaches the target afterwards: the target is why the search ended."""
    played = InTurn()

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            played.go_on.set()

    outcome = engine.go(
        tmp_path, played, writer=engine.strategist(400.0, 0.5), workers=2, target_score=0.7, budget=BudgetSpec(attempts=9),
        listeners=[listen],
    )  # fmt: skip

    assert outcome.stop_reason is StopReason.TARGET_REACHED
    assert outcome.attempts == 2


class Meeting(engine.Played):
    """Plays jobs; the first attempt goes on when `nothing_to_do` is set, a trial when another has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing_to_do, self.met = threading.Event(), threading.Event()
        self._trials: set[str] = set()

    def __call__(self, job: Job) -> ExecutionReport:
        if job.phase == "smoke.fit":
            assert self.nothing_to_do.wait(SECONDS)
        if job.context["params"]:
            self._trials.add(job.execution_id.split("-")[0])
            if len(self._trials) > 1:
                self.met.set()
            assert self.met.wait(SECONDS)
        return super().__call__(job)


@pytest.mark.slow
def test_a_worker_with_nothing_to_choose_waits_for_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One draft for two workers: the second has nothing to do until it is scored, and then both tune it at once."""
    played, decide = Meeting(), GreedyPolicy.choose

    def choose(policy: GreedyPolicy, view: SearchView) -> Pick | None:
        pick = decide(policy, view)
        if pick is None:
            played.nothing_to_do.set()
        return pick

    monkeypatch.setattr(GreedyPolicy, "choose", choose)
    space = Space(dimensions={"noise": Float(low=0.1, high=1.5)})
    outcome = engine.go(
        tmp_path, played, writer=engine.strategist(2.0, space=space), workers=2, budget=BudgetSpec(attempts=3)
    )

    trials = engine.attempts(tmp_path, Operator.TUNE)
    assert {trial.status for trial in trials} == {AttemptStatus.SCORED}
    assert {trial.worker for trial in trials} == {0, 1}
    assert outcome.stop_reason is StopReason.BUDGET_ATTEMPTS


def test_whoever_waits_decides_anew_until_nobody_is_busy() -> None:
    """News wakes all, also news that came while one was still deciding; the last to have nothing to do ends it for all."""

    async def three() -> None:
        room = WaitingRoom(3)
        seen = room.news
        first, second = asyncio.ensure_future(room.wait(seen)), asyncio.ensure_future(room.wait(seen))
        await asyncio.sleep(0)
        room.tell()
        assert await first
        assert await second
        assert await room.wait(seen), "decided before the news"
        first = asyncio.ensure_future(room.wait(room.news))
        await asyncio.sleep(0)
        room.leave()
        assert await first, "another's end is news"
        first, second = asyncio.ensure_future(room.wait(room.news)), asyncio.ensure_future(room.wait(room.news))
        assert not await second
        assert not await first

    asyncio.run(three())
