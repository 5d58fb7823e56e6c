"""What fits into a model's context: tokens are estimated safely, counted where it is close, and old parts are left out.

An estimate needs no question to the server. It is by bytes, at the most tokens per byte that recent prompts had, so that Chinese, digits and
small vocabularies are met. Only where it comes close to the limit is the server asked to count the whole prompt, once for each
that it has not counted before.
"""

import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from open_autoglm.agents.glm.wire import Call, Message, Part
from open_autoglm.errors import PromptTooLong

FREE_THINKING_TOKENS = 8192
"""Kept free for thinking where it is left to the model."""
MESSAGE_TOKENS = 8
"""What a chat template adds to each message, at most."""
FIRST_TOKENS_PER_BYTE = 0.34
MOST_TOKENS_PER_BYTE = 1.2
SAFETY = 1.1
REMEMBERED_PROMPTS = 16
SHORTEST_LEARNED_BYTES = 400
"""Of shorter prompts the template is too great a part."""
CLOSE = 0.7
"""Share of the room beyond which an estimate is not trusted."""
LEAST_ANSWER_TOKENS = 1024
COUNTS = 512
"""Counted prompts that are remembered."""

Counter = Callable[[Call], Awaitable[int | None]]
"""Counts a call's prompt; None where that cannot be done."""


def thinking_tokens(call: Call) -> int:
    """Return how many tokens a call leaves free for thinking."""
    return FREE_THINKING_TOKENS if call.thinking is None else call.thinking


def answer_tokens(call: Call) -> int:
    """Return how many tokens a call lets the model generate."""
    return call.max_tokens + thinking_tokens(call)


class Estimate:
    """Tokens of text by its bytes, learned from what servers counted."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=REMEMBERED_PROMPTS)
        self._raised = 1.0

    @property
    def tokens_per_byte(self) -> float:
        """The most that recent prompts had, and a tenth more."""
        learned = max(self._seen) * SAFETY if self._seen else FIRST_TOKENS_PER_BYTE
        return min(learned * self._raised, MOST_TOKENS_PER_BYTE)

    def of_text(self, text: str) -> int:
        """Return how many tokens a text has, rather too many."""
        return int(len(text.encode(errors="replace")) * self.tokens_per_byte) + 1

    def of_call(self, call: Call) -> int:
        """Return how many tokens a call's prompt has, rather too many."""
        said = sum(self.of_text(message.text) + self.of_text(message.reasoning) for message in call.messages)
        return said + MESSAGE_TOKENS * (len(call.messages) + 1)

    def learn(self, call: Call, tokens: int) -> None:
        """Learn from what a server counted for a prompt."""
        size = sum(len(message.text.encode(errors="replace")) for message in call.messages)
        if size >= SHORTEST_LEARNED_BYTES and tokens > 0:
            self._seen.append(tokens / size)

    def raise_(self) -> None:
        """Expect more, since a prompt was longer than estimated."""
        self._raised = min(self._raised * 1.3, 4.0)


class Window:
    """A model's context, and how calls are made to fit into it.

    Args:
        tokens: Prompt and answer together; None where nobody knows, then nothing is left out.
        count: Asks the server.
    """

    def __init__(self, tokens: int | None, count: Counter) -> None:
        self.tokens = tokens
        self.estimate = Estimate()
        self._count = count
        self._counts: dict[bytes, int] = {}
        self._spare = 0.0
        """Share of the context that is left free, since the server was found to need it."""

    async def fit(self, call: Call) -> Call:
        """Return the call with as many of its parts as fit: the oldest are left out first, those without an age never.

        Where only what must stand is left and still too long, the answer gets less room, first that for thinking.

        Raises:
            PromptTooLong: It does not fit even so.
        """
        if self.tokens is None:
            return call
        window = int(self.tokens * (1 - self._spare))
        call = _with_fair_answer(call, window)
        room = window - answer_tokens(call)
        need = await self._tokens(call, room)
        while need > room and (oldest := _oldest(call)):
            call = _without(call, self._enough(oldest, need - room, need / self.estimate.of_call(call)))
            need = await self._tokens(call, room)
        return call if need <= room else _with_less_answer(call, need, window)

    def narrow(self) -> None:
        """Put less into the context from now on: a prompt was too long for the server, whatever was counted."""
        self._spare = min(self._spare + 0.05, 0.3)
        self.estimate.raise_()

    async def _tokens(self, call: Call, room: int) -> int:
        estimated = self.estimate.of_call(call)
        if estimated <= CLOSE * room:
            return estimated
        key = _key(call)
        if key not in self._counts:
            counted = await self._count(call)
            if counted is None:
                return estimated
            if len(self._counts) >= COUNTS:
                self._counts.pop(next(iter(self._counts)))
            self._counts[key] = counted
            self.estimate.learn(call, counted)
        return self._counts[key]

    def _enough(self, oldest: Sequence[Part], over: int, scale: float) -> list[Part]:
        """Return as many of the parts, from the first, as have `over` tokens."""
        chosen: list[Part] = []
        freed = 0.0
        for part in oldest:
            if freed >= over:
                break
            chosen.append(part)
            freed += self.estimate.of_text(part.text) * scale
        return chosen


def _with_less_answer(call: Call, need: int, window: int) -> Call:
    left = window - need
    if left < min(call.max_tokens, LEAST_ANSWER_TOKENS):
        raise PromptTooLong(
            f"The prompt for {call.purpose.value} has about {need:,} tokens without anything that could be left out, and "
            f"{max(left, 0):,} of the model's {window:,} would be left for the answer. Serve the model with a longer context "
            "(vLLM: --max-model-len), share less of the data (--share schema), or drop columns."
        )
    answer = min(call.max_tokens, left)
    return replace(call, max_tokens=answer, thinking=min(thinking_tokens(call), left - answer))


def _with_fair_answer(call: Call, window: int) -> Call:
    """Bound what is kept for the answer by half of the context, and for thinking by a quarter."""
    if answer_tokens(call) <= window // 2:
        return call
    return replace(call, max_tokens=min(call.max_tokens, window // 2), thinking=min(thinking_tokens(call), window // 4))


def _oldest(call: Call) -> list[Part]:
    """Return the parts that may be left out, the oldest first; of equal age, the first to stand."""
    parts = [part for message in call.messages for part in message.parts if part.age is not None]
    return sorted(parts, key=lambda part: -(part.age or 0))


def _without(call: Call, parts: Sequence[Part]) -> Call:
    left_out = {id(part) for part in parts}
    messages = [_kept(message, left_out) for message in call.messages]
    return replace(call, messages=[message for message in messages if message.parts])


def _kept(message: Message, left_out: set[int]) -> Message:
    return replace(message, parts=[part for part in message.parts if id(part) not in left_out])


def _key(call: Call) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for message in call.messages:
        for text in (message.role, message.text, message.reasoning):
            digest.update(text.encode(errors="replace"))
            digest.update(b"\0")
    return digest.digest()
