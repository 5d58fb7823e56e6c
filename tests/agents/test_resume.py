"""Interruptions and what comes after them: a run that dies, is stopped or gets more to spend goes on where it stood."""

import inspect
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents import graph
from open_autoglm.agents.budget import StopFlag
from open_autoglm.agents.nodes import run as run_nodes
from open_autoglm.agents.nodes import worker as worker_nodes
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.run import resume_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.errors import Interrupted, RunDirectoryError
from open_autoglm.events import Event, EventKind
from open_autoglm.tools.task import BudgetSpec

NODES = [*graph.build_run_graph().nodes, *graph.build_worker_graph().nodes]
FAST = {"repair", "evaluate", "finalise"}
"""Where the fast tests let a run die; the slow ones let it die at every node."""


class Crash(BaseException):
    """Stands for the process dying: nothing may catch it."""


def writer() -> ScriptedStrategist:
    """Write two drafts; the first is broken, and mended into one that is worse than the second."""
    return engine.strategist(9.0, 0.5, repairs=[engine.bundle(2.0)])


def run(folder: Path, played: engine.Played | None = None, **more: Any) -> Outcome:
    return engine.go(folder, played or engine.Refusing(), writer=writer(), **more)


def resume(folder: Path, played: engine.Played | None = None, **more: Any) -> Outcome:
    return resume_run(folder / "run", strategist=writer(), sandbox=engine.sandbox(played or engine.Refusing()), **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Straight:
    """An uninterrupted run."""

    folder: Path
    outcome: Outcome
    attempts: list[tuple[Any, ...]]
    executed: list[str]
    passed: set[str]
    """Names of the nodes that it came through."""


def remembered(folder: Path) -> list[tuple[Any, ...]]:
    """Return what the journal holds of the attempts, without clocks."""
    return [
        (a.id, a.operator, a.parents, a.seed, a.status, a.bundle, a.repairs, a.mean, a.fold_scores)
        for a in engine.attempts(folder)
    ]


def where(name: str) -> Any:
    """Return the module that a node's function is looked up in."""
    return next(
        module for module in (graph, run_nodes, worker_nodes) if inspect.iscoroutinefunction(vars(module).get(name))
    )


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Straight:
    folder, played, passed = tmp_path_factory.mktemp("straight"), engine.Refusing(), set()

    def noting(name: str, node: Callable[..., Any]) -> Callable[..., Any]:
        async def call(state: Any, deps: Any) -> Any:
            passed.add(name)
            return await node(state, deps)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in NODES:
            patch.setattr(where(name), name, noting(name, getattr(where(name), name)))
        outcome = run(folder, played)
    return Straight(
        folder=folder, outcome=outcome, attempts=remembered(folder), executed=played.executed, passed=passed
    )


def test_the_run_that_is_compared_with_passes_every_node(straight: Straight) -> None:
    """A node that it did not pass could not interrupt it."""
    assert straight.passed == set(NODES)
    assert straight.outcome.status == "delivered", straight.outcome.warnings


@pytest.mark.parametrize("name", NODES)
def test_nodes_are_plain_coroutines(name: str) -> None:
    """No node knows the graph: each takes state and dependencies."""
    assert list(inspect.signature(getattr(where(name), name)).parameters) == ["state", "deps"]


def crash_once(node: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    """Wrap a node so that it dies once, before or after its work."""
    left = [1]

    async def call(state: Any, deps: Any) -> Any:
        if before and left:
            left.pop()
            raise Crash
        update = await node(state, deps)
        if left:
            left.pop()
            raise Crash
        return update

    return call


@pytest.mark.parametrize("before", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["before", "after"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in NODES])
def test_a_run_that_dies_at_any_node_ends_like_a_straight_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, straight: Straight, *, before: bool
) -> None:
    """Nothing is lost, nothing recorded is executed twice, and the result is the same."""
    played = engine.Refusing()
    with monkeypatch.context() as patch:
        patch.setattr(where(name), name, crash_once(getattr(where(name), name), before=before))
        with pytest.raises((Crash, BaseExceptionGroup)):
            run(tmp_path, played)
    outcome = resume(tmp_path, played)

    assert outcome.score == straight.outcome.score
    assert outcome.best_attempt == straight.outcome.best_attempt
    assert remembered(tmp_path) == straight.attempts
    assert sorted(played.executed) == sorted(straight.executed)


def test_checkpoints_of_closed_attempts_are_gone(straight: Straight) -> None:
    """The checkpoint is a cursor: after the run it holds the run's own thread only."""
    with sqlite3.connect(straight.folder / "run" / graph.CHECKPOINT) as db:
        threads = {row[0] for row in db.execute("SELECT DISTINCT thread_id FROM checkpoints")}

    assert threads <= {"run"}


def test_more_attempts_after_the_end_go_on_where_the_run_stood(straight: Straight, tmp_path: Path) -> None:
    """A finished run that gets more keeps its attempts and makes new ones."""
    shutil.copytree(straight.folder / "run", tmp_path / "run")
    third = engine.strategist(9.0, 0.5, 1.0)
    outcome = resume_run(
        tmp_path / "run", budget=BudgetSpec(attempts=1), strategist=third, sandbox=engine.sandbox(engine.Refusing())
    )

    assert (straight.outcome.attempts, outcome.attempts) == (2, 3)
    kept = remembered(tmp_path)
    assert [row for row in kept if row[0] in {r[0] for r in straight.attempts}] == straight.attempts


def test_a_first_stop_finishes_with_the_best_so_far(tmp_path: Path) -> None:
    """After a scored attempt a request to stop leads to finalise, not to nothing; what is left can be spent later."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            stop.request()

    outcome = run(tmp_path, stop=stop, listeners=[listen])

    assert outcome.stop_reason is StopReason.INTERRUPTED
    assert outcome.deliverable is not None
    assert outcome.attempts == 1
    again = resume(tmp_path)
    assert again.attempts == 2
    assert again.stop_reason is not StopReason.INTERRUPTED


def test_a_second_stop_ends_at_once_and_says_how_to_go_on(tmp_path: Path, straight: Straight) -> None:
    """An abort is an error with the command to resume; the resumed run ends like a straight one."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            stop.abort()

    with pytest.raises(Interrupted, match="autoglm resume"):
        run(tmp_path, stop=stop, listeners=[listen])

    assert resume(tmp_path).score == straight.outcome.score


def test_more_time_after_an_abort_in_finalise_searches_again(tmp_path: Path) -> None:
    """The user ended the search, then everything; with more to spend the search goes on."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            stop.request()
        elif event.kind is EventKind.STAGE_STARTED and event.data["stage"] == "finalise":
            stop.abort()

    with pytest.raises(Interrupted, match="autoglm resume"):
        run(tmp_path, stop=stop, listeners=[listen])
    outcome = resume(tmp_path, budget=BudgetSpec(attempts=1))

    assert outcome.attempts == 2
    assert outcome.stop_reason is not StopReason.INTERRUPTED


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
