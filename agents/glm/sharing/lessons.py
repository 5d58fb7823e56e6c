"""Lessons and titles without values of the data; those that outlive a run also without names.

Such a line was written by recipes, or by a model that saw what its level of sharing shows. It may quote the failure that it tells of.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from open_autoglm.agents.glm.sharing.cleaning import cleaned
from open_autoglm.agents.glm.sharing.disclosure import Disclosure, Share
from open_autoglm.agents.glm.sharing.shared import Shared
from open_autoglm.agents.glm.sharing.vocabulary import EXCEPTIONS, MESSAGE_WORDS
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.tools.export.svg import number as short_number

LESSON_CHARACTERS = 300
BLANK = "…"
_QUOTED = re.compile(r"(?<!\w)(?:'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”|‘[^’\n]*’|「[^」\n]*」)")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,:/-]\d+)*(?:[eE][-+]?\d+)?(?!\w)")
_WORD = re.compile(r"\w+")
_SMALL = 20
"""Whole numbers up to here count things: folds, trees deep, models."""


def lesson_text(words: str, share: Share, brief: Brief, past: Past, *, seen: Iterable[str] = ()) -> Shared:
    """Clean a line for prompts of the same run: columns stay, values go unless the level shows them.

    Args:
        words: The lesson, or a title.
        share: The level; under `rows` nothing but control characters and frame tokens is taken out.
        brief: What is known of the data.
        past: The attempt that it is about.
        seen: Texts that hold data and that the writer of the line was shown (rows, messages, output).
    """
    if share == "rows":
        return _bounded(words)
    shown = Disclosure.of(brief, share)
    named = {str(level.value) for column in brief.profile.columns for level in shown.levels(column)}
    named |= {str(label) for label in brief.classes if label not in shown.hidden}
    return _bounded(
        _Eraser(brief=brief, past=past, seen=tuple(seen), keep=frozenset(shown.columns | named)).erased(words)
    )


def stored_lesson(words: str, brief: Brief, past: Past, *, seen: Iterable[str] = ()) -> Shared:
    """Clean a lesson to be kept beyond its run: no column, no class, no level, no number but scores and parameters."""
    return _bounded(_Eraser(brief=brief, past=past, seen=tuple(seen), keep=frozenset()).erased(words))


def recalled(lesson: str) -> Shared:
    """Show a lesson that `stored_lesson` cleaned when it was kept."""
    return _bounded(lesson)


def _bounded(words: str) -> Shared:
    line = " ".join(cleaned(words).split())
    return Shared(line if len(line) <= LESSON_CHARACTERS else f"{line[:LESSON_CHARACTERS]} ...")


@dataclass(frozen=True, kw_only=True)
class _Eraser:
    """Blanks names and values of one table."""

    brief: Brief
    past: Past
    seen: tuple[str, ...]
    keep: frozenset[str]

    def erased(self, words: str) -> str:
        words = _QUOTED.sub(lambda found: found[0] if found[0][1:-1] in self.keep else BLANK, words)
        for name in sorted(self._present(words), key=len, reverse=True):
            words = re.sub(_bounded_pattern(name), BLANK, words, flags=re.IGNORECASE if len(name) > 3 else 0)
        words = _NUMBER.sub(lambda found: found[0] if self._is_ours(found[0]) else BLANK, words)
        return _WORD.sub(lambda found: BLANK if found[0] in self._tainted else found[0], words)

    def _present(self, words: str) -> Iterator[str]:
        """Return names and values of the data that occur in the words and are no ordinary words."""
        lowered = words.lower()
        for name in self._known:
            if name.lower() in lowered and name.lower() not in MESSAGE_WORDS and not _NUMBER.fullmatch(name):
                yield name

    @cached_property
    def _known(self) -> frozenset[str]:
        columns = self.brief.profile.columns
        known = {column.name for column in columns} | {str(label) for label in self.brief.classes}
        known |= {str(level.value) for column in columns for level in column.levels}
        return frozenset(name for name in known if name.strip()) - self.keep

    @cached_property
    def _tainted(self) -> frozenset[str]:
        """Words that data said, and that are neither a library's nor the code's own."""
        said = set(_WORD.findall(" ".join([self.past.failure, *self.seen])))
        code = set(_WORD.findall("\n".join(self.past.bundle.files.values()))) | set(_WORD.findall(" ".join(self.keep)))
        return frozenset(word for word in said - code if word.lower() not in MESSAGE_WORDS and word not in EXCEPTIONS)

    def _is_ours(self, number: str) -> bool:
        return (number.isdecimal() and int(number) <= _SMALL) or number in self._scores

    @cached_property
    def _scores(self) -> frozenset[str]:
        """How scores and parameters of this attempt and of the others are written."""
        scores = [
            score
            for past in [self.past, *self.brief.past]
            for score in (past.mean, past.standard_error)
            if score is not None
        ]
        gains = [abs(one - other) for one in scores[:2] for other in scores]
        told = {f"{abs(value):.{digits}f}" for value in [*scores, *gains] for digits in range(2, 7)}
        told |= {short_number(abs(value), digits) for value in [*scores, *gains] for digits in (2, 4)}
        return frozenset(told | set(_NUMBER.findall(json.dumps(dict(self.past.params or {})))))


def _bounded_pattern(name: str) -> str:
    before = r"(?<![A-Za-z0-9_])" if name[0].isascii() and name[0].isalnum() else ""
    after = r"(?![A-Za-z0-9_])" if name[-1].isascii() and name[-1].isalnum() else ""
    return before + re.escape(name) + after
