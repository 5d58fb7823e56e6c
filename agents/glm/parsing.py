"""What a language model meant as JSON, read tolerantly: prose around it, fences, Python literals, a cut end.

Everything is bounded: text beyond `MAX_CHARS` is not looked at, nesting beyond `MAX_DEPTH` is refused, and all attempts at one
text share one allowance of steps, so that hostile text costs milliseconds and never the stack.
"""

import re
from collections.abc import Iterator
from typing import Any

MAX_CHARS = 262_144
MAX_DEPTH = 48
MAX_STARTS = 64
"""Places of one text where an answer is looked for."""
MAX_STEPS = 50_000
"""Tokens read in one text, over all places."""

_THINK_END = re.compile(r"(?<![\"'])</think(?:ing)?>(?![\"'])", re.IGNORECASE)
"""Not in quotes: code that looks for the mark does not hold one."""
_THINK_START = re.compile(r"\s*<think(?:ing)?>", re.IGNORECASE)
_GAP = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|#[^\n]*|/\*[\s\S]*?\*/)*")
_STRINGS = {
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*', re.DOTALL),
    "'''": re.compile(r"(?:[^'\\]|\\.|'(?!''))*", re.DOTALL),
    '"': re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL),
    "'": re.compile(r"[^'\\]*(?:\\.[^'\\]*)*", re.DOTALL),
}
_ESCAPE = re.compile(r"\\(U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_NUMBER = re.compile(r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[^\W\d][\w.-]*")
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "none": None, "undefined": None}
_CLOSERS = {"{": "}", "[": "]", "(": ")"}
LONGEST_NUMBER = 400


class NotJson(ValueError):
    """No value begins here, or it is broken, too deep or too long."""


def thought_and_answer(text: str) -> tuple[str, str]:
    """Return what a server without a parser for it left of the model's thinking in its answer, and the answer.

    A thought without an end is an answer: nothing else is there.
    """
    began = _THINK_START.match(text)
    start = began.end() if began else 0
    ends = [*_THINK_END.finditer(text, start)]
    if not ends:
        return "", text[start:]
    return text[start : ends[-1].start()].strip("\n"), text[ends[-1].end() :].lstrip("\n")


def without_thinking(text: str) -> str:
    """Return the answer alone."""
    return thought_and_answer(text)[1]


def values_in(text: str) -> Iterator[Any]:
    """Yield the objects and lists that stand in `text`, likeliest first.

    Whole ones come before cut ones, later ones before earlier ones: models think aloud first. Of a value that the end of the text cuts,
    the piece in the making is dropped, since half a sentence or number is not what was meant; it comes with the list items that are
    themselves incomplete and then without them.
    """
    text = text[:MAX_CHARS]
    said = without_thinking(text)
    yield from _values(said)
    if len(said) < len(text):  # the mark of a thought may have stood in the answer itself
        yield from _values(text)


def _values(text: str) -> Iterator[Any]:
    reader = _Reader(text)
    whole: list[Any] = []
    inner: list[Any] = []
    at, cut_at = 0, None
    for _ in range(MAX_STARTS):
        found = _next_start(text, at)
        if found is None:
            break
        try:
            value, at = reader.value_at(found)
            (whole if cut_at is None else inner).append(value)
        except _CutShort:
            cut_at = found if cut_at is None else cut_at
            at = found + 1
        except NotJson:
            at = found + 1
    yield from reversed(whole)
    if cut_at is not None:
        yield from _mended(text, cut_at)
    yield from reversed(inner)


def _mended(text: str, at: int) -> Iterator[Any]:
    for keep in (True, False):
        try:
            value, _ = _Reader(text, mend=True, keep_incomplete=keep).value_at(at)
        except NotJson:
            return
        if value:
            yield value


def _next_start(text: str, at: int) -> int | None:
    places = [place for opener in "{[" if (place := text.find(opener, at)) >= 0]
    return min(places, default=None)


class _CutShort(NotJson):
    """The text ends within the value."""


class _Incomplete:
    """A piece that the end of the text cut."""


_INCOMPLETE = _Incomplete()


class _Reader:
    """Reads values of one text by recursive descent, with a bound on depth and steps."""

    def __init__(self, text: str, *, mend: bool = False, keep_incomplete: bool = True) -> None:
        self._text = text
        self._mend = mend
        self._keep_incomplete = keep_incomplete
        self._steps = 0
        self._ended = False
        """Whether the end of the text was met inside the value."""

    def value_at(self, at: int) -> tuple[Any, int]:
        """Return the value that begins at `at`, and where it ends.

        Raises:
            NotJson: There is none.
        """
        self._ended = False
        return self._value(at, 0)

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        self._steps += 1
        if depth > MAX_DEPTH or self._steps > MAX_STEPS:
            raise NotJson("too deep, or too much")
        at = self._skip(at)
        if at >= len(self._text):
            return self._cut(at)
        char = self._text[at]
        if char == "{":
            return self._object(at + 1, depth)
        if char in "[(":
            return self._list(at + 1, _CLOSERS[char], depth)
        if char in "\"'":
            return self._string(at)
        return self._scalar(at)

    def _skip(self, at: int) -> int:
        match = _GAP.match(self._text, at)
        return match.end() if match else at

    def _cut(self, at: int) -> tuple[Any, int]:
        self._ended = True
        if not self._mend:
            raise _CutShort("the text ends within a value")
        return _INCOMPLETE, at

    def _object(self, at: int, depth: int) -> tuple[Any, int]:
        made: dict[str, Any] = {}
        while True:
            at = self._skip(at)
            if at >= len(self._text):
                self._cut(at)
                return made, at
            if self._text[at] == "}":
                return made, at + 1
            key, at = self._key(at)
            if key is _INCOMPLETE:
                return made, at
            at = self._skip(at)
            if at >= len(self._text):
                self._cut(at)
                return made, at
            if self._text[at] != ":":
                raise NotJson("no colon after a key")
            value, at = self._value(at + 1, depth + 1)
            if value is not _INCOMPLETE:
                made[str(key)] = value
            at = self._past_comma(at)

    def _key(self, at: int) -> tuple[Any, int]:
        if self._text[at] in "\"'":
            return self._string(at)
        match = _WORD.match(self._text, at) or _NUMBER.match(self._text, at)
        if match is None:
            raise NotJson("no key")
        return match[0], match.end()

    def _list(self, at: int, closer: str, depth: int) -> tuple[Any, int]:
        made: list[Any] = []
        while True:
            at = self._skip(at)
            if at >= len(self._text):
                self._cut(at)
                return made, at
            if self._text[at] == closer:
                return made, at + 1
            value, at = self._value(at, depth + 1)
            if value is not _INCOMPLETE and (self._keep_incomplete or not self._ended):
                made.append(value)
            at = self._past_comma(at)

    def _past_comma(self, at: int) -> int:
        at = self._skip(at)
        if at < len(self._text) and self._text[at] in ",;":
            return at + 1
        if at < len(self._text) and self._text[at] not in "}])\"'{[":  # a forgotten comma is seen between values only
            raise NotJson("no comma")
        return at

    def _string(self, at: int) -> tuple[Any, int]:
        quote = next(q for q in _STRINGS if self._text.startswith(q, at))
        match = _STRINGS[quote].match(self._text, at + len(quote))
        assert match is not None  # it matches the empty string
        if not self._text.startswith(quote, match.end()):
            return self._cut(len(self._text))
        return _unescaped(match[0]), match.end() + len(quote)

    def _scalar(self, at: int) -> tuple[Any, int]:
        match = _NUMBER.match(self._text, at)
        if match is not None:
            if match.end() == len(self._text):
                return self._cut(match.end())
            return _number(match[0]), match.end()
        match = _WORD.match(self._text, at)
        if match is not None and match.end() == len(self._text):
            return self._cut(match.end())
        if match is None or match[0].lower() not in _WORDS:
            raise NotJson("no value")
        return _WORDS[match[0].lower()], match.end()


def _number(text: str) -> int | float:
    if len(text) > LONGEST_NUMBER:
        raise NotJson("too long a number")
    plain = text.replace("_", "")
    return int(plain) if plain.lstrip("+-").isascii() and plain.lstrip("+-").isdigit() else float(plain)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        return _SHORT.get(code, code)

    spelled = _ESCAPE.sub(plain, text)
    return spelled.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
