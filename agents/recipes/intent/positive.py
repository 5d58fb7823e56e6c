"""Which of two classes is the one that is looked for."""

import re
from collections.abc import Sequence

from open_autoglm.agents.recipes.intent.levels import bare, mentioned_levels, polarity
from open_autoglm.agents.recipes.intent.notes import Notes
from open_autoglm.agents.recipes.intent.text import Sentence, Span, is_negated
from open_autoglm.errors import UnknownName
from open_autoglm.tools.data.read import ColumnSketch
from open_autoglm.tools.task import Label

_BEFORE = re.compile(
    r"(?:(?:positive|minority|interesting)\s+(?:class|label|case|one|value)\s*(?:is|=|:|are)?\s*|treat\s+|(?:detect|find|catch|spot|identify)\s+(?:the\s+)?|f1\s+(?:score\s+)?(?:of|for|on)\s+(?:the\s+)?(?:class\s+)?|(?:正类|正样本|阳性类|正例)\s*(?:是|为|:|=)\s*|以\s*|把\s*)[\"'(]*$"
)
_AFTER = re.compile(
    r"[\"')]*\s*(?:(?:is|as|=|means|being)\s+(?:the\s+)?(?:a\s+)?(?:positive|good|fraud\w*|sick|ill|yes|calcif\w*|rare|spam|churn\w*|default\w*|fail\w*|bad|surviv\w*|died|dead|malignant)|is\s+rare|good\b|positive\b|means\b|(?:是|为|作为|当作|当)\s*(?:正类|正样本|正例|阳性)|表示|代表|是(?!否)|的\s*f1|[^,。;]{0,4}更重要)"
)


def choose_positive(sentence: Sentence, target: ColumnSketch, option: str | None, notes: Notes) -> Label | None:
    """Name the positive class as it stands in the data; None when the two levels are not known.

    Raises:
        UnknownName: The answer is neither of the two.
    """
    levels = list(target.levels)
    if option is not None:
        match = [level for level in levels if bare(level) == bare(option)]
        if not match:
            raise UnknownName("positive class", option, [str(level) for level in levels])
        return match[0]
    if len(levels) != 2:
        return None
    said = _said(sentence, levels)
    if said is not None:
        return said
    affirming = max(levels, key=polarity)
    if polarity(affirming) > min(polarity(level) for level in levels):
        return affirming
    rarer = levels[-1]
    notes.guess(
        "positive",
        rarer,
        f"neither value of {target.name!r} says yes; {rarer!r} is the rarer one",
        f"{target.name!r} 的两个取值都不表示“是”;{rarer!r} 较少见",
    )
    return rarer


def _said(sentence: Sentence, levels: Sequence[Label]) -> Label | None:
    text = sentence.folded
    pointed = [level for level in levels if any(_is_pointed_out(text, span) for span in _places(text, bare(level)))]
    if pointed:
        return max(pointed, key=polarity)
    named = [level for level, span in mentioned_levels(sentence, levels) if not is_negated(text, span)]
    return named[0] if len(named) == 1 and polarity(named[0]) >= 0 else None


def _is_pointed_out(text: str, span: Span) -> bool:
    if is_negated(text, span):
        return False
    return bool(_BEFORE.search(text[: span.start]) or _AFTER.match(text, span.end))


def _places(text: str, wanted: str) -> list[Span]:
    if not wanted:
        return []
    pattern = (
        re.compile(rf"(?<![a-z0-9_.\-]){re.escape(wanted)}(?![a-z0-9_])")
        if wanted.isascii()
        else re.compile(re.escape(wanted))
    )
    return [Span(start=m.start(), end=m.end()) for m in pattern.finditer(text)]
