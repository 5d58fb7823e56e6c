"""A sentence as the rules read it: folded character by character, with its quotes, files, clauses and negations.

Folding keeps the length, so that a span found in the folded text is the same span in what was typed.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

BLANK = "\ue000"
"""Stands where something was taken out: no letter, no digit, no space, in nobody's keyboard."""

_QUOTES = str.maketrans(dict.fromkeys("“”„«»「」『』《》`", '"') | dict.fromkeys("‘’′", "'") | {"\u00a0": " "})
_QUOTED = re.compile(r"\"([^\"\n]+)\"|(?<![a-z0-9])'([^'\n]+)'(?![a-z0-9])")
_FILE = re.compile(
    r"[a-z0-9_\-./\\]*[a-z0-9_\-]?\.(?:csv|tsv|txt|parquet|jsonl?|xlsx?|sqlite3?|db|zip|gz|arff|feather)(?:\.(?:gz|zip))?(?![a-z0-9_])"
)
_BOUNDARY = re.compile(
    r"[;!?。()\[\]\n:]|,(?!\d{3}\b)|\.(?=\s|$|[^\x00-\x7f])|—|(?<!anything )(?<!everything )\bbut\b|\bwhile\b|但是|但|而是|而要|改为|改用"
)
_STOP = re.compile(r"[;!?。\n]|\.(?=\s|$|[^\x00-\x7f])")
_NEGATOR = re.compile(
    r"""(?:\b(?:do\s*not|don'?t|does\s*not|doesn'?t|must\s*not|should\s*not|shouldn'?t|mustn'?t|can\s*not|can'?t|won'?t|never|not(?!\s+(?:only|more|longer|over|just))
    |no(?!\s+(?:more|longer|later|less))|nor|without|instead\s+of|rather\s+than|avoid|anything\s+but|everything\s+but|any\s+\w+\s+but|except|excluding|exclude|forbid|forbidden|ban|skip|ignore)\b
    |(?<!要)不要|(?<!用)不用|不使用|不采用|不优化|不看重|不看|不考虑|不关心|不想|不需要|不允许|不准|(?<!能)不能|不得|(?<!可)不可|(?<!是)不是|(?<![识类性级区分个特鉴辨判])别|勿|禁止|禁用|避免|无需|没有|而非|排除|除了|除)
    (?:\s*(?:be|use|using|used|want|wants|care\s+about|care\s+for|optimi[sz]e|optimi[sz]ing|need|to|with|by|on|any|for|about|a|an|the|train|go\s+for|look\s+at|evaluate\s+with
    |去|用|使用|采用|优化|看|要|选|选用|任何|做|关心|考虑|以))*\s*""",
    re.VERBOSE,
)
_RESET = re.compile(
    r"\b(?:use|using|with|only|want|optimi[sz]e|prefer|just|to\s+(?:predict|forecast|estimate|classify|detect))\b|[来去]预测|要|用|只|优化|以"
)
_DENIED_AFTER = re.compile(
    r"""\s*(?:(?:is|are|was|does|do|must|should|shall|can|will|may)\s*(?:not|n't|never)\b|(?:is|are)n't\b|(?:does|do)n't\b|(?:is|are)\s+(?:un\w+|irrelevant|forbidden|off\s+limits)
    |(?:列)?\s*(?:并)?(?:不重要|无所谓|(?<!要)不要|(?<!用)不用|不能用|不可用|不参与|不使用|不考虑|没有意义|没用))""",
    re.VERBOSE,
)


def fold(text: str) -> str:
    """Lower case, half width, plain quotes; each character stays one character."""
    if text.isascii():
        return text.translate(_QUOTES).lower()
    folded = (unicodedata.normalize("NFKC", c) for c in text.translate(_QUOTES))
    lowered = (n.lower() if len(n) == 1 else c for n, c in zip(folded, text, strict=True))
    return "".join(n if len(n) == 1 else c for n, c in zip(lowered, text, strict=True))


def is_chinese(character: str) -> bool:
    """Whether it is a Han character."""
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Half-open range of characters."""

    start: int
    end: int

    def overlaps(self, other: "Span") -> bool:
        """Whether they share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """What the user typed, and how the rules read it."""

    raw: str

    @cached_property
    def folded(self) -> str:
        """Same length as `raw`; names of files are blanked, so that nothing is read into them."""
        text = fold(self.raw)
        return blank(text, (Span(start=m.start(), end=m.end()) for m in _FILE.finditer(text)))

    @cached_property
    def quotes(self) -> tuple[Span, ...]:
        """What stands between quotation marks, without the marks."""
        inner = [(m.span(1) if m.group(1) else m.span(2)) for m in _QUOTED.finditer(self.folded)]
        return tuple(Span(start=a, end=b) for a, b in inner)

    def is_quoted(self, span: Span) -> bool:
        """Whether exactly this was put between quotation marks."""
        return span in self.quotes

    def clause(self, position: int, text: str | None = None) -> Span:
        """`clause_around` in the folded sentence, or in another text of its length."""
        return clause_around(self.folded if text is None else text, position)

    def statement(self, position: int) -> Span:
        """The stretch around a position that ends at stops only."""
        return _around(_STOP, self.folded, position)


def _around(boundary: re.Pattern[str], text: str, position: int) -> Span:
    start, end = 0, len(text)
    for found in boundary.finditer(text):
        if found.end() <= position:
            start = found.end()
        elif found.start() >= position:
            end = found.start()
            break
    return Span(start=start, end=end)


def clause_around(text: str, position: int) -> Span:
    """The stretch of a folded text around a position that ends at commas, brackets, stops and words of contrast."""
    return _around(_BOUNDARY, text, position)


def blank(text: str, spans: Iterable[Span]) -> str:
    """Take spans out of a text without moving the rest."""
    characters = list(text)
    for span in spans:
        characters[span.start : span.end] = BLANK * (span.end - span.start)
    return "".join(characters)


def is_negated(text: str, span: Span) -> bool:
    """Whether the clause around a span of folded text denies it: "not accuracy", "accuracy does not matter", 不要用准确率."""
    clause = clause_around(text, span.start)
    before = text[clause.start : span.start]
    negators = list(_NEGATOR.finditer(before))
    if negators and not _RESET.search(before, negators[-1].end()):
        return True
    return _DENIED_AFTER.match(text, span.end, max(clause.end, span.end)) is not None
