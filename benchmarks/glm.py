"""What asking a language model costs beside the model: our own work per call, calls side by side, and an endpoint that dies.

Answers come from an endpoint in another process that says at once, or after a known time, what it is told to say. The client is the real one,
with its meter, journal and prompt log.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from bench import Figure, arguments, page, publish, scratch

from open_autoglm.agents.calls import Calls
from open_autoglm.agents.glm import faults
from open_autoglm.agents.glm.client import HttpModel
from open_autoglm.agents.glm.endpoint import Endpoint
from open_autoglm.agents.glm.metering import MeteredModel
from open_autoglm.agents.glm.prompt_log import PromptLog
from open_autoglm.agents.glm.safety import SafetyNet
from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.sharing.shared import ours
from open_autoglm.agents.glm.wire import Call, LanguageModel, Message, Part, Purpose
from open_autoglm.agents.journal import Journal

OVERHEAD_MS, DEGRADE_SECONDS, AT_ONCE = 5.0, 10.0, 8
PROMPT = ours("import pandas as pd  # a line of a prompt\n" * 500)
ANSWER = "def fit(train, ctx):\n" + "    x = 1\n" * 200
THINKING_SECONDS = 0.5
CALLS = 200
MANY = 500


def main() -> None:
    """Measure and print."""
    given = arguments(__doc__).parse_args()
    with scratch() as folder:
        figures = [*own_work(folder), side_by_side(), dying(), *many(folder / "many")]
    publish(page("Asking a language model", figures), "glm", write=given.write)


def own_work(folder: Path) -> list[Figure]:
    """Measure the processor time of this process for one call, prompt and answer of some pages."""
    folder.joinpath("run").mkdir()
    with (
        serving([faults.says(ANSWER, piece_chars=1_000)] * (CALLS + 10)) as (endpoint, _),
        metered(HttpModel(endpoint), folder / "run") as model,
    ):
        cpu, wall = asyncio.run(_timed(model))
    note = f"prompt {len(PROMPT) / 1000:.0f} kB, answer {len(ANSWER) / 1000:.1f} kB, journal and prompt log written"
    return [
        Figure(what="own work per call (processor time)", value=cpu, unit="ms", target=OVERHEAD_MS, note=note),
        Figure(what="a whole call, median", value=wall, unit="ms", note="with an endpoint that answers at once"),
    ]


async def _timed(model: LanguageModel) -> tuple[float, float]:
    for number in range(10):
        await model.ask(a_call(number))
    took = []
    cpu = time.process_time()
    for number in range(CALLS):
        began = time.perf_counter()
        await model.ask(a_call(number))
        took.append(time.perf_counter() - began)
    spent = time.process_time() - cpu
    await model.close()
    return 1000 * spent / CALLS, 1000 * statistics.median(took)


def side_by_side() -> Figure:
    """Measure how many calls at once an endpoint gets from eight workers."""
    rounds = 10
    with serving([faults.says("ok").after(THINKING_SECONDS)] * (AT_ONCE * rounds)) as (endpoint, _):
        seconds = asyncio.run(_together(HttpModel(endpoint), rounds))
    used = AT_ONCE * rounds * THINKING_SECONDS / seconds
    note = f"{AT_ONCE} workers; the endpoint answers after {THINKING_SECONDS} s"
    return Figure(what="calls at once that an endpoint sees, on average", value=used, unit="", note=note)


async def _together(model: HttpModel, rounds: int) -> float:
    async def worker() -> None:
        for number in range(rounds):
            await model.ask(a_call(number))

    await model.served()
    began = time.perf_counter()
    await asyncio.gather(*[worker() for _ in range(AT_ONCE)])
    took = time.perf_counter() - began
    await model.close()
    return took


def dying() -> Figure:
    """Kill the endpoint in the middle of an answer; measure how long until recipes write for good."""
    with serving([faults.says("drip " * 10_000, piece_chars=5, pause_seconds=0.01)] * 9) as (endpoint, process):
        seconds = asyncio.run(_degraded(HttpModel(endpoint), process))
    return Figure(what="from the death of an endpoint until recipes write", value=seconds, target=DEGRADE_SECONDS)


async def _degraded(model: LanguageModel, process: int) -> float:
    net = SafetyNet()
    first = asyncio.create_task(net.hold(lambda: model.ask(a_call(0)), 60))
    await asyncio.sleep(1)
    began = time.perf_counter()
    os.kill(process, signal.SIGKILL)
    await first
    while net.degraded is None:
        await net.hold(lambda: model.ask(a_call(1)), 60)
    took = time.perf_counter() - began
    await model.close()
    return took


def many(folder: Path) -> list[Figure]:
    """Ask a scripted model many times; measure time and memory at the beginning and at the end."""
    folder.mkdir()
    answers = [ANSWER] * MANY
    with metered(ScriptedGLM(answers), folder) as model:
        slower, grown = asyncio.run(_again_and_again(model))
    return [
        Figure(
            what=f"time of a call, the last 100 of {MANY} against the first 100", value=slower, unit="x", target=1.5
        ),
        Figure(what=f"memory after {MANY} calls against 100", value=grown, unit="x", target=1.1),
    ]


async def _again_and_again(model: LanguageModel) -> tuple[float, float]:
    process, took, memory = psutil.Process(), [], []
    for number in range(MANY):
        began = time.process_time()
        await model.ask(a_call(number))
        took.append(time.process_time() - began)
        memory.append(process.memory_info().rss)
    return statistics.mean(took[-100:]) / statistics.mean(took[:100]), memory[-1] / memory[100]


def a_call(number: int) -> Call:
    """Return a question with a stable beginning and an end of its own."""
    rules = Message(role="system", parts=[Part(text=PROMPT)])
    return Call(
        purpose=Purpose.DRAFT, messages=[rules, Message(role="user", parts=[Part(text=ours(f"Draft {number}."))])]
    )


@contextmanager
def metered(model: LanguageModel, folder: Path) -> Iterator[MeteredModel]:
    """Give a model with its meter on a journal."""
    journal = Journal(folder / "journal.sqlite")
    try:
        yield MeteredModel(model, Calls(journal), log=PromptLog(folder))
    finally:
        journal.close()


@contextmanager
def serving(turns: Sequence[faults.Turn]) -> Iterator[tuple[Endpoint, int]]:
    """Give an endpoint that plays the turns, in a process of its own, and the process."""
    ours_, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(turns, theirs), daemon=True)
    process.start()
    try:
        assert process.pid is not None
        yield Endpoint(base_url=ours_.recv(), model=faults.MODEL), process.pid
    finally:
        process.kill()
        process.join()


def _serve(turns: Sequence[faults.Turn], told: Connection) -> None:
    async def forever() -> None:
        async with faults.FaultServer(turns) as server:
            told.send(server.endpoint().base_url)
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(forever())


if __name__ == "__main__":
    main()
