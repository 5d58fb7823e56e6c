"""Which column is to be predicted: by option, by name, by place, by description, and at last by custom."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from open_autoglm.agents.recipes.intent.columns import Columns, Mention, key_of, nearest, words_of
from open_autoglm.agents.recipes.intent.concepts import CONCEPTS, USUAL_TARGETS
from open_autoglm.agents.recipes.intent.frames import Frames, pointed_names
from open_autoglm.agents.recipes.intent.levels import mentioned_levels
from open_autoglm.agents.recipes.intent.notes import Notes
from open_autoglm.agents.recipes.intent.phrases import Lexicon
from open_autoglm.agents.recipes.intent.text import Sentence, Span, is_chinese
from open_autoglm.errors import InputError, UnknownName
from open_autoglm.tools.data.profile import ColumnKind

_SAID = Lexicon({name: concept.said for name, concept in CONCEPTS.items()})
_KEYS = {name: tuple(dict.fromkeys(key_of(c) for c in concept.columns)) for name, concept in CONCEPTS.items()}
_NO_TARGETS = (ColumnKind.IDENTIFIER, ColumnKind.DATETIME, ColumnKind.CONSTANT, ColumnKind.EMPTY, ColumnKind.TEXT)
_USUAL = tuple(key_of(u) for u in USUAL_TARGETS)
_SURE = 75.0
"""From here on the target was said, below it was inferred."""
_EXPLICIT = 95.0
"""From here on the sentence says "target" in so many words."""
_CLOSE = 9.0
"""Two columns nearer than this are asked about."""
_EMPTY_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "for",
        "each",
        "every",
        "all",
        "this",
        "that",
        "it",
        "is",
        "are",
        "my",
        "our",
        "their",
        "his",
        "her",
        "and",
        "or",
        "to",
        "in",
        "on",
        "at",
        "be",
        "will",
        "would",
        "predict",
        "prediction",
        "model",
        "data",
        "column",
        "value",
        "number",
        "table",
        "row",
        "best",
        "good",
        "well",
        "please",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason to take a column for the target."""

    column: str
    weight: float
    english: str
    chinese: str


def choose_target(
    sentence: Sentence,
    columns: Columns,
    mentions: Sequence[Mention],
    taken: Sequence[str],
    said: str | None,
    notes: Notes,
) -> str:
    """Name the target.

    Args:
        sentence: What was typed.
        columns: Those of the training table.
        mentions: Where the sentence names columns.
        taken: Columns that have another role by the sentence.
        said: The option, or the answer to the question.
        notes: Receives what was assumed and what to ask.

    Raises:
        UnknownName: The option, or the sentence, names a column that is not there.
    """
    if said is not None:
        return said
    evidence = list(_evidence(sentence, columns, mentions, taken))
    totals = _totals(evidence)
    if not totals or totals[0][1] < _SURE:
        _refuse_unknown(sentence, columns, mentions)
        evidence += _misspelt(sentence, columns, taken)
        totals = _totals(evidence)
    best, weight = totals[0] if totals else (_by_custom(columns, taken), 0.0)
    rivals = [name for name, other in totals[1:4] if other > weight - _CLOSE and weight < _SURE + 25]
    reason = max((e for e in evidence if e.column == best), key=lambda e: e.weight, default=None)
    english = (
        reason.english
        if reason
        else f"nothing in the sentence names a column; {best!r} stands where targets usually stand"
    )
    chinese = reason.chinese if reason else f"句子没有提到任何列；{best!r} 处在目标列通常的位置"
    if weight < _SURE:
        notes.guess("target", best, english, chinese)
    if rivals or weight < 34:
        others = rivals or [n for n in columns.names if n != best][:4]
        text = notes.say("Which column is to be predicted?", "要预测哪一列？")
        notes.ask("target", text, (best, *others), notes.say(english, chinese))
    return best


def check_target(name: str, columns: Columns, *, lenient: bool) -> str:
    """Return the column that an option (as it stands) or an answer (loosely) names.

    Raises:
        UnknownName: There is no such column.
    """
    found = columns.loosely(name.strip()) if lenient else (name if name in columns.by_name else None)
    if found is None:
        raise UnknownName("target column", name, columns.names)
    return found


def _totals(evidence: Iterable[Evidence]) -> list[tuple[str, float]]:
    weights: dict[str, list[float]] = defaultdict(list)
    for item in evidence:
        weights[item.column].append(item.weight)
    totals = {name: max(w) + 0.2 * (sum(w) - max(w)) for name, w in weights.items()}
    return sorted(totals.items(), key=lambda kv: -kv[1])


def _evidence(
    sentence: Sentence, columns: Columns, mentions: Sequence[Mention], taken: Sequence[str]
) -> Iterable[Evidence]:
    frames = Frames(sentence=sentence, mentions=mentions)
    free = [n for n in columns.names if n not in taken]
    hits = _SAID.wanted(sentence.folded)
    for mention in mentions:
        if mention.column in free:
            weight = frames.weight(mention) + 3 * mention.exact
            part_of_phrase = any(
                h.span.start <= mention.span.start and mention.span.end <= h.span.end and h.span != mention.span
                for h in hits
            )
            if weight < _EXPLICIT and (part_of_phrase or columns.by_name[mention.column].kind in _NO_TARGETS):
                weight -= 40
            said = sentence.raw[mention.span.start : mention.span.end]
            yield Evidence(
                column=mention.column,
                weight=weight,
                english=f"the sentence says {said!r}",
                chinese=f"句子里说到 {said!r}",
            )
    yield from _by_concept(sentence, columns, free, frames, mentions)
    yield from _by_levels(sentence, columns, free, frames, mentions)
    yield from _by_shared_words(sentence, columns, free, frames)


def _inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end and inner != outer


def _by_concept(
    sentence: Sentence, columns: Columns, free: Sequence[str], frames: Frames, mentions: Sequence[Mention]
) -> Iterable[Evidence]:
    allowed = set(free)
    spoken_for = [m.span for m in mentions if m.column not in allowed]
    for hit in _SAID.wanted(sentence.folded):
        if any(hit.span.overlaps(s) for s in spoken_for):
            continue
        base = 62.0 if frames.is_object(hit.span) else 46.0
        said = sentence.raw[hit.span.start : hit.span.end]
        for rank, key in enumerate(_KEYS[hit.key]):
            exact = columns.keys.get(key)
            partial = [n for n in _holding(columns, key) if n != exact]
            weights = dict.fromkeys(partial, base - 14) | ({exact: base} if exact else {})
            for name, weight in weights.items():
                if name in allowed:
                    english = f"{said!r} describes what the column {name!r} holds"
                    chinese = f"{said!r} 说的是 {name!r} 列的内容"
                    yield Evidence(column=name, weight=weight - min(rank * 0.5, 8.0), english=english, chinese=chinese)


def _holding(columns: Columns, key: str) -> list[str]:
    if is_chinese(key[0]):
        return [n for n in columns.chinese if key in n] if len(key) >= 2 else []
    return columns.with_word.get(key, []) if len(key) >= 4 else []


def _by_levels(
    sentence: Sentence, columns: Columns, free: Sequence[str], frames: Frames, mentions: Sequence[Mention]
) -> Iterable[Evidence]:
    spoken_for = [m.span for m in mentions]
    for name in free:
        sketch = columns.by_name[name]
        if sketch.kind not in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN) or sketch.distinct > 50:
            continue
        found = [
            span
            for _, span in mentioned_levels(sentence, sketch.levels)
            if not any(span.overlaps(s) for s in spoken_for)
        ]
        if found:
            weight = (56.0 if len(found) > 1 else 36.0) + (8.0 if frames.is_object(found[0]) else 0.0)
            said = " / ".join(sentence.raw[s.start : s.end] for s in found)
            yield Evidence(
                column=name,
                weight=weight,
                english=f"{said} are values of {name!r}",
                chinese=f"{said} 是 {name!r} 的取值",
            )


def _by_shared_words(sentence: Sentence, columns: Columns, free: Sequence[str], frames: Frames) -> Iterable[Evidence]:
    said = {w for span in frames.objects for w in words_of(sentence.folded[span.start : span.end])} - _EMPTY_WORDS
    allowed = set(free)
    for name in dict.fromkeys(n for word in said if len(word) >= 3 for n in columns.with_word.get(word, [])):
        shared = said.intersection(columns.words[name])
        if name in allowed and columns.by_name[name].kind not in _NO_TARGETS:
            english = f"{name!r} shares the words {', '.join(sorted(shared))}"
            weight = 20 + 20 * len(shared) / len(columns.words[name])
            yield Evidence(column=name, weight=weight, english=english, chinese=f"{name!r} 含有相同的词")


def _misspelt(sentence: Sentence, columns: Columns, taken: Sequence[str]) -> list[Evidence]:
    return [
        Evidence(
            column=m.column,
            weight=62 * m.exact,
            english=f"{sentence.raw[m.span.start : m.span.end]!r} is nearly {m.column!r}",
            chinese=f"{sentence.raw[m.span.start : m.span.end]!r} 与 {m.column!r} 很接近",
        )
        for m in columns.misspelt(sentence)[:3]
        if m.column not in taken
    ] + list(_misspelt_concepts(sentence, columns, taken))


def _misspelt_concepts(sentence: Sentence, columns: Columns, taken: Sequence[str]) -> Iterable[Evidence]:
    keys = {k: n for k, n in columns.keys.items() if n not in taken}
    for name, span in near_concepts(sentence):
        column = next((keys[k] for k in _KEYS[name] if k in keys), None)
        if column is not None:
            said = sentence.raw[span.start : span.end]
            english = f"{said!r} seems to describe {column!r}"
            yield Evidence(column=column, weight=44, english=english, chinese=f"{said!r} 似乎说的是 {column!r}")


def near_concepts(sentence: Sentence) -> list[tuple[str, Span]]:
    """Concepts whose English word a word of the sentence comes near to: "survial"."""
    found = [(nearest(t.group(), list(_CONCEPT_WORDS)), t) for t in re.finditer(r"[a-z]{6,}", sentence.folded)]
    return [(_CONCEPT_WORDS[near[0]], Span(start=t.start(), end=t.end())) for near, t in found if near is not None]


_CONCEPT_WORDS: Mapping[str, str] = {
    word: name
    for name, concept in reversed(CONCEPTS.items())
    for word in (*concept.said, *concept.columns)
    if word.isalpha() and len(word) >= 6
}


def _refuse_unknown(sentence: Sentence, columns: Columns, mentions: Sequence[Mention]) -> None:
    for name, span in pointed_names(sentence):
        if any(span.overlaps(m.span) for m in mentions) or columns.loosely(name) is not None:
            continue
        if not columns.misspelt(sentence, span):
            raise UnknownName("target column", name, columns.names)


def _by_custom(columns: Columns, taken: Sequence[str]) -> str:
    open_to = [n for n in columns.names if n not in taken]
    free = [n for n in open_to if columns.by_name[n].kind not in _NO_TARGETS]
    free = free or open_to
    if not free:
        raise InputError("Every column has another role: none is left to predict.")
    keys = {key_of(n): n for n in reversed(free)}
    return next((keys[u] for u in _USUAL if u in keys), free[-1])
