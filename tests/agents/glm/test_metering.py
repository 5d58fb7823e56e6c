"""The meter: every call is recorded, and a cap stops the model."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from open_autoglm.agents.calls import CallRecord, Calls
from open_autoglm.agents.glm.metering import Caps, MeteredModel
from open_autoglm.agents.glm.prices import Prices
from open_autoglm.agents.glm.prompt_log import PromptLog, read_prompts
from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.sharing.shared import ours
from open_autoglm.agents.glm.wire import Call, Finish, Message, Part, Purpose, Reply, Usage
from open_autoglm.agents.journal import Journal
from open_autoglm.errors import CapReached, EndpointFailed

PRICES = Prices(prompt=1.0, cached=0.1, output=2.0)
REPLY = Reply(
    text="done",
    usage=Usage(prompt=1000, cached=900, output=500, reasoning=100),
    seconds=3.0,
    first_token_seconds=0.2,
    retries=1,
    model="glm-real",
)


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[Calls]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield Calls(journal)
    journal.close()


def call(**fields: Any) -> Call:
    given = {"purpose": Purpose.DRAFT, "messages": [Message(role="user", parts=[Part(text=ours("Write."))])]}
    return Call(**{**given, "max_tokens": 600, "attempt": "a0001", **fields})


def ask(model: MeteredModel, *asked: Call) -> list[Reply | BaseException]:
    async def together() -> list[Reply | BaseException]:
        return await asyncio.gather(*[model.ask(each) for each in asked], return_exceptions=True)

    return asyncio.run(together())


def test_a_call_is_recorded_with_all_that_it_cost(calls: Calls, tmp_path: Path) -> None:
    """In the journal, in the prompt log under the same number, and to who listens."""
    heard: list[CallRecord] = []
    model = MeteredModel(ScriptedGLM([REPLY]), calls, prices=PRICES, log=PromptLog(tmp_path), heard=heard.append)
    ask(model, call())
    (record,) = calls.of_attempt("a0001")

    assert (record.purpose, record.model, record.usage, record.seconds) == (Purpose.DRAFT, "glm-real", REPLY.usage, 3.0)
    assert (record.first_token_seconds, record.retries, record.finish, record.error) == (0.2, 1, Finish.STOP, "")
    assert record.money == pytest.approx((100 * 1.0 + 900 * 0.1 + 500 * 2.0) / 1e6)
    assert heard == [record]
    (logged,) = read_prompts(tmp_path)
    assert (logged.number, logged.messages[0].text, logged.answer) == (1, "Write.", "done")
    assert model.spent == calls.spent()


def test_a_failure_is_recorded_and_raised(calls: Calls) -> None:
    """With its reason; it costs nothing."""
    model = MeteredModel(ScriptedGLM([EndpointFailed("gone")]), calls, prices=PRICES)
    (failed,) = ask(model, call())

    assert isinstance(failed, EndpointFailed)
    assert [(each.error, each.finish, each.money) for each in calls.recent(9)] == [("gone", None, 0.0)]
    assert model.spent.failed == 1


class Slow:
    """A model that takes its time and uses all that it may."""

    name = "slow"
    context_tokens: int | None = None

    def __init__(self, prompt: int = 100) -> None:
        self.asked: list[Call] = []
        self.together = self.most_together = 0
        self._prompt = prompt

    async def ask(self, call: Call) -> Reply:
        self.asked.append(call)
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        await asyncio.sleep(0.01)
        self.together -= 1
        return Reply(text="x", usage=Usage(prompt=self._prompt, output=call.max_tokens + (call.thinking or 0)))

    async def close(self) -> None:
        return


def test_calls_side_by_side_do_not_pass_the_cap_together(calls: Calls) -> None:
    """Some wait, the last gets less room for its answer, the rest are not made; the cap holds."""
    slow = Slow(prompt=10)
    model = MeteredModel(slow, calls, caps=lambda: Caps(tokens=2_000))
    answers = ask(model, *[call()] * 8)

    assert model.spent.tokens <= 2_000
    assert sum(isinstance(answer, CapReached) for answer in answers) == 8 - len(slow.asked)
    assert 3 <= len(slow.asked) <= 4
    assert slow.most_together >= 2
    assert slow.asked[-1].max_tokens <= 600


def test_a_cap_on_money_holds_too(calls: Calls) -> None:
    """By the prices."""
    model = MeteredModel(Slow(prompt=10), calls, prices=PRICES, caps=lambda: Caps(money=0.003))
    answers = ask(model, *[call()] * 6)

    assert 0.002 < model.spent.money <= 0.003
    assert any(isinstance(answer, CapReached) and "0.003 of money" in str(answer) for answer in answers)


@pytest.mark.parametrize("caps", [Caps(tokens=0), Caps(money=0.0)])
def test_a_cap_of_nothing_asks_nobody(calls: Calls, caps: Caps) -> None:
    """Zero is not the same as no cap."""
    slow = Slow()
    (refused,) = ask(MeteredModel(slow, calls, prices=PRICES, caps=lambda: caps), call())

    assert isinstance(refused, CapReached)
    assert slow.asked == []


def test_a_resumed_run_has_what_is_left(calls: Calls) -> None:
    """The meter goes on where the journal ends."""
    ask(MeteredModel(ScriptedGLM([REPLY]), calls), call())
    resumed = MeteredModel(Slow(), calls, caps=lambda: Caps(tokens=1_600))

    assert resumed.spent.tokens == 1_500
    assert isinstance(ask(resumed, call())[0], CapReached)


def test_less_room_takes_from_thinking_first(calls: Calls) -> None:
    """The answer is what is wanted."""
    slow = Slow(prompt=10)
    ask(MeteredModel(slow, calls, caps=lambda: Caps(tokens=1_000)), call(max_tokens=700, thinking=None))

    assert slow.asked[0].max_tokens == 700
    assert 200 < (slow.asked[0].thinking or 0) < 300


def test_a_cap_on_money_needs_prices(calls: Calls) -> None:
    """Without them it could not hold, so nobody is asked."""
    (refused,) = ask(MeteredModel(Slow(), calls, caps=lambda: Caps(money=1.0)), call())

    assert isinstance(refused, CapReached)
    assert "prices" in str(refused)


def test_a_cap_may_come_later(calls: Calls) -> None:
    """As from a sentence, which a model reads first."""
    caps = Caps()
    model = MeteredModel(Slow(), calls, caps=lambda: caps)
    ask(model, call())
    caps = Caps(tokens=100)

    assert isinstance(ask(model, call())[0], CapReached)


def test_a_cancelled_call_gives_back_what_was_set_aside(calls: Calls) -> None:
    """And is recorded as such."""

    async def cancel() -> Reply:
        model = MeteredModel(Slow(prompt=10), calls, caps=lambda: Caps(tokens=700))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(model.ask(call()), 0.001)
        return await model.ask(call())

    assert asyncio.run(cancel()).text == "x"
    assert calls.recent(9)[0].error == "cancelled"


def test_prices_are_read_strictly() -> None:
    """A negative price would lift every cap."""
    with pytest.raises(ValidationError):
        Prices(prompt=-1.0, output=1.0)
    assert Prices(prompt=2.0, output=0.0).of(Usage(prompt=1000, cached=1000)) == pytest.approx(0.002)


def test_the_meter_costs_little(calls: Calls, tmp_path: Path) -> None:
    """Less than 5 ms for a call with a prompt of 60 kB, prompt log and journal included."""
    messages = [Message(role="user", parts=[Part(text=ours("import pandas as pd\n" * 3_000))])]
    model = MeteredModel(ScriptedGLM(["ok"] * 50), calls, log=PromptLog(tmp_path), caps=lambda: Caps(tokens=10**9))
    before = time.process_time()
    ask(model, *[call(messages=messages)] * 50)

    assert (time.process_time() - before) / 50 < 0.01
