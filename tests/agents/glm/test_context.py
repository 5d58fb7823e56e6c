"""What fits into a context: estimates that are safe, few questions to the server, the oldest left out first."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_autoglm.agents.glm.context import Window, answer_tokens
from open_autoglm.agents.glm.wire import Call, Message, Part, Purpose
from open_autoglm.errors import PromptTooLong

RULES = Part(text="Rules. " * 20)


class Counter:
    """A server that counts a token for so many characters."""

    def __init__(self, chars_per_token: float = 4.0) -> None:
        self.chars_per_token = chars_per_token
        self.asked = 0

    async def __call__(self, call: Call) -> int | None:
        self.asked += 1
        return self.exactly(call)

    def exactly(self, call: Call) -> int:
        return int(sum(len(message.text) for message in call.messages) / self.chars_per_token) + 4


async def nobody(call: Call) -> int | None:
    return None


def a_call(*parts: Part, max_tokens: int = 500, thinking: int | None = 0) -> Call:
    messages = [Message(role="system", parts=[RULES]), Message(role="user", parts=parts)]
    return Call(purpose=Purpose.DRAFT, messages=messages, max_tokens=max_tokens, thinking=thinking)


def fit(window: Window, call: Call) -> Call:
    return asyncio.run(window.fit(call))


def ages(call: Call) -> list[int]:
    return [part.age for message in call.messages for part in message.parts if part.age is not None]


def test_what_fits_is_left_alone_and_nobody_is_asked() -> None:
    """The usual call costs no question."""
    counter = Counter()
    call = a_call(Part(text="short", age=3))

    assert fit(Window(32_768, counter), call) is call
    assert counter.asked == 0


def test_without_a_known_context_nothing_is_left_out() -> None:
    """The server will say."""
    call = a_call(Part(text="x" * 10**6, age=1))

    assert fit(Window(None, nobody), call) is call


def test_the_oldest_goes_first_and_one_question_is_enough() -> None:
    """As much as must, wherever it stands; the second time nobody is asked again."""
    counter = Counter()
    window = Window(4096, counter)
    call = a_call(*[Part(text="y" * 2_000, age=age) for age in (3, 9, 1, 7, 5, 2, 8, 4, 6)])
    fitting = fit(window, call)

    assert sorted(ages(fitting)) == [1, 2, 3, 4, 5, 6, 7][: len(ages(fitting))]
    assert len(ages(fitting)) >= 5
    assert counter.exactly(fitting) <= 4096 - 500
    asked = counter.asked
    assert asked <= 3
    assert fit(window, call) == fitting
    assert counter.asked == asked


def test_less_room_for_the_answer_comes_before_giving_up() -> None:
    """First that for thinking; what the call cannot do without stays."""
    call = a_call(Part(text="z" * 9_000), max_tokens=1_500, thinking=500)
    fitting = fit(Window(4096, Counter()), call)

    assert fitting.messages == call.messages
    assert fitting.max_tokens == 1_500
    assert 0 <= (fitting.thinking or 0) < 500


def test_free_thinking_does_not_push_out_everything_in_a_small_context() -> None:
    """It gets a quarter of the context at the most."""
    call = a_call(Part(text="old", age=9), max_tokens=1_000, thinking=None)
    fitting = fit(Window(8192, Counter()), call)

    assert ages(fitting) == [9]
    assert answer_tokens(fitting) <= 1_000 + 2048


def test_what_must_stand_and_is_too_long_is_refused() -> None:
    """With what to do about it."""
    with pytest.raises(PromptTooLong, match="max-model-len"):
        fit(Window(4096, Counter()), a_call(Part(text="z" * 20_000)))


def test_estimates_learn() -> None:
    """A vocabulary that needs two tokens for three bytes is met after one prompt, without counting."""
    window = Window(4096, nobody)
    call = a_call(*[Part(text="w" * 500, age=age) for age in range(12)])
    before = len(ages(fit(window, call)))
    window.estimate.learn(call, int(len(call.messages[1].text) / 1.5))

    assert len(ages(fit(window, call))) < before


BUILDERS: dict[str, Callable[[Call], Awaitable[int | None]]] = {"counted": Counter(2.5), "estimated": nobody}


@pytest.mark.parametrize("name", BUILDERS)
@given(
    parts=st.lists(st.tuples(st.text(max_size=600), st.none() | st.integers(0, 20)), max_size=20),
    tokens=st.integers(600, 6_000),
    thinking=st.none() | st.integers(0, 5_000),
)
@settings(max_examples=60, deadline=None)
def test_whatever_fits_keeps_what_must_stand(
    name: str, parts: list[tuple[str, int | None]], tokens: int, thinking: int | None
) -> None:
    """For any prompt: rules and ageless parts stay in order, the rest is the newest, and prompt and answer are within the context."""
    call = a_call(*[Part(text=text * 3, age=age) for text, age in parts], thinking=thinking)
    window = Window(tokens, BUILDERS[name])
    try:
        fitting = fit(window, call)
    except PromptTooLong:
        return

    kept = [part for message in fitting.messages for part in message.parts]
    assert [part for part in kept if part.age is None] == [RULES, *(p for p in call.messages[1].parts if p.age is None)]
    dropped = [age for age in ages(call) if ages(call).count(age) > ages(fitting).count(age)]
    assert min(dropped, default=99) >= max(ages(fitting), default=-1)
    if name == "counted":
        assert Counter(2.5).exactly(fitting) + answer_tokens(fitting) <= tokens or not dropped


def test_fitting_costs_little() -> None:
    """A prompt of 200 kB in a hundred parts is fitted in well under 5 ms where nothing is asked."""
    call = a_call(*[Part(text="import pandas as pd\n" * 100, age=age) for age in range(100)])
    window = Window(200_000, nobody)
    before = time.process_time()
    for _ in range(20):
        fit_me = replace(call)
        asyncio.run(window.fit(fit_me))

    assert (time.process_time() - before) / 20 < 0.02
