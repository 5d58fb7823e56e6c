"""What workers do between two attempts and within one: trials, ensembles, repairs, giving up, ending, going on."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents import run as run_module
from open_autoglm.agents.attempts import Attempt, AttemptStatus
from open_autoglm.agents.budget import Budget, StopFlag
from open_autoglm.agents.nodes import worker as worker_nodes
from open_autoglm.agents.nodes import writing
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.run import resume_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.strategist import Brief, Operator
from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec, TaskType
from open_autoglm.tools.tuning import Choice, Float, Space

pytestmark = pytest.mark.slow


def attempts(folder: Path, operator: Operator | None = None) -> list[Attempt]:
    with engine.journal(folder) as journal:
        return [a for a in journal.attempts() if operator is None or a.operator is operator]


# --- trials ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A run of one draft and five trials of it, one of which is better."""
    folder = tmp_path_factory.mktemp("tuned")
    space = Space(dimensions={"noise": Float(low=0.1, high=1.5)})
    writer = engine.strategist(2.0, space=space)
    return folder, engine.go(folder, writer=writer, budget=BudgetSpec(attempts=6))


def test_a_trial_is_an_attempt_of_the_same_code_with_other_params(tuned: tuple[Path, Outcome]) -> None:
    """Each trial has the bundle of its parent and PARAMS of its own; the best of them wins."""
    folder, outcome = tuned
    trials = attempts(folder, Operator.TUNE)
    winner = next(trial for trial in trials if trial.id == outcome.best_attempt)

    assert len(trials) == 5
    assert {trial.bundle for trial in trials} == {attempts(folder)[0].bundle}
    assert len({json.dumps(trial.params) for trial in trials}) == 5
    assert winner.params is not None


def test_a_trials_params_reach_the_deliverable(tuned: tuple[Path, Outcome]) -> None:
    """The delivered file has the winning PARAMS as its literal: it needs nobody to tell it."""
    folder, outcome = tuned
    params = next(trial.params for trial in attempts(folder) if trial.id == outcome.best_attempt)
    source = (folder / "run" / "deliverable" / "solution.py").read_text(encoding="utf-8")
    delivered: dict[str, Any] = {}
    exec(compile(source, "solution.py", "exec"), delivered)  # the code of this test

    assert delivered["PARAMS"] == params


@pytest.mark.slow
def test_a_trial_that_was_made_before_ends_the_tuning(tmp_path: Path) -> None:
    """A space of two points: the second is tried, then there is nothing left, and the search has converged."""
    space = Space(dimensions={"noise": Choice(options=[2.0, 0.5])})
    outcome = engine.go(tmp_path, writer=engine.strategist(2.0, space=space), budget=BudgetSpec(attempts=9))

    assert outcome.stop_reason is StopReason.CONVERGED
    assert [trial.status for trial in attempts(tmp_path, Operator.TUNE)][-1] is AttemptStatus.EMPTY


# --- ensembles -------------------------------------------------------------------------------------------------------


def merging(*noises: float) -> engine.Merging:
    return engine.Merging(engine.task(), [engine.bundle(noise) for noise in noises])


def test_an_ensemble_wins_by_its_cross_fitted_score(tmp_path: Path) -> None:
    """It is never executed on folds, is scored from its members' predictions, wins, and the story names the members."""
    played = engine.Played()
    outcome = engine.go(tmp_path, played, writer=merging(0.8, 1.1), budget=BudgetSpec(attempts=3))
    merged = attempts(tmp_path, Operator.MERGE)[0]
    story = RunStory.load(tmp_path / "run" / "story.json")

    assert merged.status is AttemptStatus.SCORED
    assert outcome.best_attempt == merged.id
    assert not [name for name in played.executed if name.startswith(f"{merged.id}-fold")]
    assert not [a for a in attempts(tmp_path, Operator.RERUN) if a.parents == (merged.id,)]
    assert sum(member.weight for member in story.ensemble) == pytest.approx(1.0)
    assert {member.attempt_id for member in story.ensemble} == {"a0001", "a0002"}


@pytest.mark.slow
def test_repeated_cross_validation_scores_each_repeat_by_itself(tmp_path: Path) -> None:
    """On tiny data an ensemble has as many fold scores as everybody else."""
    data = engine.table(tmp_path, TaskType.BINARY, rows=120)
    engine.go(tmp_path, data=data, writer=merging(0.8, 1.1), budget=BudgetSpec(attempts=3))
    merged, single = attempts(tmp_path, Operator.MERGE)[0], attempts(tmp_path)[0]

    assert merged.status is AttemptStatus.SCORED
    assert len(merged.fold_scores) == len(single.fold_scores) == 15


@pytest.mark.slow
def test_a_single_fold_is_cut_in_two_for_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one fold an ensemble is scored too, and passes the check that executes it."""
    from open_autoglm.tools.data import split  # noqa: PLC0415

    monkeypatch.setattr(split, "default_folds", lambda rows: (1, 1))
    outcome = engine.go(tmp_path, writer=merging(0.8, 1.1), budget=BudgetSpec(attempts=3))
    merged = attempts(tmp_path, Operator.MERGE)[0]

    assert len(merged.fold_scores) == 1
    assert outcome.best_attempt == merged.id


@pytest.mark.slow
def test_the_same_ensemble_is_not_made_twice(tmp_path: Path) -> None:
    """New attempts that no ensemble wants lead to the same members and weights: no attempt is spent on that."""
    writer = merging(0.8, 1.1, 30.0, 31.0, 32.0, 33.0, 34.0, 35.0, 36.0)
    engine.go(tmp_path, writer=writer, budget=BudgetSpec(attempts=10))
    made = [a for a in attempts(tmp_path, Operator.MERGE) if a.status is AttemptStatus.SCORED]

    assert len({a.bundle for a in made}) == len(made)


@pytest.mark.slow
def test_only_members_that_can_be_fitted_in_time_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitting both members three times would take the whole budget: there is no ensemble."""
    monkeypatch.setattr(writing, "ENSEMBLE_FIT_SHARE", 0.01)
    on_a_clock(
        tmp_path, monkeypatch, lambda job: 1.0 if job.phase == "fold.fit" else 0.01, writer=merging(0.8, 1.1),
        budget=BudgetSpec(seconds=100, attempts=3),
    )  # fmt: skip

    assert {a.status for a in attempts(tmp_path, Operator.MERGE)} == {AttemptStatus.EMPTY}


# --- repairs and the loop guard --------------------------------------------------------------------------------------


class Refusing(engine.Played):
    """Plays jobs; code with a noise of 9 or more breaks."""

    def __call__(self, job: Job) -> ExecutionReport:
        report = super().__call__(job)
        if any(f'"noise": {noise}' in job.code["solution.py"] for noise in ("9.0", "9.5")):
            engine.fail(job, report)
        return report


def test_broken_code_is_mended_and_goes_on(tmp_path: Path) -> None:
    """The first repair is broken too, the second works: one attempt, two repairs, a score."""
    writer = engine.strategist(9.0, repairs=[engine.bundle(9.5), engine.bundle(0.5)])
    outcome = engine.go(tmp_path, Refusing(), writer=writer, budget=BudgetSpec(attempts=1))

    assert [(a.status, a.repairs, a.title) for a in attempts(tmp_path, Operator.DRAFT)] == [
        (AttemptStatus.SCORED, 2, "noise 0.5")
    ]
    assert outcome.attempts == 1


@pytest.mark.slow
def test_a_repair_that_was_recorded_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies between recording the mended code and moving on: the mended code is executed, not mended."""
    original = worker_nodes.repair

    async def repair(state: Any, deps: Any) -> Any:
        await original(state, deps)
        raise KeyboardInterrupt

    monkeypatch.setattr(worker_nodes, "repair", repair)
    first = engine.strategist(9.0, repairs=[engine.bundle(0.5)])
    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup, asyncio.CancelledError)):
        engine.go(tmp_path, Refusing(), writer=first, budget=BudgetSpec(attempts=1))
    monkeypatch.setattr(worker_nodes, "repair", original)
    second = engine.strategist(9.0, repairs=[])
    outcome = resume_run(tmp_path / "run", strategist=second, sandbox=engine.sandbox(Refusing()))

    assert outcome.deliverable is not None
    assert second.reports == []


@pytest.mark.slow
@pytest.mark.parametrize("noise", [9.0, 0.5], ids=["itself", "another's"])
def test_a_repair_that_is_no_news_ends_the_attempt(noise: float, tmp_path: Path) -> None:
    """The mended code is the broken one, or what another attempt has: nothing is executed twice."""
    writer = engine.strategist(0.5, 9.0, repairs=[engine.bundle(noise)])
    engine.go(tmp_path, Refusing(), writer=writer)

    assert [a.status for a in attempts(tmp_path, Operator.DRAFT)] == [AttemptStatus.SCORED, AttemptStatus.FAILED]


def test_code_against_the_rules_is_never_executed(tmp_path: Path) -> None:
    """What the rules refuse goes to repair with the line and the reason, and nowhere near a sandbox."""
    source = engine.CODE.format(noise=0.7) + "\nimport requests\n"
    broken = CodeBundle(files={"solution.py": source}, author=Author.RECIPES)
    played = engine.Played()
    writer = ScriptedStrategist(engine.task(), [broken, engine.bundle(0.5)], repairs=[None])
    engine.go(tmp_path, played, writer=writer)

    assert not [name for name in played.executed if name.startswith("a0001")]
    assert "solution.py:" in writer.reports[0].detail


@pytest.mark.slow
def test_a_model_that_cannot_predict_fails_the_smoke_test(tmp_path: Path) -> None:
    """What it says is what the repair is asked with."""
    writer = engine.strategist(2.0, 0.5, repairs=[None])
    engine.go(tmp_path, engine.Tampered("smoke.predict", engine.fail, attempt="a0001"), writer=writer)

    assert writer.reports[0].detail == "it broke"


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["smoke.predict", "fold.predict"])
def test_predictions_that_cannot_be_used_fail_the_attempt(phase: str, tmp_path: Path) -> None:
    """In the smoke test they are mended, on a fold they end the attempt, with the reason."""
    writer = engine.strategist(2.0, 0.5, repairs=[None])
    engine.go(tmp_path, engine.Tampered(phase, engine.spoil, attempt="a0001"), writer=writer)
    failed = attempts(tmp_path)[0]

    assert failed.status is AttemptStatus.FAILED
    assert failed.failure
    assert len(writer.reports) == (1 if phase == "smoke.predict" else 0)


def test_the_same_draft_again_is_no_attempt(tmp_path: Path) -> None:
    """The loop guard: a twin is not executed and costs nothing of the budget."""
    outcome = engine.go(tmp_path, writer=engine.strategist(0.5, 0.5, 2.0))

    assert [a.status for a in attempts(tmp_path, Operator.DRAFT)][1] is AttemptStatus.EMPTY
    assert outcome.attempts == 1


# --- giving up, and ending -------------------------------------------------------------------------------------------


def test_a_hopeless_attempt_is_given_up_after_two_folds(tmp_path: Path) -> None:
    """Far behind on the same folds: the others are saved, and it never competes."""
    played = engine.Played()
    engine.go(tmp_path, played, writer=engine.strategist(0.1, 500.0))
    stopped = attempts(tmp_path)[1]

    assert (stopped.status, stopped.mean) == (AttemptStatus.STOPPED, None)
    assert stopped.failure == "given up after 2 folds, far behind the best"
    assert len([name for name in played.executed if name.startswith("a0002-fold.fit")]) == 2


class Worsening(ScriptedStrategist):
    """Always has another draft, a little worse than the last."""

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write the next."""
        return engine.bundle(0.5 + 0.01 * index)


@pytest.mark.slow
def test_the_search_ends_where_nothing_gains_any_more(tmp_path: Path) -> None:
    """Small data, many attempts without gain: on and on would fit the folds by chance. More budget opens it again."""
    data = engine.table(tmp_path, TaskType.BINARY, rows=160)
    writer = Worsening(engine.task(), [])
    outcome = engine.go(tmp_path, data=data, writer=writer, budget=BudgetSpec(attempts=60), holdout=0.2)
    more = resume_run(tmp_path / "run", budget=BudgetSpec(attempts=2), strategist=writer, sandbox=engine.sandbox())

    assert outcome.stop_reason is StopReason.NO_PROGRESS
    assert outcome.attempts < 20
    assert more.stop_reason is StopReason.BUDGET_ATTEMPTS
    assert more.attempts == outcome.attempts + 2


@pytest.mark.slow
def test_an_improvement_follows_its_parent(tmp_path: Path) -> None:
    """When the drafts are over, the best is improved."""
    writer = ScriptedStrategist(engine.task(), [engine.bundle(2.0)], improvements=[engine.bundle(0.5)])
    outcome = engine.go(tmp_path, writer=writer)
    improved = attempts(tmp_path, Operator.IMPROVE)[0]

    assert (improved.parents, outcome.best_attempt) == (("a0001",), improved.id)


# --- cut, and reopened -----------------------------------------------------------------------------------------------


def fold_time(attempt: str, fold: int, seconds: float) -> Callable[[Job], float]:
    """Return the cost of jobs: one fit takes long, all others no time."""
    return lambda job: seconds if job.execution_id == f"{attempt}-fold.fit-{fold}" else 0.05


def on_a_clock(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cost: Callable[[Job], float], **more: Any
) -> tuple[Outcome, engine.Timed]:
    clock = engine.Clock()
    monkeypatch.setattr(run_module, "Budget", partial(Budget, clock=clock))
    played = engine.Timed(clock, cost)
    return engine.go(folder, played, **more), played


def test_an_attempt_cut_by_the_deadline_is_finished_with_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fold that was running when time ran out is executed again; those before it are not; then it competes."""
    first, played = on_a_clock(
        tmp_path, monkeypatch, lambda job: 1e6 if job.execution_id == "a0002-fold.fit-3" else 1.2 * (job.phase == "fold.fit"),
        writer=engine.strategist(2.0, 0.5), budget=BudgetSpec(seconds=20),
    )  # fmt: skip
    cut = attempts(tmp_path)[1]
    assert (cut.status, cut.detail.get("cut")) == (AttemptStatus.STOPPED, True), cut.failure
    assert first.best_attempt == "a0001"
    assert first.stop_reason is StopReason.BUDGET_SECONDS

    before = list(played.executed)
    again = engine.Played()
    more = resume_run(
        tmp_path / "run", budget=BudgetSpec(seconds=600), strategist=engine.strategist(2.0, 0.5), sandbox=engine.sandbox(again)
    )  # fmt: skip
    finished = attempts(tmp_path)[1]

    assert (finished.status, more.best_attempt) == (AttemptStatus.SCORED, "a0002")
    assert "cut" not in finished.detail
    assert "a0002-fold.fit-3" in again.executed
    done = {name for name in before if name != "a0002-fold.fit-3"}
    assert not {name for name in again.executed if name.startswith("a0002-fold")} & done


def test_an_attempt_that_is_slow_by_itself_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No single fit may eat the budget: it is killed after its share, and others have their turn."""
    outcome, played = on_a_clock(
        tmp_path,
        monkeypatch,
        fold_time("a0001", 0, 1e6),
        writer=engine.strategist(0.5, 2.0),
        budget=BudgetSpec(seconds=60),
    )
    slow = attempts(tmp_path)[0]

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

    outcome, _ = on_a_clock(tmp_path, monkeypatch, cost, writer=writer, budget=BudgetSpec(seconds=60))

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
    outcome, _ = on_a_clock(tmp_path, monkeypatch, cost, writer=writer, budget=BudgetSpec(seconds=20))

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
    cut = attempts(tmp_path)[1]
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

    assert attempts(tmp_path)[1].status is AttemptStatus.SCORED
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
    assert attempts(tmp_path)[1].detail.get("cut") is True
    resume_run(tmp_path / "run", budget=BudgetSpec(attempts=1), strategist=writer(), sandbox=engine.sandbox())
    with engine.journal(tmp_path) as journal:
        assert journal.attempt("a0002").failure.startswith("given up")
        assert journal.reopen_cut() == 0


@pytest.mark.slow
def test_importing_the_nodes_needs_no_graph() -> None:
    """Only `agents.graph` knows LangGraph."""
    code = "import sys, open_autoglm.agents.nodes.worker, open_autoglm.agents.nodes.run; sys.exit('langgraph' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
