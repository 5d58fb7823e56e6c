"""Both graphs, and the only module that knows LangGraph. Read it as a table of contents.

    run:     understand -> profile -> confirm -> search -> finalise -> export -> report
    worker:  choose -> write -> check -> smoke -> evaluate -> grade -> learn, with repair on the way

A worker's graph runs once per attempt, on a checkpoint thread of its own that is deleted when the attempt is closed: the
checkpoint is a cursor of constant size, the journal is the truth. Fan-out inside one graph would make every worker wait
for the slowest (LangGraph steps are synchronous), so that workers are graphs side by side.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault(
    "LANGGRAPH_STRICT_MSGPACK", "true"
)  # read on import: only the types of a state come back from a checkpoint

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from open_autoglm.agents.deps import Deps
from open_autoglm.agents.nodes import run as steps
from open_autoglm.agents.nodes import worker
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.state import RunState, RunUpdate, WorkerState, WorkerUpdate
from open_autoglm.agents.strategist import Question
from open_autoglm.agents.waiting import WaitingRoom
from open_autoglm.events import EventKind
from open_autoglm.tools.task import TaskSpec

S = TypeVar("S", RunState, WorkerState)
RUN_THREAD = "run"
CHECKPOINT = "checkpoint.sqlite"
STEPS_PER_ATTEMPT = 10_000
"""LangGraph's own guard; an attempt takes at most two steps a fold, and a few."""
REVOCABLE = frozenset({StopReason.CONVERGED, StopReason.NO_PROGRESS, StopReason.BUDGET_ATTEMPTS})
"""What a worker found may not hold once another has closed its attempt: a new best to work on, a pick that came to nothing."""


def build_run_graph() -> StateGraph[RunState, Deps, RunState, RunState]:
    """Return the run graph, uncompiled."""
    graph = StateGraph(RunState, context_schema=Deps)
    names = ["understand", "profile", "confirm", "search", "finalise", "export", "report"]
    nodes: list[Callable[[RunState, Deps], Awaitable[RunUpdate]]] = [
        steps.understand, steps.profile, steps.confirm, search, steps.finalise, steps.export, steps.report,
    ]  # fmt: skip
    for name, node in zip(names, nodes, strict=True):
        graph.add_node(name, _staged(name, node))
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    return graph


def build_worker_graph() -> StateGraph[WorkerState, Deps, WorkerState, WorkerState]:
    """Return the graph of one attempt, uncompiled."""
    graph = StateGraph(WorkerState, context_schema=Deps)
    for name in ("choose", "write", "check", "smoke", "repair", "evaluate", "grade", "learn"):
        graph.add_node(name, _with_deps(getattr(worker, name)))
    graph.add_edge(START, "choose")
    graph.add_conditional_edges("choose", _route(worker.after_choose), {"write": "write", "stop": END})
    graph.add_conditional_edges("write", _route(worker.after_write), {"check": "check", "stop": END})
    graph.add_conditional_edges("check", _route(worker.after_check), ["smoke", "repair", "learn"])
    graph.add_conditional_edges("smoke", _route(worker.after_smoke), ["evaluate", "repair", "learn"])
    graph.add_conditional_edges("repair", _route(worker.after_repair), ["check", "learn"])
    graph.add_edge("evaluate", "grade")
    graph.add_conditional_edges("grade", _route(worker.after_grade), ["evaluate", "learn"])
    graph.add_edge("learn", END)
    return graph


async def run_to_end(deps: Deps) -> None:
    """Run the graph from where its checkpoint (or the journal) stands to its end; what it did is in the journal."""
    checkpoint = deps.workspace.root / CHECKPOINT
    await deps.blocking.host(_forget_if_damaged, checkpoint)
    async with _saver(checkpoint) as saver:
        app = build_run_graph().compile(checkpointer=saver)
        config: RunnableConfig = {"configurable": {"thread_id": RUN_THREAD}}
        deps = replace(deps, checkpoints=saver)
        state = await app.aget_state(config)
        going = bool(state.next)
        value: Any = None if going else RunState(run_id=deps.workspace.run_id)
        if not going:  # a finished run that is resumed starts over: recorded stages return at once
            await saver.adelete_thread(RUN_THREAD)
        await _answering(app, value, config, deps)


async def _answering(
    app: CompiledStateGraph[Any, Any, Any, Any], value: Any, config: RunnableConfig, deps: Deps
) -> None:
    """Invoke the graph; put each question that interrupts it to the person, and go on with the answer."""
    pausing = replace(deps, ask=None if deps.ask is None else _ask, confirm=None if deps.confirm is None else _confirm)
    while True:
        output = await app.ainvoke(value, config, context=pausing, version="v2", durability="sync")
        if not output.interrupts:
            return
        asked = output.interrupts[0].value
        with deps.budget.waiting():
            answer = await deps.blocking.host(_answer, deps, asked)
        value = Command(resume={"answer": answer})


def _answer(deps: Deps, asked: dict[str, Any]) -> Any:
    if "question" in asked:
        assert deps.ask is not None, "only a run with somebody to ask is interrupted"
        question = asked["question"]
        return deps.ask(Question(**{**question, "choices": tuple(question["choices"])}))
    assert deps.confirm is not None, "only a run with somebody to ask is interrupted"
    edited = deps.confirm(TaskSpec.model_validate(asked["task"]), asked["leaves"], asked["departs"])
    return None if edited is None else edited.model_dump(mode="json")


def _ask(question: Question) -> str:
    return str(interrupt({"question": {**asdict(question), "choices": list(question.choices)}})["answer"])


def _confirm(task: TaskSpec, leaves: list[str], departs: list[str]) -> TaskSpec | None:
    answer = interrupt({"task": task.model_dump(mode="json"), "leaves": leaves, "departs": departs})["answer"]
    return None if answer is None else TaskSpec.model_validate(answer)


async def search(state: RunState, deps: Deps) -> RunUpdate:
    """Run the workers side by side until each has a reason to stop."""
    recorded = deps.journal.stage("search")
    if recorded is not None:
        return {"stop_reason": recorded["stop_reason"]}
    room = WaitingRoom(deps.workers)
    reasons = await _side_by_side(
        [work(number, replace(deps, session=session), room) for number, session in enumerate(deps.sessions)]
    )
    last = reasons[-1]  # the search went on until the last worker ended
    reason = last if deps.journal.best_attempts(greater_is_better=True, count=1) else _without_model(last)
    deps.journal.record_stage("search", {"stop_reason": reason.value})
    return {"stop_reason": reason.value}


async def _side_by_side(workers: list[Coroutine[Any, Any, StopReason]]) -> list[StopReason]:
    """Wait for all workers, and return their reasons in the order in which they ended.

    The first that fails ends the others, and its error is the search's.
    """
    tasks = [asyncio.ensure_future(worker) for worker in workers]
    try:
        return [await ended for ended in asyncio.as_completed(tasks)]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _without_model(reason: StopReason) -> StopReason:
    return StopReason.FAILED if reason in (StopReason.CONVERGED, StopReason.NO_PROGRESS) else reason


async def work(number: int, deps: Deps, room: WaitingRoom) -> StopReason:
    """Run one worker: one invocation of its graph per attempt, until there is a reason to stop.

    A reason that the attempt of another worker may still take back stands once all of them have one.
    """
    app = build_worker_graph().compile(checkpointer=deps.checkpoints)
    while True:
        seen = room.news
        reason = await _one_attempt(app, number, deps)
        if reason is None:
            room.tell()
        elif reason not in REVOCABLE:
            room.leave()
            return reason
        elif not await room.wait(seen):
            return reason


async def _one_attempt(app: CompiledStateGraph[Any, Any, Any, Any], number: int, deps: Deps) -> StopReason | None:
    """Run the graph from one choice to the next, or on from its checkpoint; return why there was nothing to choose."""
    thread = f"worker-{number}"
    config: RunnableConfig = {"configurable": {"thread_id": thread}, "recursion_limit": STEPS_PER_ATTEMPT}
    going = bool((await app.aget_state(config)).next)
    output = await app.ainvoke(
        None if going else WorkerState(worker=number), config, context=deps, version="v2", durability="sync"
    )
    if deps.checkpoints is not None:
        await deps.checkpoints.adelete_thread(thread)
    return StopReason(output.value.stop_reason) if output.value.stop_reason else None


def _forget_if_damaged(path: Path) -> None:
    """Remove a checkpoint that cannot be read: it is a cursor only, and the journal knows what was done."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as database:
            whole = database.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        whole = False
    if not whole:
        forget_cursors(path.parent)


def forget_cursors(root: Path) -> None:
    """Remove the checkpoint of a run whose search goes on: the graph starts over, and recorded stages return at once."""
    for name in (CHECKPOINT, f"{CHECKPOINT}-wal", f"{CHECKPOINT}-shm"):
        (root / name).unlink(missing_ok=True)


@asynccontextmanager
async def _saver(path: Path) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        saver.serde = JsonPlusSerializer(pickle_fallback=False, allowed_msgpack_modules=None)
        yield saver


def _staged(name: str, node: Callable[[RunState, Deps], Awaitable[RunUpdate]]) -> Any:
    """Tell of a stage's begin and end around its node."""

    async def call(state: RunState, runtime: Runtime[Deps]) -> RunUpdate:
        deps = runtime.context
        deps.events.emit(EventKind.STAGE_STARTED, stage=name)
        before = deps.budget.seconds
        update = await node(state, deps)
        deps.events.emit(EventKind.STAGE_FINISHED, stage=name, seconds=round(deps.budget.seconds - before, 3))
        deps.save_clock()
        return update

    return call


def _with_deps(node: Callable[[WorkerState, Deps], Awaitable[WorkerUpdate]]) -> Any:
    """Let LangGraph call a node that takes its dependencies plainly."""

    async def call(state: WorkerState, runtime: Runtime[Deps]) -> WorkerUpdate:
        return await node(state, runtime.context)

    return call


def _route(decide: Callable[[S, Deps], str]) -> Any:
    def call(state: S, runtime: Runtime[Deps]) -> str:
        return decide(state, runtime.context)

    return call
