"""Lines that are told again: lessons, titles, and why code failed. Without values of the data; beyond their run without names, too.

Such a line was written by recipes, or by a model that saw what its level of sharing shows. It may quote a failure.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from open_autoglm.agents.glm.sharing.cleaning import cleaned
from open_autoglm.agents.glm.sharing.code_text import words_of
from open_autoglm.agents.glm.sharing.disclosure import Disclosure, Share
from open_autoglm.agents.glm.sharing.masking import Masker
from open_autoglm.agents.glm.sharing.shared import Shared
from open_autoglm.agents.glm.sharing.vocabulary import EXCEPTIONS, MESSAGE_WORDS
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.tools.words.overheard import OVERHEARD, taken_apart

HOSTS = (
    "given up after {folds} folds, far behind the best", "only what {attempt} holds already was written", "cut by the end of the budget", *OVERHEARD,
)  # fmt: skip
"""Sentences that the host closes an attempt with."""
LINE_CHARACTERS = 300
_READ_CHARACTERS = 1_000
"""Of a longer line the rest is left out before anything is looked for in it."""
BLANK = "…"
_QUOTED = re.compile(r"(?<![A-Za-z0-9_])(?:'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”|‘[^’\n]*’|「[^」\n]*」)")
_NUMBER = re.compile(r"(?P<stem>[A-Za-z_]?)(?P<number>\d+(?:[.,:/-]\d+)*(?:[eE][-+]?\d+)?)")
"""Also within words, since Chinese has no spaces around numbers."""
_WORD = re.compile(r"\w+")
_FAILURE = re.compile(r"(?P<type>[A-Za-z_][A-Za-z0-9_.]*): (?P<message>.*)", re.DOTALL)
_PLACE = re.compile(r" at (?P<file>[A-Za-z0-9_./-]+):(?P<line>\d+)$")
_DIGITS_OF_NAMES = 2
"""As in float64 and v1.5."""
_SMALL = 20
"""Whole numbers up to here count things: folds, depths, models."""


def lesson_text(
    words: str, share: Share, brief: Brief, past: Past | None = None, *, seen: Iterable[str] = ()
) -> Shared:
    """Clean a line for prompts of the same run: columns stay, values go unless the level shows them.

    Args:
        words: The lesson, or a title.
        share: The level; under `rows` nothing but control characters and frame tokens is taken out.
        brief: What is known of the data.
        past: The attempt that it is about, where there is one.
        seen: Texts that hold data and that the writer of the line was shown (rows, messages, output).
    """
    words = words[:_READ_CHARACTERS]
    if share == "rows":
        return _one_line(words)
    shown = Disclosure.of(brief, share)
    return _one_line(_Eraser(shown=shown, brief=brief, past=past, seen=tuple(seen), keep=shown.named).erased(words))


def stored_lesson(words: str, brief: Brief, past: Past | None = None, *, seen: Iterable[str] = ()) -> Shared:
    """Clean a lesson to be kept beyond its run: no column, no class, no level, no number but scores and parameters."""
    shown, words = Disclosure.of(brief, "schema"), words[:_READ_CHARACTERS]
    return _one_line(_Eraser(shown=shown, brief=brief, past=past, seen=tuple(seen), keep=frozenset()).erased(words))


def recalled(lesson: str) -> Shared:
    """Show a lesson that `stored_lesson` cleaned when it was kept."""
    return _one_line(lesson)


def failure_text(line: str, share: Share, brief: Brief, bundle: CodeBundle | None) -> Shared:
    """Tell in one line why code failed (see `report.failure_line`), as `report_excerpt` would.

    Under `schema` it is the type of the exception and the place in the bundle.
    """
    line = line[:_READ_CHARACTERS]
    if share == "rows":
        return _one_line(line)
    files = {} if bundle is None else bundle.files
    masked = Masker(shown=Disclosure.of(brief, share), files=files)
    claimed = _FAILURE.fullmatch(line)
    if claimed is None:
        return _one_line(_sentence(cleaned(line), masked))
    kind = claimed["type"]
    told = kind if kind in EXCEPTIONS or masked.says(kind) else "an exception"
    place = _PLACE.search(claimed["message"])
    known = place is not None and place["file"] in files
    at = f" at {place['file']}:{place['line']}" if place is not None and known else ""
    if share == "schema":
        return _one_line(f"{told}{at}")
    message = claimed["message"][: place.start()] if place is not None and known else claimed["message"]
    return _one_line(f"{told}: {masked(cleaned(message))}{at}")


def _sentence(line: str, masked: Masker) -> str:
    """Return a sentence of the host in English, what it is filled with masked; another one masked as a whole."""
    known = taken_apart(line, HOSTS)
    if known is None:
        return masked(line)
    template, values = known
    return template.format(**{name: _sentence(value, masked) for name, value in values.items()})


def _one_line(words: str) -> Shared:
    line = " ".join(cleaned(words).split())
    return Shared(line if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]} ...")


@dataclass(frozen=True, kw_only=True)
class _Eraser:
    """Blanks names and values of one table in a line about one attempt."""

    shown: Disclosure
    brief: Brief
    past: Past | None
    seen: tuple[str, ...]
    keep: frozenset[str]

    def erased(self, words: str) -> str:
        words = _QUOTED.sub(lambda found: found[0] if found[0][1:-1] in self.keep else BLANK, words)
        for name in sorted(self._present(words), key=len, reverse=True):
            words = re.sub(_alone(name), BLANK, words, flags=re.IGNORECASE if len(name) > 3 else 0)
        words = _NUMBER.sub(self._number, words)
        return _WORD.sub(lambda found: BLANK if self._is_tainted(found[0]) else found[0], words)

    def _present(self, words: str) -> Iterator[str]:
        """Return names and values of the data that occur in the words and are no ordinary words."""
        lowered = words.lower()
        begun = set(re.findall(r"[a-z0-9_]+", lowered))
        for name in self.shown.names_within(begun):
            small = name.lower()
            if (
                name not in self.keep
                and small in lowered
                and small not in MESSAGE_WORDS
                and not _NUMBER.fullmatch(name)
            ):
                yield name

    def _number(self, found: re.Match[str]) -> str:
        number = found["number"]
        if found["stem"] and sum(map(str.isdigit, number)) <= _DIGITS_OF_NAMES:
            return found[0]
        return found[0] if self._is_ours(number) else f"{found['stem']}{BLANK}"

    def _is_tainted(self, word: str) -> bool:
        """Whether data said the word, and it is neither a library's nor the code's own."""
        if word not in self._said or word.lower() in MESSAGE_WORDS or word in EXCEPTIONS or word in self.keep:
            return False
        return not self._is_in_code(word)

    def _is_in_code(self, word: str) -> bool:
        files = () if self.past is None else self.past.bundle.files.values()
        return any(word in words_of(code) for code in files)

    @cached_property
    def _said(self) -> frozenset[str]:
        failures = [mend.failure for mend in self.brief.mends] + [self.past.failure if self.past else ""]
        return frozenset(_WORD.findall(" ".join([*failures, *self.seen])))

    def _is_ours(self, number: str) -> bool:
        """Whether a number counts something, is a parameter, a score, or the difference of two."""
        if (number.isdecimal() and int(number) <= _SMALL) or (self.keep and self._is_in_code(number)):
            return True
        try:
            value = float(number.replace(",", ""))
        except ValueError:  # a date, a time
            return False
        within = 0.5000001 * 10.0 ** -len(number.partition(".")[2])
        return bool((abs(self._figures - value) <= within).any())

    @cached_property
    def _figures(self) -> npt.NDArray[np.float64]:
        """Scores, errors and parameters that are told anyway, and differences of scores."""
        known = _scores_of(_Same(self.brief))
        if self.past is None:
            return known
        own = [abs(score) for score in _scores(self.past)]
        given = [abs(figure) for figure in (self.past.params or {}).values() if isinstance(figure, int | float)]
        return np.concatenate([known, np.array([*own, *given]), *(abs(known - other) for other in own)])


class _Same:
    """A brief as a key: by being the same, since to compare what is in it would take longer than to look anew."""

    __slots__ = ("brief",)

    def __init__(self, brief: Brief) -> None:
        self.brief = brief

    def __hash__(self) -> int:
        return id(self.brief)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.brief is self.brief


@lru_cache(maxsize=4)
def _scores_of(told: _Same) -> npt.NDArray[np.float64]:
    """Return the sizes of all scores and their errors that a brief tells of."""
    return np.array([abs(score) for past in told.brief.past for score in _scores(past)], dtype=np.float64)


def _scores(past: Past) -> Iterator[float]:
    yield from (score for score in (past.mean, past.standard_error) if score is not None)


def _alone(name: str) -> str:
    before = r"(?<![A-Za-z0-9_])" if name[0].isascii() and (name[0].isalnum() or name[0] == "_") else ""
    after = r"(?![A-Za-z0-9_])" if name[-1].isascii() and (name[-1].isalnum() or name[-1] == "_") else ""
    return before + re.escape(name) + after
