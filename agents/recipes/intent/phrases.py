"""Finding the phrases of a table in a text. Tables are data; this is the one place that turns them into patterns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from open_autoglm.agents.recipes.intent.text import Span, is_negated

WORD = "a-z0-9_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A phrase of the table under `key` that stands at `span`."""

    key: str
    span: Span


class Lexicon:
    """A table from keys to phrases, English and Chinese side by side.

    Phrases are lower case. A space stands for any run of spaces, hyphens or underscores, also none; a trailing `*` for the rest
    of an English word. English phrases match whole words, also beside Chinese characters. Nothing else is special.
    """

    def __init__(self, table: Mapping[str, tuple[str, ...]]) -> None:
        self.table = table
        self._patterns = {key: _pattern(phrases) for key, phrases in table.items()}

    def find(self, text: str) -> list[Hit]:
        """Hits in the order of the text; one inside a longer one is dropped."""
        hits = [
            Hit(key=key, span=Span(start=m.start(), end=m.end()))
            for key, pattern in self._patterns.items()
            for m in pattern.finditer(text)
        ]
        hits.sort(key=lambda h: (h.span.start - h.span.end, h.span.start))
        kept: list[Hit] = []
        for hit in hits:
            if not any(hit.span.overlaps(k.span) for k in kept):
                kept.append(hit)
        return sorted(kept, key=lambda h: h.span)

    def wanted(self, text: str) -> list[Hit]:
        """Hits that the text does not deny."""
        return [h for h in self.find(text) if not is_negated(text, h.span)]

    def says(self, text: str, key: str) -> bool:
        """Whether the text holds a phrase of this key, undenied."""
        return any(h.key == key for h in self.wanted(text))


def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_phrase(p) for p in sorted(phrases, key=len, reverse=True)))


def _phrase(phrase: str) -> str:
    body = "".join(r"[\s_\-]*" if c == " " else "[a-z]*" if c == "*" else re.escape(c) for c in phrase)
    head = f"(?<![{WORD}])" if phrase[0].isascii() and phrase[0].isalnum() else ""
    tail = f"(?![{WORD}])" if phrase[-1].isascii() and (phrase[-1].isalnum() or phrase[-1] == "*") else ""
    return head + body + tail
