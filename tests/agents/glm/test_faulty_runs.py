"""Whole runs whose endpoint does one thing wrong for good: each is delivered by recipes, and says why."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.calls import Calls
from open_autoglm.agents.glm import faults
from open_autoglm.agents.glm.client import HttpModel
from open_autoglm.agents.glm.endpoint import Endpoint, Timing
from open_autoglm.agents.glm.faults import FaultServer, Turn
from open_autoglm.agents.run import start_run
from open_autoglm.tools.task import BudgetSpec

pytestmark = pytest.mark.slow

IMPATIENT = Timing(first_token_seconds=0.3, idle_seconds=0.2, call_seconds=3, retries=1, backoff_seconds=0.001)
FAULTS = {
    "error": faults.complains(500),
    "overload": faults.complains(429, retry_after="0"),
    "no key": faults.complains(401),
    "bad request": faults.complains(400),
    "cut": faults.breaks_off("solution.py\n```python\nimport"),
    "slow": faults.says("late").after(5),
    "silent": faults.falls_silent("I would"),
    "signs of life": faults.keeps_alive(0.05),
    "garbage": faults.speaks(b"\x00\xff" * 500),
    "broken JSON": faults.says('{"ideas": [{"title": '),
    "wrong schema": faults.says('{"weather": "fine"}'),
    "empty": faults.says(""),
    "refusal": faults.declines("I must not."),
    "wrong language": faults.says("抱歉,我不太明白您的意思,请您再说一遍。" * 20),
    "repetition": faults.repeats("I will now write the code. ", 20_000),
    "web page": faults.sends(b"<html>hello</html>", content_type="text/html"),
    "redirect": faults.redirects("http://127.0.0.1:9/v1"),
}
ANSWERS = ("broken JSON", "wrong schema", "empty", "refusal", "wrong language", "repetition")
"""These are answers, which are borne with for longer than silence."""


@contextmanager
def served(turn: Turn, socket: Path) -> Iterator[tuple[FaultServer, Endpoint]]:
    """Give a server in a thread of its own that answers every question so."""
    server, ready, loop = FaultServer(ever=turn, unix_socket=socket), threading.Event(), asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield server, server.endpoint(timing=IMPATIENT)
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_is_delivered_whatever_its_endpoint_does(
    fault: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The model is asked some times and then left alone; recipes write, and the outcome tells."""
    with served(FAULTS[fault], tmp_path_factory.mktemp("t") / "s") as (server, endpoint):
        options = engine.options(tmp_path, base_url=endpoint.base_url, strategist="glm", budget=BudgetSpec(attempts=4))
        outcome = start_run(options, connect=lambda _url, _model: HttpModel(endpoint), sandbox=engine.sandbox())
        asked = len(server.asked)

    assert outcome.status.startswith("delivered")
    assert 0 < asked < 60
    assert fault in ANSWERS or (outcome.writer.degraded or "").startswith("The language model gave no answer")
    with engine.journal(tmp_path) as journal:
        spent = Calls(journal).spent()
    assert outcome.cost.calls == spent.calls > 0
