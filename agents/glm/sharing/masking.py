"""Texts of executions with what may come from the data taken out: every word, number and quotation that is not known is a blank.

Known are the words of the code that the prompt shows, names of columns, levels that may be named, and the words that libraries make
their messages of. It does not matter how a value is written (escaped, as bytes, cut in two): it is not among the known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from open_autoglm.agents.glm.sharing.code_text import words_of
from open_autoglm.agents.glm.sharing.disclosure import Disclosure
from open_autoglm.agents.glm.sharing.vocabulary import EXCEPTIONS, LIBRARY_NAMES, MESSAGE_WORDS

_PIECE = re.compile(
    r"(?P<quoted>(?<!\w)(?:'(?:[^'\\\n]|\\.){0,2000}'|\"(?:[^\"\\\n]|\\.){0,2000}\"|`[^`\n]{0,2000}`)(?!\w))"
    r"|(?P<number>(?<!\w)(?:\d+(?:[.,:/_-]\d+)*|\.\d+)(?:[eE][-+]?\d+)?(?!\w))"
    r"|(?P<word>\w+)"
    r"|(?P<strange>[^\x00-\x7f\w\s])"
)
_LISTED = re.compile(r"(?:None of )?\[.*\] (?:not in index|not found in axis|are in the \[(?:columns|index)\])")
"""What pandas says of names that are not there, as a KeyError quotes it: the names in it are quoted themselves."""
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_MANY = re.compile(r"(?:‹\d+›[^\w\n‹]{0,4}){4,}")
_WORD = re.compile(r"\w+")


@dataclass(kw_only=True)
class Masker:
    """Blanks what is not known, the same thing by the same blank: ‹1›, ‹2›, ... One for each text, or for several that belong together."""

    shown: Disclosure
    files: Mapping[str, str]
    """Code that is shown: its words and numbers are known, but for classes that go by stand-ins."""
    _blanks: dict[str, str] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        """Return the text with blanks. Lines stay lines."""
        masked = "\n".join(map(self._line, text.split("\n")))
        return _MANY.sub("‹...› ", masked)

    def says(self, piece: str) -> bool:
        """Whether a word or a number stands in the code, or is a name that may be told."""
        if piece in self.shown.named:
            return True
        return piece not in self._hidden and any(piece in words_of(code) for code in self.files.values())

    def _line(self, line: str) -> str:
        words = [word for word in _WORD.findall(_QUOTED.sub("", line)) if not word.isdecimal() and not self.says(word)]
        usual = sum(map(_is_usual, words))
        trusting = usual >= len(words) - usual  # a line of mostly strange words is no message of a library
        return _PIECE.sub(lambda found: self._piece(found, trusting=trusting), line)

    def _piece(self, found: re.Match[str], *, trusting: bool) -> str:
        piece = found[0]
        if found["quoted"]:
            inside = piece[1:-1]
            if _LISTED.fullmatch(inside):
                return f"{piece[0]}{_PIECE.sub(lambda part: self._piece(part, trusting=True), inside)}{piece[0]}"
            return piece if self._may_be_quoted(inside) else f"{piece[0]}{self._blank(inside)}{piece[0]}"
        if found["strange"] or not (self.says(piece) or (found["word"] and trusting and _is_usual(piece))):
            return self._blank(piece)
        return piece

    def _may_be_quoted(self, inside: str) -> bool:
        if _WORD.fullmatch(inside):
            return inside in LIBRARY_NAMES or self.says(inside)
        if self._hidden & set(_WORD.findall(inside)):
            return False
        written = (f"'{inside}'", f'"{inside}"')
        return inside in self.shown.named or any(text in code for code in self.files.values() for text in written)

    def _blank(self, piece: str) -> str:
        return self._blanks.setdefault(piece, f"‹{len(self._blanks) + 1}›")

    @property
    def _hidden(self) -> frozenset[str]:
        return self.shown.hidden_words


def _is_usual(word: str) -> bool:
    return word.lower() in MESSAGE_WORDS or word in EXCEPTIONS or word in LIBRARY_NAMES
