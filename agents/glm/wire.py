"""What is asked of a language model, and what comes back: the seam that the real client and its fakes share.

A prompt is made of parts, so that it can be made shorter without being cut: what a call cannot do without is never dropped,
the rest goes by age, the oldest first. Stable parts (rules, contract, data card) stand first, so that a server's prefix
cache finds them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from open_autoglm.agents.glm.sharing.shared import Shared
from open_autoglm.events import Json

Role = Literal["system", "user", "assistant"]


class Purpose(StrEnum):
    """What a call is for. Recordings, the journal and the prompt log name calls by it."""

    UNDERSTAND = "understand"
    PLAN = "plan"
    DRAFT = "draft"
    REPAIR = "repair"
    IMPROVE = "improve"
    MERGE = "merge"
    PROPOSE_SPACE = "propose_space"
    REFLECT = "reflect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a message that is kept or dropped as a whole."""

    text: Shared
    age: int | None = None
    """How long ago what it tells happened, in attempts; the greatest is dropped first. None is never dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: Sequence[Part]
    reasoning: str = ""
    """What the model thought before it said this; sent back to it with its own turns."""

    @property
    def text(self) -> str:
        """The whole message, its parts divided by an empty line."""
        return "\n\n".join(part.text for part in self.parts if part.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One question to a language model."""

    purpose: Purpose
    messages: Sequence[Message]
    schema: Mapping[str, Json] | None = None
    """JSON Schema that the answer must obey; None asks for free text, such as fenced code."""
    thinking: int | None = 0
    """Most tokens of thinking: 0 switches it off, None leaves it to the model."""
    max_tokens: int = 4096
    """Most tokens of the answer, thinking not counted."""
    temperature: float = 0.6
    seed: int | None = None
    attempt: str = ""
    """The attempt that this call serves; empty before there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, as the server counted them, or estimated where it did not."""

    prompt: int = 0
    cached: int = 0
    """Of the prompt: found in the server's prefix cache."""
    output: int = 0
    """Everything that was generated, thinking included."""
    reasoning: int = 0
    """Of the output: thinking."""

    @property
    def total(self) -> int:
        """What counts against a cap on tokens."""
        return self.prompt + self.output


class Finish(StrEnum):
    """Why a model stopped."""

    STOP = "stop"
    LENGTH = "length"
    """The limit on tokens cut the answer."""
    REFUSAL = "refusal"
    """A filter, or the model itself by the protocol's field for it."""
    REPETITION = "repetition"
    """It said the same again and again, and was stopped; the text holds it once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a language model answered. Data, never instructions."""

    text: str
    reasoning: str = ""
    finish: Finish = Finish.STOP
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    """From the call to the last token, retries included."""
    first_token_seconds: float | None = None
    """None where nothing was streamed."""
    model: str = ""
    retries: int = 0
    asked: Call | None = None
    """The call as it was sent in the end, where parts were left out or the answer got less room; None where it was sent as it came."""


class LanguageModel(Protocol):
    """Answers calls: the client of an endpoint, or a fake of it. Safe to use from several tasks at once."""

    @property
    def name(self) -> str:
        """The served model's name."""
        ...

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and answer may take together; None where nobody knows."""
        ...

    async def ask(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            EndpointFailed: Nobody answered, too late, or not in the protocol, after all retries.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
        ...
