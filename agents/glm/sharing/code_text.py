"""Places in Python code where words stand that are not code: strings and comments."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
_RAW = {getattr(tokenize, "FSTRING_MIDDLE", -1), tokenize.COMMENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A string or a comment: characters [start, end) of a text."""

    start: int
    end: int
    source: str
    value: str | None
    """What the string evaluates to; None for comments, bytes and strings with fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Characters [start, end) of a text that become others."""

    start: int
    end: int
    text: str


def changed(text: str, changes: Sequence[Change]) -> str:
    """Make changes that do not overlap."""
    for change in sorted(changes, key=lambda change: -change.start):
        text = text[: change.start] + change.text + text[change.end :]
    return text


def pieces(text: str) -> Iterator[Piece]:
    """Find strings and comments, up to where the text stops being Python."""
    starts = line_starts(text)
    try:
        for found in tokenize.generate_tokens(io.StringIO(text).readline):
            if found.type != tokenize.STRING and found.type not in _RAW:
                continue
            start, end = (starts[line - 1] + column for line, column in (found.start, found.end))
            value = _value(found.string) if found.type == tokenize.STRING else None
            yield Piece(start=start, end=end, source=text[start:end], value=value)
    except (tokenize.TokenError, SyntaxError):  # what a model wrote may not be Python; the check of the code says so
        return


@lru_cache(maxsize=128)
def words_of(code: str) -> frozenset[str]:
    """Return the words and the numbers that stand in code, be it in names, strings or comments."""
    return frozenset(_WORD.findall(code)) | frozenset(_NUMBER.findall(code))


def line_starts(text: str) -> list[int]:
    """Return where each line begins, as `tokenize` and `ast` count lines."""
    starts = [0]
    for line in io.StringIO(text):
        starts.append(starts[-1] + len(line))
    return starts


def _value(source: str) -> str | None:
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None
