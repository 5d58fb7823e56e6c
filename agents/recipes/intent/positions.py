"""Columns named by their place: "last column", "column 7", 第三列, 倒数第二列."""

import re
from collections.abc import Sequence

from open_autoglm.agents.recipes.intent.columns import Mention
from open_autoglm.agents.recipes.intent.quantities import NUMBER, number
from open_autoglm.agents.recipes.intent.text import Span
from open_autoglm.errors import UnknownName

_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "last": -1,
    "final": -1, "rightmost": -1, "leftmost": 1, "second to last": -2, "second last": -2, "next to last": -2, "penultimate": -2,
}  # fmt: skip
_SPELLED = "|".join(sorted((o.replace(" ", r"[\s\-]+") for o in _ORDINALS), key=len, reverse=True))
_ENGLISH = re.compile(
    rf"(?<![a-z0-9_])(?:(?P<word>{_SPELLED})|(?P<nth>\d+)(?:st|nd|rd|th))\s+(?:column|field|col)(?![a-z])"
)
_NUMBERED = re.compile(r"(?<![a-z0-9_])(?:column|col)\s*(?:number|no\.?|#)?\s*(?P<nth>\d+)(?![\w.%])")
_CHINESE = re.compile(
    rf"(?:(?P<last>最后)(?:的)?一(?:列|个字段)|(?P<back>倒数)?第\s*(?P<nth>{NUMBER})\s*(?:列|个字段))|(?P<tail>末列|尾列)|(?P<head>首列)"
)


def positions(text: str, names: Sequence[str]) -> list[Mention]:
    """Mentions of columns by their place, counted from 1, or from the end.

    Raises:
        UnknownName: There are fewer columns than that.
    """
    found = [
        (m, _ORDINALS[re.sub(r"[\s\-]+", " ", m["word"])] if m["word"] else int(m["nth"]))
        for m in _ENGLISH.finditer(text)
    ]
    found += [(m, int(m["nth"])) for m in _NUMBERED.finditer(text) if m["nth"] not in names]
    found += [(m, _chinese(m)) for m in _CHINESE.finditer(text)]
    return [_mention(m, place, names) for m, place in found]


def _chinese(found: re.Match[str]) -> int:
    if found["nth"]:
        place = int(number(found["nth"]))
        return -place if found["back"] else place
    return 1 if found["head"] else -1


def _mention(found: re.Match[str], place: int, names: Sequence[str]) -> Mention:
    index = place - 1 if place > 0 else len(names) + place
    if place == 0 or not 0 <= index < len(names):
        raise UnknownName("column position", found.group(), [f"1 to {len(names)}"])
    return Mention(column=names[index], span=Span(start=found.start(), end=found.end()), exact=0.9)
