"""Tokens as a measure of room: who counts them, how much of a context each span of memory may take, and what fits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from open_autoglm.agents.glm.wire import Part

Count = Callable[[str], int]
"""Returns the tokens of a text, or more."""

BYTES_PER_TOKEN = 3
"""Fewer than the tokenizers of GLM need for English and code (about 4), and what one Chinese character takes."""
JOINT = 1
"""Tokens of the empty line between two parts."""
USUAL_CONTEXT = 32_768
"""Where nobody knows the context of a model."""
LARGEST_CONTEXT = 65_536
"""A larger context is no reason for longer prompts: models read the middle of long ones badly, and each token costs."""


def estimate(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few, without asking anybody."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Tokens that each span may take in one prompt."""

    working: int = 4_000
    run: int = 2_500
    long: int = 800

    @classmethod
    def of(cls, context_tokens: int | None) -> Self:
        """Return the shares in a context of so many tokens: together less than a quarter of it."""
        context = min(context_tokens or USUAL_CONTEXT, LARGEST_CONTEXT)
        return cls(working=context // 8, run=context // 13, long=context // 40)


def fitting(parts: Iterable[Part], limit: int, count: Count) -> list[Part]:
    """Return the parts, those that come first being the most wanted, that take at most `limit` tokens together.

    A part that does not fit is left out as a whole, and a smaller one after it may still come in.
    """
    kept, left = [], limit
    for part in parts:
        cost = count(part.text) + JOINT
        if part.text and cost <= left:
            kept.append(part)
            left -= cost
    return kept
