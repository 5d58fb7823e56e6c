"""Attempts that the end of the time or the user cut: what is kept, and what more time makes of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents import run as run_module
from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.budget import Budget, StopFlag
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.run import resume_run
from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.task import BudgetSpec

pytestmark = pytest.mark.slow


def fold_time(attempt: str, fold: int, seconds: float) -> Callable[[Job], float]:
    """Return the cost of jobs: one fit takes long, all others no time."""
    return lambda job: seconds if job.execution_id == f"{attempt}-fold.fit-{fold}" else 0.05


def test_an_attempt_cut_by_the_deadline_is_finished_with_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fold that was running when time ran out is executed again; those before it are not; then it competes."""
    first, _, played = engine.on_a_clock(
        tmp_path, monkeypatch, lambda job: 1e6 if job.execution_id == "a0002-fold.fit-3" else 1.2 * (job.phase == "fold.fit"),
        writer=engine.strategist(2.0, 0.5), budget=BudgetSpec(seconds=20),
    )  # fmt: skip
    cut = engine.attempts(tmp_path)[1]
    assert (cut.status, cut.detail.get("cut")) == (AttemptStatus.STOPPED, True), cut.failure
    assert first.best_attempt == "a0001"
    assert first.stop_reason is StopReason.BUDGET_SECONDS

    before = list(played.executed)
    again = engine.Played()
    more = resume_run(
        tmp_path / "run", budget=BudgetSpec(seconds=600), strategist=engine.strategist(2.0, 0.5), sandbox=engine.sandbox(again)
    )  # fmt: skip
    finished = engine.attempts(tmp_path)[1]

    assert (finished.status, more.best_attempt) == (AttemptStatus.SCORED, "a0002")
    assert "cut" not in finished.detail
    assert "a0002-fold.fit-3" in again.executed
    done = {name for name in before if name != "a0002-fold.fit-3"}
    assert not {name for name in again.executed if name.startswith("a0002-fold")} & done


def test_an_attempt_that_is_slow_by_itself_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No single fit may eat the budget: it is killed after its share, and others have their turn."""
    outcome, _, played = engine.on_a_clock(
        tmp_path,
        monkeypatch,
        fold_time("a0001", 0, 1e6),
        writer=engine.strategist(0.5, 2.0),
        budget=BudgetSpec(seconds=60),
    )
    slow = engine.attempts(tmp_path)[0]

    assert slow.status is AttemptStatus.FAILED
    assert outcome.best_attempt == "a0002"
    assert "a0002-fold.fit-4" in played.executed


@pytest.mark.slow
def test_more_time_is_what_a_fit_has_its_share_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an hour's run, a minute more is a minute: a fit gets its part of that, not of the hour."""
    clock = engine.Clock()
    monkeypatch.setattr(run_module, "Budget", partial(Budget, clock=clock))
    engine.go(
        tmp_path, engine.Timed(clock, lambda job: 0.05),
        writer=engine.strategist(2.0, 0.5), budget=BudgetSpec(seconds=3600, attempts=1),
    )  # fmt: skip
    with engine.journal(tmp_path) as journal:
        journal.record_clock("an hour", 3600.0)
    limits: list[float] = []

    def cost(job: Job) -> float:
        if job.phase == "fold.fit":
            limits.append(job.limits.wall_seconds)
        return 0.05

    resume_run(
        tmp_path / "run", budget=BudgetSpec(seconds=60), strategist=engine.strategist(2.0, 0.5),
        sandbox=engine.sandbox(engine.Timed(clock, cost)),
    )  # fmt: skip

    assert limits
    assert max(limits) <= 0.2 * 60 + 1


@pytest.mark.slow
def test_smoke_tests_that_hang_leave_time_for_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft and its repairs hang in the smoke test: half of the budget is left for the next draft."""
    writer = engine.strategist(9.0, 0.5, repairs=[engine.bundle(9.5), engine.bundle(9.7)])

    def cost(job: Job) -> float:
        return 1e6 if job.execution_id.startswith("a0001") else 0.05

    outcome, _, _ = engine.on_a_clock(tmp_path, monkeypatch, cost, writer=writer, budget=BudgetSpec(seconds=60))

    assert outcome.best_attempt == "a0002"


@pytest.mark.slow
def test_the_end_of_the_time_within_a_smoke_test_is_nobodys_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No repair is asked for code that was only late."""

    def cost(job: Job) -> float:
        if job.execution_id == "a0002-smoke.fit-0":
            return 1e6
        return 1.8 if job.phase == "fold.fit" else 0.05

    writer = engine.strategist(2.0, 0.5)
    outcome, _, _ = engine.on_a_clock(tmp_path, monkeypatch, cost, writer=writer, budget=BudgetSpec(seconds=20))

    assert outcome.best_attempt == "a0001"
    assert writer.reports == []


@pytest.mark.parametrize("how", ["within a fold", pytest.param("between two folds", marks=pytest.mark.slow)])
def test_a_stop_within_an_attempt_ends_it_and_resuming_finishes_it(how: str, tmp_path: Path) -> None:
    """With something scored, Ctrl-C ends what is running, also when nothing runs at that moment; nothing is lost."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        data = event.data
        if event.kind is EventKind.EXECUTION_FINISHED and (data["attempt"], data["phase"], data["fold"]) == (
            "a0002",
            "fold.predict",
            0,
        ):
            stop.request()

    def cancel(job: Job, report: ExecutionReport) -> None:
        if how == "within a fold" and job.execution_id == "a0002-fold.fit-0":
            stop.request()
            report.status = Status.STATUS_CANCELLED

    played = engine.Tampered("fold.fit", cancel)
    first = engine.go(tmp_path, played, listeners=[listen], stop=stop, budget=BudgetSpec(attempts=3))
    cut = engine.attempts(tmp_path)[1]
    assert (first.stop_reason, first.best_attempt, cut.status) == (
        StopReason.INTERRUPTED,
        "a0001",
        AttemptStatus.STOPPED,
    )
    assert len([name for name in played.executed if name.startswith("a0002-fold.fit")]) <= 1
    again = resume_run(
        tmp_path / "run",
        budget=BudgetSpec(attempts=1),
        strategist=engine.strategist(2.0, 0.5, 1.0),
        sandbox=engine.sandbox(),
    )

    assert engine.attempts(tmp_path)[1].status is AttemptStatus.SCORED
    assert again.best_attempt == "a0002"


@pytest.mark.slow
def test_an_attempt_that_was_cut_and_then_given_up_is_not_reopened_again(tmp_path: Path) -> None:
    """What was cut once and turned out to be hopeless is closed for good."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.EXECUTION_FINISHED and event.data["attempt"] == "a0002":
            stop.request()

    writer = partial(engine.strategist, 0.1, 500.0)
    engine.go(tmp_path, writer=writer(), listeners=[listen], stop=stop)
    assert engine.attempts(tmp_path)[1].detail.get("cut") is True
    resume_run(tmp_path / "run", budget=BudgetSpec(attempts=1), strategist=writer(), sandbox=engine.sandbox())
    with engine.journal(tmp_path) as journal:
        assert journal.attempt("a0002").failure.startswith("given up")
        assert journal.reopen_cut() == 0
