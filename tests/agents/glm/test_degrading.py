"""A run whose model fails: it ends with a model all the same, and everybody is told."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.budget import StopFlag
from open_autoglm.agents.glm.scripted import reply_of
from open_autoglm.agents.glm.wire import Call, LanguageModel, Purpose, Reply
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.run import resume_run, start_run
from open_autoglm.errors import EndpointFailed
from open_autoglm.events import EventKind, read_events
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.tools.task import BudgetSpec

pytestmark = pytest.mark.slow
ENDPOINT = "http://127.0.0.1:9/v1"
READING = {
    "target": "label", "task_type": "binary", "metric": "", "group": "", "time": "", "ask": "nothing", "question": "",
}  # fmt: skip
IDEAS = {
    "ideas": [
        {"title": title, "approach": "Something else entirely.", "gain": "small", "cost": "seconds"}
        for title in ("One idea", "Another idea")
    ]
}


class Model:
    """Answers by a function of the call, or fails as it does."""

    name = "model"
    context_tokens = 32_768

    def __init__(self, answer: Callable[[Call], Awaitable[str]]) -> None:
        self._answer = answer
        self.asked: list[Purpose] = []
        self.closed = False

    async def ask(self, call: Call) -> Reply:
        """Answer as scripted."""
        self.asked.append(call.purpose)
        return reply_of(call, await self._answer(call), model=self.name)

    async def close(self) -> None:
        """Remember it."""
        self.closed = True


async def good(call: Call) -> str:
    """Write solutions that the scripted sandbox plays, a better one each time."""
    if call.purpose is Purpose.UNDERSTAND:
        return json.dumps(READING)
    if call.purpose is Purpose.PLAN:
        return json.dumps(IDEAS)
    noise = 0.4 if call.attempt == "a0003" else 0.3
    return f"solution.py\n```python\n{engine.CODE.format(noise=noise)}```\n"


async def dead(call: Call) -> str:
    raise EndpointFailed("http://127.0.0.1:9/v1 did not answer, 4 times in a row.")


async def dying(call: Call) -> str:
    return await (good if call.purpose is Purpose.UNDERSTAND else dead)(call)


def options(folder: Path, attempts: int, **more: Any) -> Any:
    budget = BudgetSpec(attempts=attempts)
    return engine.options(folder, base_url=ENDPOINT, strategist="glm", search="greedy", budget=budget, **more)


def go(folder: Path, model: Model, attempts: int = 4, **more: Any) -> Outcome:
    def connect(base_url: str, name: str | None) -> LanguageModel:
        return model

    return start_run(options(folder, attempts), connect=connect, sandbox=engine.sandbox(), **more)


def authors(folder: Path) -> list[Author]:
    with engine.journal(folder) as journal:
        return [journal.bundle(a.bundle).author for a in journal.attempts() if a.bundle is not None]


def test_a_model_that_works_writes_and_is_let_go_of(tmp_path: Path) -> None:
    """Recipes begin, the model goes on, and nothing is said of a failure."""
    model = Model(good)
    outcome = go(tmp_path, model)
    assert authors(tmp_path)[:4] == [Author.RECIPES, Author.RECIPES, Author.MODEL, Author.MODEL]
    assert (outcome.writer.strategist, outcome.writer.model, outcome.writer.degraded) == ("glm", "model", None)
    assert model.closed


def test_an_endpoint_that_dies_leaves_the_run_to_recipes(tmp_path: Path) -> None:
    """It is told in an event, in the warnings and in the outcome, and soon nobody asks any more."""
    model = Model(dying)
    outcome = go(tmp_path, model, attempts=6)
    degraded = [
        e for e in read_events(tmp_path / "run" / "events.jsonl") if e["event"] == EventKind.STRATEGIST_DEGRADED
    ]

    assert outcome.deliverable is not None
    assert outcome.writer.degraded in outcome.warnings
    assert "gave no answer" in (outcome.writer.degraded or "")
    assert len(degraded) == 1
    assert len(model.asked) == 3, "one reading, and two that failed"


def test_a_resumed_run_asks_the_model_again(tmp_path: Path) -> None:
    """What failed yesterday may answer today; that it failed stays told."""
    outcome = go(tmp_path, Model(dying), attempts=5)
    model = Model(good)

    def connect(base_url: str, name: str | None) -> LanguageModel:
        return model

    again = resume_run(outcome.run_dir, budget=BudgetSpec(attempts=5), connect=connect, sandbox=engine.sandbox())
    assert Purpose.UNDERSTAND not in model.asked
    assert model.asked
    assert again.writer.model == "model"
    assert any("gave no answer" in warning for warning in again.warnings)


def test_a_wish_to_stop_does_not_wait_for_the_model(tmp_path: Path) -> None:
    """What it is asked is dropped, and the best so far delivered."""
    stop = StopFlag()

    async def hanging(call: Call) -> str:
        if call.purpose is Purpose.UNDERSTAND:
            return await good(call)
        threading.Timer(0.05, stop.request).start()
        await asyncio.Event().wait()
        return ""

    outcome = go(tmp_path, Model(hanging), attempts=6, stop=stop)
    assert outcome.stop_reason is StopReason.INTERRUPTED
    assert outcome.deliverable is not None
    assert outcome.writer.degraded is None


def test_a_model_that_misreads_everything_costs_the_reading_alone(tmp_path: Path) -> None:
    """Nonsense about the task is left to rules, which read the sentence."""

    async def nonsense(call: Call) -> str:
        return "The weather is fine." if call.purpose is Purpose.UNDERSTAND else await good(call)

    outcome = go(tmp_path, Model(nonsense))
    assert outcome.task.target == "label"
    assert outcome.writer.degraded is None
