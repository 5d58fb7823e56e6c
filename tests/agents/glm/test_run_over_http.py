"""Runs that ask an endpoint over HTTP: one that answers, one that fails in every way there is, one that goes away."""

import asyncio
import functools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.glm.connecting import connected
from open_autoglm.agents.glm.faults import (
    FaultServer,
    Received,
    Script,
    Turn,
    breaks_off,
    complains,
    declines,
    ends_early,
    repeats,
    says,
)
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.run import start_run
from open_autoglm.errors import EndpointFailed
from open_autoglm.tools.task import BudgetSpec

pytestmark = [pytest.mark.service, pytest.mark.slow]

READING = {
    "target": "label",
    "task_type": "binary",
    "metric": "",
    "group": "",
    "time": "",
    "ask": "nothing",
    "question": "",
}
IDEAS = [
    {"title": title, "approach": "Something else entirely.", "gain": "small", "cost": "seconds"}
    for title in ("One idea", "Another idea", "A third idea")
]


def answers(request: Received) -> Turn:
    """Answer what is asked for, by the schema of the question; a solution that the scripted sandbox plays otherwise."""
    wanted = json.dumps(request.body.get("response_format", {}))
    if "task_type" in wanted:
        return says(json.dumps(READING), reasoning="The words name a label.")
    if "ideas" in wanted:
        return says(json.dumps({"ideas": IDEAS}))
    return says(f"solution.py\n```python\n{engine.CODE.format(noise=0.3)}```\n")


@contextmanager
def served(turns: list[Script], ever: Script | None) -> Iterator[tuple[str, FaultServer]]:
    """Serve from a thread of its own, since a run keeps this one."""
    server = FaultServer(turns, ever=ever)
    address: list[str] = []
    ready, done = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with server:
            address.append(server.endpoint().base_url)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield address[0], server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()


def go(folder: Path, base_url: str, **more: Any) -> Outcome:
    options = engine.options(
        folder, base_url=base_url, strategist="glm", search="greedy", budget=BudgetSpec(attempts=5), **more
    )
    return start_run(options, connect=functools.partial(connected, key="sk-secret"), sandbox=engine.sandbox())


def test_a_run_over_http_counts_what_the_server_counted(tmp_path: Path) -> None:
    """The served model is found by asking, the key goes along and stays out of the run directory."""
    with served([], answers) as (base_url, server):
        outcome = go(tmp_path, base_url)

    assert outcome.writer.model == "faulty"
    assert outcome.writer.degraded is None
    assert outcome.cost.calls == len(server.asked) > 2
    assert outcome.cost.tokens > 100
    assert server.asked[0].headers["authorization"] == "Bearer sk-secret"
    told = [path for path in (tmp_path / "run").rglob("*") if path.is_file() and b"sk-secret" in path.read_bytes()]
    assert told == []


def test_everything_that_can_go_wrong_ends_with_a_model(tmp_path: Path) -> None:
    """Cut, empty, refused, overloaded, repeated, malformed, foreign: some of it is tried again, the rest goes to recipes."""
    nasty: list[Script] = [
        says("not json"), says("{"), complains(500), says(""), breaks_off("half an ans"), declines("I may not."),
        complains(429, retry_after="0"), says("抱歉，我不能。"), ends_early("solu"), repeats("la ", 5000), says("```python\nx = (\n```"),
    ]  # fmt: skip
    with served(nasty, complains(503, retry_after="0")) as (base_url, _):
        outcome = go(tmp_path, base_url)

    assert outcome.deliverable is not None
    assert outcome.task.target == "label"
    assert outcome.cost.calls > 0


def test_nobody_there_fails_early(tmp_path: Path) -> None:
    """An endpoint that was demanded and is not there leaves no run behind."""
    with served([], answers) as (base_url, _):
        pass
    with pytest.raises(EndpointFailed):
        go(tmp_path, base_url)
    assert not (tmp_path / "run").exists()
