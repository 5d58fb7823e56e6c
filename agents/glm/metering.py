"""A language model with a meter: every call is recorded with what it cost, and a cap on tokens or money stops the model.

The meter goes on where the journal ends, so that a resumed run has what is left. What a call may cost at most is set aside while it
runs, so that calls side by side do not pass a cap together; one that would is given less room for its answer, or waits for the
others, or is not made.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from open_autoglm.agents.calls import CallRecord, Calls, Spent
from open_autoglm.agents.glm.context import Estimate, answer_tokens, thinking_tokens
from open_autoglm.agents.glm.prices import MILLION, Prices
from open_autoglm.agents.glm.prompt_log import PromptLog
from open_autoglm.agents.glm.wire import Call, LanguageModel, Reply, Usage
from open_autoglm.errors import AutoGLMError, CapReached

LEAST_ANSWER_TOKENS = 256
"""Less is no answer to anything."""
LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that a run may spend on a model; None is no limit, 0 is nothing at all."""

    tokens: int | None = None
    money: float | None = None


class MeteredModel:
    """A model whose calls are recorded and capped.

    Args:
        model: Who answers.
        calls: Where calls are recorded, and what was spent before.
        prices: What the endpoint charges; None is nothing.
        caps: Says, before each call, what may be spent: the user's sentence may hold a cap, and a model reads the sentence.
        log: Where prompts are written.
        heard: Told of each call as it was recorded.
    """

    def __init__(
        self,
        model: LanguageModel,
        calls: Calls,
        *,
        prices: Prices | None = None,
        caps: Callable[[], Caps] = Caps,
        log: PromptLog | None = None,
        heard: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self._model = model
        self._calls = calls
        self._prices = prices
        self._caps = caps
        self._log = log
        self._heard = heard
        self._spent = calls.spent()
        self._in_flight: list[Usage] = []
        """The most that each call may use which is being answered."""
        self._freed = asyncio.Condition()
        self._estimate = Estimate()

    @property
    def name(self) -> str:
        """The served model's name."""
        return self._model.name

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and answer may take together."""
        return self._model.context_tokens

    @property
    def spent(self) -> Spent:
        """What all calls of the run cost so far."""
        return self._spent

    async def ask(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            CapReached: It would pass a cap.
            EndpointFailed: Nobody answered.
            PromptTooLong: It does not fit.
        """
        call, most = await self._set_aside(call)
        started_at, began = time.time(), time.monotonic()
        blank = CallRecord(
            started_at=started_at, purpose=call.purpose, attempt=call.attempt, model=self.name, seconds=0.0
        )
        try:
            reply = await self._model.ask(call)
        except (AutoGLMError, asyncio.CancelledError) as error:
            why = str(error)[:LONGEST_ERROR] or "cancelled"
            self._note(call, None, replace(blank, seconds=time.monotonic() - began, error=why))
            raise
        finally:
            await self._give_back(most)
        self._estimate.learn(reply.asked or call, reply.usage.prompt)
        answered = replace(
            blank,
            model=reply.model or self.name,
            usage=reply.usage,
            seconds=reply.seconds or time.monotonic() - began,
            first_token_seconds=reply.first_token_seconds,
            money=self._money(reply.usage),
            retries=reply.retries,
            finish=reply.finish,
        )
        self._note(call, reply, answered)
        return reply

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()

    def _note(self, call: Call, reply: Reply | None, record: CallRecord) -> None:
        number = self._calls.record(record)
        self._spent = self._spent.plus(record)
        if self._log is not None:
            self._log.write(number, time.time(), call, reply, record.error)
        if self._heard is not None:
            self._heard(replace(record, number=number))

    # --- caps ----------------------------------------------------------------------------------------------------

    async def _set_aside(self, call: Call) -> tuple[Call, Usage]:
        """Return the call, with as long an answer as may be paid for, and the most that it may use; wait for others to end first."""
        prompt = self._estimate.of_call(call)
        async with self._freed:
            while (room := self._room(prompt)) < min(answer_tokens(call), LEAST_ANSWER_TOKENS):
                if not self._in_flight:
                    raise CapReached(self._told())
                await self._freed.wait()
            call = _within(call, room)
            most = Usage(prompt=prompt, output=answer_tokens(call))
            self._in_flight.append(most)
        return call, most

    async def _give_back(self, most: Usage) -> None:
        async with self._freed:
            self._in_flight.remove(most)
            self._freed.notify_all()

    def _room(self, prompt: int) -> float:
        """Return how many tokens an answer to a prompt of so many may have at most."""
        caps, room = self._caps(), math.inf
        if caps.tokens is not None:
            aside = sum(most.total for most in self._in_flight)
            room = caps.tokens - self._spent.tokens - aside - prompt
        if caps.money is not None:
            room = min(room, self._room_for(caps.money, prompt))
        return room

    def _room_for(self, money: float, prompt: int) -> float:
        if self._prices is None:
            raise CapReached(
                "A cap on money needs to know what tokens cost, so the model is not asked. Give prices per million tokens in the settings, "
                "such as prices = { prompt = 0.6, cached = 0.11, output = 2.2 }, or cap tokens with --max-tokens."
            )
        left = money - self._spent.money - sum(map(self._money, [*self._in_flight, Usage(prompt=prompt)]))
        if left <= 0:
            return 0
        return left * MILLION / self._prices.output if self._prices.output else math.inf

    def _money(self, usage: Usage) -> float:
        return 0.0 if self._prices is None else self._prices.of(usage)

    def _told(self) -> str:
        tokens, money = self._caps().tokens, self._caps().money
        caps = [f"{tokens:,} tokens" if tokens is not None else "", f"{money:g} of money" if money is not None else ""]
        return (
            f"The cap of {' and '.join(filter(None, caps))} is reached ({self._spent.tokens:,} tokens and {self._spent.money:.4g} of money "
            "are spent): the model is asked no more. Raise it with --max-tokens or --max-cost when the run is resumed."
        )


def _within(call: Call, room: float) -> Call:
    """Return the call with an answer of at most so many tokens, thinking included."""
    if answer_tokens(call) <= room:
        return call
    answer = min(call.max_tokens, int(room))
    return replace(call, max_tokens=answer, thinking=min(thinking_tokens(call), int(room) - answer))
