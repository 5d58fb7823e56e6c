"""Texts of executions with what may come from the data taken out: every word, number and quotation that is not known is a blank.

Known are the words of the code that the prompt shows, names of columns, levels that may be named, and the words that libraries make
their messages of. It does not matter how a value is written (escaped, as bytes, cut in two): it is not among the known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from open_autoglm.agents.glm.sharing.vocabulary import EXCEPTIONS, MESSAGE_WORDS

_PIECE = re.compile(
    r"(?P<quoted>(?<!\w)(?:'(?:[^'\\\n]|\\.){0,2000}'|\"(?:[^\"\\\n]|\\.){0,2000}\"|`[^`\n]{0,2000}`)(?!\w))"
    r"|(?P<number>(?<!\w)(?:\d+(?:[.,:/_-]\d+)*\.?|\.\d+)(?:[eE][-+]?\d+)?(?!\w))"
    r"|(?P<word>\w+)"
    r"|(?P<strange>[^\x00-\x7f\w\s])"
)
_MANY = re.compile(r"(?:‹\d+›[^\w\n‹]{0,4}){4,}")
_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
_WORD = re.compile(r"\w+")


@dataclass(kw_only=True)
class Masker:
    """Blanks what is not known, the same thing by the same blank: ‹1›, ‹2›, ..."""

    names: frozenset[str]
    """Known as a whole where they are quoted: columns, levels."""
    source: str
    """Code that is shown: its words and numbers are known."""
    _blanks: dict[str, str] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        """Return the text with blanks. Lines stay lines."""
        masked = "\n".join(map(self._line, text.split("\n")))
        return _MANY.sub("‹...› ", masked)

    def says(self, word: str) -> bool:
        """Whether a word is known from the code."""
        return word in self._said

    def _line(self, line: str) -> str:
        words = _WORD.findall(re.sub(r"'[^']*'|\"[^\"]*\"", "", line))
        unknown = [word for word in words if not word.isdecimal() and word not in self._said and not self._usual(word)]
        usual = [word for word in words if word not in self._said and self._usual(word)]
        trusting = len(unknown) <= len(usual)  # a line of mostly strange words is no message of a library
        return _PIECE.sub(lambda found: self._piece(found, trusting=trusting), line)

    def _piece(self, found: re.Match[str], *, trusting: bool) -> str:
        piece = found[0]
        if found["quoted"]:
            inside = piece[1:-1]
            known = inside in self.names or inside in self._said or inside in self._literals
            return piece if known else f"{piece[0]}{self._blank(inside)}{piece[0]}"
        if found["number"]:
            return piece if piece in self._numbers else self._blank(piece)
        if found["word"] and (piece in self._said or (trusting and self._usual(piece))):
            return piece
        return self._blank(piece)

    def _blank(self, piece: str) -> str:
        return self._blanks.setdefault(piece, f"‹{len(self._blanks) + 1}›")

    @staticmethod
    def _usual(word: str) -> bool:
        return word.lower() in MESSAGE_WORDS or word in EXCEPTIONS

    @cached_property
    def _said(self) -> frozenset[str]:
        """Words of the code, and names that are one word."""
        return frozenset(_WORD.findall(self.source)) | {name for name in self.names if _WORD.fullmatch(name)}

    @cached_property
    def _numbers(self) -> frozenset[str]:
        return frozenset(_NUMBER.findall(self.source)) | {name for name in self.names if _NUMBER.fullmatch(name)}

    @cached_property
    def _literals(self) -> frozenset[str]:
        return frozenset(found[1:-1] for found in re.findall(r"'[^'\\\n]*'|\"[^\"\\\n]*\"", self.source))


def masker(source: str, names: Iterable[str]) -> Masker:
    """Return a masker for one text, or for several that belong together."""
    return Masker(names=frozenset(names), source=source)
