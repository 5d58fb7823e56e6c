"""The engine from end to end, with code and sandbox played: every ending, every interruption, every resumption."""

import asyncio
import inspect
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.budget import StopFlag
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.nodes import run as run_nodes
from open_autoglm.agents.nodes import worker as worker_nodes
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.run import resume_run, start_run
from open_autoglm.agents.strategist import Operator
from open_autoglm.errors import ApprovalNeeded, InputError, Interrupted, RunDirectoryError
from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.task import BudgetSpec

NOISES = (2.0, 0.5, 1.0)
WORKER_NODES = ["choose", "write", "check", "smoke", "evaluate", "grade", "learn"]
RUN_NODES = ["understand", "profile", "confirm", "finalise", "export", "report"]


class Crash(BaseException):
    """Stands for the process dying: nothing may catch it."""


def run(folder: Path, played: engine.Played | None = None, **more: Any) -> Outcome:
    """Run three scripted drafts."""
    given = {"budget": BudgetSpec(attempts=2), **more}
    return start_run(
        engine.options(folder, **given), strategist=engine.strategist(*NOISES), sandbox=engine.sandbox(played)
    )


def resume(folder: Path, played: engine.Played | None = None, **more: Any) -> Outcome:
    return resume_run(folder / "run", strategist=engine.strategist(*NOISES), sandbox=engine.sandbox(played), **more)


def remembered(folder: Path) -> list[tuple[Any, ...]]:
    """Return what the journal holds of the attempts, without clocks."""
    journal = Journal(folder / "run" / "journal.sqlite")
    rows = [
        (a.id, a.operator, a.parents, a.seed, a.status, a.bundle, a.mean, a.fold_scores) for a in journal.attempts()
    ]
    journal.close()
    return rows


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, list[tuple[Any, ...]], list[str]]:
    """An uninterrupted run: its outcome, its attempts, its executions."""
    folder = tmp_path_factory.mktemp("straight")
    played = engine.Played()
    outcome = run(folder, played)
    return outcome, remembered(folder), played.executed


def test_delivers_the_best_of_the_drafts(straight: tuple[Outcome, list[Any], list[str]]) -> None:
    """The least noisy draft wins, with a holdout score between its bounds and above the dummy."""
    outcome, attempts, _ = straight

    assert outcome.status == "delivered", outcome.warnings
    assert outcome.stop_reason is StopReason.BUDGET_ATTEMPTS
    assert outcome.best_attempt == "a0002"
    assert outcome.score.holdout_low is not None
    assert outcome.score.holdout_low <= outcome.score.holdout <= outcome.score.holdout_high  # type: ignore[operator]  # it has bounds
    assert outcome.baseline.dummy == 0.5
    assert outcome.deliverable is not None
    assert (outcome.deliverable / "manifest.json").is_file()
    assert outcome.exit_code == 0
    assert [row[4] for row in attempts if row[1] is Operator.DRAFT] == [AttemptStatus.SCORED] * 2


def crash_once(where: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    """Wrap a node so that it dies once, before or after its work."""
    left = [1]

    async def node(state: Any, deps: Any) -> Any:
        if before and left.pop() if left else False:
            raise Crash
        update = await where(state, deps)
        if not before and left:
            left.pop()
            raise Crash
        return update

    return node


@pytest.mark.parametrize("before", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["before", "after"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ("write", "evaluate", "finalise", "export") else pytest.mark.slow)
        for name in [*RUN_NODES, *WORKER_NODES]
    ],
)
def test_a_run_that_dies_at_any_node_ends_like_a_straight_one(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    straight: tuple[Outcome, list[Any], list[str]],
    *,
    before: bool,
) -> None:
    """Nothing is lost, nothing recorded is executed twice, and the result is the same."""
    module = run_nodes if name in RUN_NODES else worker_nodes
    original = getattr(module, name)
    monkeypatch.setattr(module, name, crash_once(original, before=before))
    played = engine.Played()
    with pytest.raises((Crash, BaseExceptionGroup)):
        run(tmp_path, played)
    monkeypatch.setattr(module, name, original)
    outcome = resume(tmp_path, played)

    assert outcome.score == straight[0].score
    assert outcome.best_attempt == straight[0].best_attempt
    assert remembered(tmp_path) == straight[1]
    assert sorted(played.executed) == sorted(straight[2])


def test_more_attempts_after_the_end_go_on_where_the_run_stood(tmp_path: Path) -> None:
    """A finished run that gets more keeps its attempts and makes new ones."""
    first = run(tmp_path, budget=BudgetSpec(attempts=2))
    before = remembered(tmp_path)
    second = resume(tmp_path, budget=BudgetSpec(attempts=1))

    assert first.attempts == 2
    assert second.attempts == 3
    kept = remembered(tmp_path)
    assert [row for row in kept if row[0] in {r[0] for r in before}] == before


def test_a_first_stop_finishes_with_the_best_so_far(tmp_path: Path) -> None:
    """After a scored attempt a request to stop leads to finalise, not to nothing."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            stop.request()

    outcome = start_run(
        engine.options(tmp_path, budget=BudgetSpec(attempts=50)),
        strategist=engine.strategist(*NOISES),
        sandbox=engine.sandbox(),
        stop=stop,
        listeners=[listen],
    )

    assert outcome.stop_reason is StopReason.INTERRUPTED
    assert outcome.deliverable is not None
    assert outcome.attempts == 1
    again = resume(tmp_path)
    assert again.attempts > 1, "what the user ended goes on with the budget that is left"
    assert again.stop_reason is not StopReason.INTERRUPTED


def test_a_second_stop_ends_at_once_and_says_how_to_go_on(
    tmp_path: Path, straight: tuple[Outcome, list[Any], list[str]]
) -> None:
    """An abort is an error with the command to resume; the resumed run ends like a straight one."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            stop.abort()

    with pytest.raises(Interrupted, match="autoglm resume"):
        start_run(
            engine.options(tmp_path, budget=BudgetSpec(attempts=2)),
            strategist=engine.strategist(*NOISES),
            sandbox=engine.sandbox(),
            stop=stop,
            listeners=[listen],
        )

    assert resume(tmp_path).score == straight[0].score


def test_reaching_the_target_score_ends_the_search(tmp_path: Path) -> None:
    """The search stops at the first attempt that is good enough."""
    outcome = run(tmp_path, target_score=0.55)

    assert outcome.stop_reason is StopReason.TARGET_REACHED
    assert outcome.attempts == 1


def test_a_missed_target_score_is_a_model_with_a_warning(tmp_path: Path) -> None:
    """Exit code 3: a model, but a wish was not met."""
    outcome = run(tmp_path, target_score=0.9999)

    assert outcome.status == "delivered_with_warnings"
    assert outcome.exit_code == 3


def failing(job: Job) -> ExecutionReport:
    return ExecutionReport(
        execution_id=job.execution_id, phase=job.phase, status=Status.STATUS_ERROR, detail="it broke"
    )


def test_code_that_never_runs_ends_without_a_model(tmp_path: Path) -> None:
    """Every draft fails, repairs are offered twice, and the outcome says so."""
    from open_autoglm.sandbox.scripted import ScriptedSandbox  # noqa: PLC0415

    writer = engine.strategist(*NOISES, repairs=[engine.bundle(9.0), engine.bundle(9.5), None, None])
    outcome = start_run(
        engine.options(tmp_path, budget=BudgetSpec(attempts=3)), strategist=writer, sandbox=ScriptedSandbox(failing)
    )

    assert outcome.status == "failed"
    assert outcome.deliverable is None
    assert outcome.exit_code in (1, 53)
    assert len(writer.reports) == 4
    assert "it broke" in writer.reports[0].detail


def test_a_model_that_does_not_come_back_the_same_does_not_ship(tmp_path: Path) -> None:
    """Check (a): the favourite's bytes give other predictions the second time; the next candidate wins."""
    played = engine.Played()

    def play(job: Job) -> ExecutionReport:
        report = played(job)
        if job.phase == "check-a.predict" and job.execution_id.startswith("a0002"):
            import numpy as np  # noqa: PLC0415

            path = job.collect / "predictions.npy"
            np.save(path, np.load(path)[:, ::-1].copy())
        return report

    from open_autoglm.sandbox.scripted import ScriptedSandbox  # noqa: PLC0415

    outcome = start_run(
        engine.options(tmp_path, budget=BudgetSpec(attempts=3)),
        strategist=engine.strategist(*NOISES),
        sandbox=ScriptedSandbox(play),
    )

    assert outcome.best_attempt not in ("a0001", "a0002")
    assert any("failed a check" in warning for warning in outcome.warnings)


def test_predictions_that_depend_on_neighbours_are_refused(tmp_path: Path) -> None:
    """A model whose answer for a row changes with the rows beside it fails in the smoke test."""
    import numpy as np  # noqa: PLC0415

    played = engine.Played()

    def play(job: Job) -> ExecutionReport:
        report = played(job)
        if job.phase == "smoke.predict" and job.execution_id.startswith("a0001"):
            path = job.collect / "predictions.npy"
            matrix = np.load(path)
            np.save(path, np.roll(matrix, 1, axis=0))
        return report

    from open_autoglm.sandbox.scripted import ScriptedSandbox  # noqa: PLC0415

    start_run(
        engine.options(tmp_path, budget=BudgetSpec(attempts=2)),
        strategist=engine.strategist(*NOISES, repairs=[None]),
        sandbox=ScriptedSandbox(play),
    )
    journal = Journal(tmp_path / "run" / "journal.sqlite")

    assert journal.attempt("a0001").status is AttemptStatus.FAILED
    assert "rows beside it" in journal.attempt("a0001").failure
    journal.close()


def test_a_question_without_anybody_to_answer_needs_approval(tmp_path: Path) -> None:
    """Unattended and without --yes, an open question ends the run with its own exit code."""
    from open_autoglm.agents.strategist import Question, Understanding  # noqa: PLC0415

    writer = engine.strategist(*NOISES)

    async def understand(request: Any, answers: Any) -> Understanding:
        question = Question(field="target", text="Which column?", choices=("label", "z"), reason="it is last")
        return Understanding(task=engine.task(), questions=(question,))

    writer.understand = understand  # type: ignore[method-assign]  # a strategist that always asks
    options = engine.options(tmp_path, yes=False, budget=BudgetSpec(attempts=1))

    with pytest.raises(ApprovalNeeded, match="Which column"):
        start_run(options, strategist=writer, sandbox=engine.sandbox())
    assert not (tmp_path / "run").exists(), "a run that came to nothing leaves nothing"
    asked = []

    def answer(question: Question) -> str:
        asked.append(question.text)
        return question.choices[0]

    answered = start_run(options, strategist=writer, sandbox=engine.sandbox(), ask=answer)
    assert asked == ["Which column?"]
    assert answered.task.target == "label"


def test_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    """A notebook has a loop of its own."""

    async def notebook() -> Outcome:
        return run(tmp_path, budget=BudgetSpec(attempts=1))

    assert asyncio.run(notebook()).status == "delivered"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("x,label\n1,0\n0,1\n", "at least 10"),
        ("x,label\n" + "1,0\n" * 30, "one value only"),
        ("x,label\n" + "1,\n" * 30, "empty"),
    ],
)
def test_a_target_that_teaches_nothing_is_refused(rows: str, said: str, tmp_path: Path) -> None:
    """Too few rows, one class, no labels: one clear line."""
    data = tmp_path / "bad.csv"
    data.write_text(rows)

    with pytest.raises(InputError, match=said):
        start_run(engine.options(tmp_path, data=data), strategist=engine.strategist(1.0), sandbox=engine.sandbox())


def test_a_run_directory_in_use_is_not_overwritten(tmp_path: Path) -> None:
    """--out names a folder that is not empty: refused, with the way on."""
    run(tmp_path, budget=BudgetSpec(attempts=1))

    with pytest.raises(InputError, match="autoglm resume"):
        run(tmp_path)


def test_resuming_what_is_no_run_is_refused(tmp_path: Path) -> None:
    """A folder without run.json, one of another version, and a damaged one."""
    with pytest.raises(RunDirectoryError, match="not a run directory"):
        resume_run(tmp_path)
    (tmp_path / "run.json").write_text('{"run_id": "x", "layout": 99, "options": {}}')
    with pytest.raises(RunDirectoryError, match="layout 99"):
        resume_run(tmp_path)
    (tmp_path / "run.json").write_text('{"run_id": ')
    with pytest.raises(RunDirectoryError, match="damaged"):
        resume_run(tmp_path)


def test_checkpoints_of_closed_attempts_are_gone(tmp_path: Path) -> None:
    """The checkpoint is a cursor: after the run it holds the run's own thread only."""
    run(tmp_path)
    with sqlite3.connect(tmp_path / "run" / "checkpoint.sqlite") as db:
        threads = {row[0] for row in db.execute("SELECT DISTINCT thread_id FROM checkpoints")}

    assert threads <= {"run"}


def test_nodes_are_plain_coroutines() -> None:
    """No node knows the graph: each takes state and dependencies."""
    for module, names in ((run_nodes, RUN_NODES), (worker_nodes, WORKER_NODES)):
        for name in names:
            node = getattr(module, name)
            assert inspect.iscoroutinefunction(node)
            assert list(inspect.signature(node).parameters) == ["state", "deps"]


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    """A run ends all the threads it began."""
    before = threading.active_count()
    run(tmp_path, budget=BudgetSpec(attempts=1))

    assert threading.active_count() <= before + 1


def test_more_time_after_an_abort_in_finalise_searches_again(tmp_path: Path) -> None:
    """The user ended the search, then everything; with more to spend the search goes on."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            stop.request()
        elif event.kind is EventKind.STAGE_STARTED and event.data["stage"] == "finalise":
            stop.abort()

    with pytest.raises(Interrupted, match="autoglm resume"):
        start_run(
            engine.options(tmp_path, budget=BudgetSpec(attempts=5)),
            strategist=engine.strategist(*NOISES),
            sandbox=engine.sandbox(),
            stop=stop,
            listeners=[listen],
        )
    outcome = resume(tmp_path, budget=BudgetSpec(attempts=2))

    assert outcome.attempts == 3
    assert outcome.stop_reason is not StopReason.INTERRUPTED
