"""Which columns a sentence mentions, and where. Names are data: they are compared, never read as words or patterns."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

from open_autoglm.agents.recipes.intent.text import Sentence, Span, fold, is_chinese
from open_autoglm.tools.data.read import ColumnSketch, TableSketch

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TOKEN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")
_UNIT = re.compile(r"\([^()]*\)\s*$")
_PART_OF = re.compile(
    r"(?<![a-z0-9_])(?P<part>[a-z]+)\s+of\s+(?:the\s+|a\s+|an\s+|each\s+)?(?P<whole>[a-z]+)(?![a-z0-9_])"
)
_LONGEST = 6
"""Words of a sentence that are tried together as one name."""
_POINTS = r"(?:column|columns|col|feature|field|variable|target|label|predict|predicting|forecast|classify|estimate|rating|列名|列|字段|变量|预测|目标|标签|分类)"
_POINTED_BEFORE = re.compile(rf"(?<![a-z]){_POINTS}\s*(?:is|are|was|called|named|=|:|是|为|叫)?\s*[\"'(]?$")
_POINTED_AFTER = re.compile(
    r"[\"']?\s*(?:\)?\s*)(?:column\b|field\b|is\s+(?:the|our|my)\s+(?:target|label)|这?一?列|字段|两列|三列)"
)
_GLUE = re.compile(
    r"(?:[\s,、/&\"']|\band\b|\bor\b|\bnor\b|\bthe\b|\bcolumns?\b|\bboth\b|和|与|或|及|以及|还有|跟|这|两|三|四|几|列|字段|也|一)*"
)

_PREDICATE = re.compile(
    r"[\"']?\s*(?:column\b|这?一?列)?\s*(?:\b(?:is|are|was|has|have|must|should|will|contains?|holds?)\b|是|为|作为|提前|会|不|只|当|设)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A column named in the sentence."""

    column: str
    span: Span
    exact: float
    """1 as it stands in the data or quoted, 0.95 but for case, 0.9 but for plural, spaces and underscores, less when misspelt."""


def words_of(name: str) -> list[str]:
    """The words inside a column's name: `medianHouseValue` and `median_house_values` alike."""
    return [_singular(w) for w in _TOKEN.findall(fold(_CAMEL.sub(" ", name)))]


def key_of(name: str) -> str:
    """What is left of a name without case, plural, spaces and signs."""
    return "".join(words_of(name))


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of the training table, by name and by what people call them."""

    table: TableSketch

    @cached_property
    def by_name(self) -> dict[str, ColumnSketch]:
        """Sketches in the order of the file."""
        return {c.name: c for c in self.table.columns}

    @cached_property
    def names(self) -> list[str]:
        """Names in the order of the file."""
        return list(self.by_name)

    @cached_property
    def folded(self) -> dict[str, str]:
        """Each name as `fold` leaves it."""
        return {name: fold(name) for name in self.names}

    @cached_property
    def words(self) -> dict[str, list[str]]:
        """`words_of` each name."""
        return {name: words_of(name) for name in self.names}

    @cached_property
    def with_word(self) -> dict[str, list[str]]:
        """The names that hold a word, in the order of the file."""
        found: dict[str, list[str]] = {}
        for name, words in self.words.items():
            for word in dict.fromkeys(words):
                found.setdefault(word, []).append(name)
        return found

    @cached_property
    def chinese(self) -> list[str]:
        """Names with Chinese characters."""
        return [n for n in self.names if not n.isascii() and any(map(is_chinese, n))]

    @cached_property
    def keys(self) -> dict[str, str]:
        """From `key_of` a name, with and without a unit in brackets at its end, to the name; the first of equals."""
        keys: dict[str, str] = {}
        for name in self.names:
            keys.setdefault("".join(self.words[name]), name)
        for name in self.names:
            if name.endswith((")", " ", "\uff09")):
                keys.setdefault(key_of(_UNIT.sub("", fold(name))), name)
        keys.pop("", None)
        return keys

    def loosely(self, name: str) -> str | None:
        """The column that is meant by a name, but for case, plural, spaces and underscores."""
        if name in self.by_name:
            return name
        folded = [n for n, f in self.folded.items() if f == fold(name)]
        return folded[0] if len(folded) == 1 else self.keys.get(key_of(name))

    def _by_parts(self, sentence: Sentence) -> Iterable[Mention]:
        for found in _PART_OF.finditer(sentence.folded):
            name = self.keys.get(_singular(found["whole"]) + _singular(found["part"]))
            if name is not None:
                yield Mention(column=name, span=Span(start=found.start(), end=found.end()), exact=0.9)

    def mentions(self, sentence: Sentence) -> list[Mention]:
        """All mentions, in the order of the sentence; where two overlap, the longer and then the more exact stands."""
        found = [*self._verbatim(sentence), *self._by_words(sentence), *self._by_parts(sentence)]
        found.sort(key=lambda m: (m.span.start - m.span.end, -m.exact))
        kept: list[Mention] = []
        for mention in found:
            if not any(mention.span.overlaps(k.span) for k in kept):
                kept.append(mention)
        return sorted(kept, key=lambda m: m.span)

    def _verbatim(self, sentence: Sentence) -> Iterable[Mention]:
        text = sentence.folded
        for name, wanted in self.folded.items():
            start = text.find(wanted) if wanted.strip() else -1
            while start >= 0:
                span = Span(start=start, end=start + len(wanted))
                if _stands_alone(text, span):
                    same = sentence.raw[span.start : span.end] == name
                    if sentence.is_quoted(span):
                        yield Mention(column=name, span=span, exact=1.0)
                    elif not _needs_pointing(name, same=same) or _is_pointed_at(text, span):
                        yield Mention(column=name, span=span, exact=1.0 if same else 0.95)
                start = text.find(wanted, start + 1)

    def _by_words(self, sentence: Sentence) -> Iterable[Mention]:
        tokens = list(_TOKEN.finditer(sentence.folded))
        for first, token in enumerate(tokens):
            key, end = "", token.start()
            for following in tokens[first : first + _LONGEST]:
                if sentence.folded[end : following.start()].strip(" _-."):
                    break
                key, end = key + _singular(following.group()), following.end()
                name = self.keys.get(key)
                if name is None or (len(key) < 3 and not is_chinese(key[0])):
                    continue
                yield Mention(column=name, span=Span(start=token.start(), end=end), exact=0.9)

    def misspelt(self, sentence: Sentence, within: Span | None = None) -> list[Mention]:
        """Columns that words of the sentence come near to; slower, for when nothing better was found."""
        window = within or Span(start=0, end=len(sentence.folded))
        choices = [k for k in self.keys if len(k) >= 5]
        longest = 3 if len(choices) <= 500 else 1
        found = []
        for key, span in _runs(sentence.folded, window, longest):
            near = nearest(key, choices)
            if near is not None and near[1] < 1:
                found.append(Mention(column=self.keys[near[0]], span=span, exact=0.85 * near[1]))
        return sorted(found, key=lambda m: -m.exact)


def nearest(word: str, choices: Sequence[str]) -> tuple[str, float] | None:
    """The choice that a misspelt word most likely means, and how near it is, 0 to 1.

    One slip (a letter wrong, missing, added, or two swapped: optimal string alignment) in a word of five letters or more, two from
    nine on. Digits are never slips.
    """
    if len(word) < 5:
        return None
    slips = 1 if len(word) < 9 else 2
    near = process.extractOne(word, choices, scorer=OSA.distance, score_cutoff=slips)
    if near is None or _digits(near[0]) != _digits(word):
        return None
    return near[0], 1 - near[1] / len(word)


def _runs(text: str, window: Span, longest: int) -> Iterable[tuple[str, Span]]:
    tokens = [t for t in _TOKEN.finditer(text, window.start, window.end) if t.group().isascii()]
    for first in range(len(tokens)):
        for last in range(first, min(first + longest, len(tokens))):
            run = tokens[first : last + 1]
            yield "".join(_singular(t.group()) for t in run), Span(start=run[0].start(), end=run[-1].end())


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _stands_alone(text: str, span: Span) -> bool:
    before = text[span.start - 1] if span.start else " "
    after = text[span.end] if span.end < len(text) else " "
    return not (_joins(before, text[span.start]) or _joins(text[span.end - 1], after))


def _joins(left: str, right: str) -> bool:
    def inside(c: str) -> bool:
        return c == "_" or (c.isascii() and c.isalnum())

    return inside(left) and inside(right)


def _needs_pointing(name: str, *, same: bool) -> bool:
    """Whether a name is so short or plain that it counts only where the sentence points at it: `y`, `6`, `s`."""
    if name.isdigit() or (len(name) == 1 and not is_chinese(name)):
        return True
    return len(name) == 2 and name.isascii() and not (same and any(c.isupper() for c in name))


def _is_pointed_at(text: str, span: Span) -> bool:
    return bool(_POINTED_BEFORE.search(text[: span.start]) or _POINTED_AFTER.match(text, span.end))


def listed(text: str, mentions: Sequence[Mention], first: int) -> list[Mention]:
    """The mentions from index `first` on that form one list: "a, b and c". A bare comma before "b is ..." ends it."""
    run = [mentions[first]]
    for mention in mentions[first + 1 :]:
        gap = text[run[-1].span.end : mention.span.start]
        if _GLUE.fullmatch(gap) is None or (_is_comma(gap) and _PREDICATE.match(text, mention.span.end)):
            break
        run.append(mention)
    return run


def _is_comma(gap: str) -> bool:
    return gap.strip(" \"'") == ","


def list_after(text: str, mentions: Sequence[Mention], position: int) -> list[Mention]:
    """The list of mentions that begins right at a position, glue aside; empty when none does."""
    for index, mention in enumerate(mentions):
        if mention.span.start >= position:
            return listed(text, mentions, index) if _GLUE.fullmatch(text, position, mention.span.start) else []
    return []


def list_before(text: str, mentions: Sequence[Mention], position: int) -> list[Mention]:
    """The list of mentions that ends right at a position, glue aside; empty when none does."""
    run: list[Mention] = []
    end = position
    for mention in reversed([m for m in mentions if m.span.end <= position]):
        gap = text[mention.span.end : end]
        if _GLUE.fullmatch(gap) is None or (len(run) == 1 and _is_comma(gap)):
            break
        run.insert(0, mention)
        end = mention.span.start
    return run
