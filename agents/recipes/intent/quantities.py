"""Numbers and durations in words: "half an hour", "90s", 两小时, 一百二十秒."""

import re
from dataclasses import dataclass

from open_autoglm.agents.recipes.intent.text import Span

ENGLISH_NUMBERS = {
    "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0,
    "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "fifteen": 15.0, "twenty": 20.0, "twenty-four": 24.0, "thirty": 30.0, "forty": 40.0,
    "forty-five": 45.0, "fifty": 50.0, "sixty": 60.0, "ninety": 90.0, "hundred": 100.0, "a hundred": 100.0, "half a": 0.5, "half an": 0.5,
    "half": 0.5, "a couple of": 2.0, "a few": 3.0, "a dozen": 12.0, "a quarter of an": 0.25, "one and a half": 1.5, "a half": 0.5,
}  # fmt: skip
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_CHINESE = "".join(_DIGITS) + "".join(_POWERS)

UNIT_SECONDS = {
    "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "D": 86_400.0, "W": 604_800.0, "MS": 2_629_800.0, "QS": 7_889_400.0, "YS": 31_557_600.0,
}  # fmt: skip
"""By the names of pandas' frequencies, `ms` aside; months and longer are means."""
_UNITS = {
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds", "毫秒"),
    "s": ("s", "sec", "secs", "second", "seconds", "秒钟", "秒"),
    "min": ("m", "min", "mins", "minute", "minutes", "分钟"),
    "h": ("h", "hr", "hrs", "hour", "hours", "小时", "钟头", "个钟"),
    "D": ("d", "day", "days", "天", "日"),
    "W": ("w", "wk", "week", "weeks", "周", "星期"),
    "MS": ("month", "months", "个月"),
    "QS": ("quarter", "quarters", "季度", "个季度"),
    "YS": ("year", "years", "年"),
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words}
_WORDS = "|".join(sorted((re.escape(w).replace(r"\ ", r"\s+") for w in ENGLISH_NUMBERS), key=len, reverse=True))
NUMBER = rf"(?:(?<![a-z0-9_.])(?:\d[\d,]*(?:\.\d+)?|(?:{_WORDS})(?![a-z0-9_]))|[{_CHINESE}]+|半)"
"""One number, as digits or in words, unnamed."""
_DURATION = re.compile(
    rf"(?P<number>{NUMBER})\s*-?\s*(?:个(?!月|钟|季))?(?P<half>半)?\s*(?P<unit>{'|'.join(sorted(_UNIT_OF, key=len, reverse=True))})(?![a-z0-9_])"
    r"(?P<and_half>\s+and\s+a\s+half|半)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A number of units of time; `unit` is a key of `UNIT_SECONDS`."""

    value: float
    unit: str
    span: Span

    @property
    def seconds(self) -> float:
        """Length in seconds; of months and longer, the mean."""
        return self.value * UNIT_SECONDS[self.unit]


def number(words: str) -> float:
    """Read what `NUMBER` matched.

    Raises:
        ValueError: It is no number.
    """
    words = " ".join(words.split())
    if words == "半":
        return 0.5
    if words in ENGLISH_NUMBERS:
        return ENGLISH_NUMBERS[words]
    if words[0] in _CHINESE:
        return float(_chinese(words))
    return float(words.replace(",", ""))


def _chinese(words: str) -> int:
    total, section, digit = 0, 0, 0
    for character in words:
        if character in _DIGITS:
            digit = digit * 10 + _DIGITS[character]
        elif character == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _POWERS[character], 0
    return total + section + digit


def durations(text: str) -> list[Duration]:
    """Every stretch of time that a folded text names, in its order."""
    found = [_duration(m) for m in _DURATION.finditer(text)]
    quarter = [
        Duration(value=15 * number(m.group(1)), unit="min", span=Span(start=m.start(), end=m.end()))
        for m in re.finditer(r"([一两三])刻钟", text)
    ]
    return sorted(found + quarter, key=lambda d: d.span)


def _duration(found: re.Match[str]) -> Duration:
    value = number(found["number"]) + (0.5 if found["half"] or found["and_half"] else 0.0)
    return Duration(value=value, unit=_UNIT_OF[found["unit"]], span=Span(start=found.start(), end=found.end()))
