"""Durations as people write them: `60s`, `10m`, `1h30m`, `90`."""

import itertools
import re

from open_autoglm.errors import InputError

_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_LONG = {
    "days": "d", "day": "d", "hours": "h", "hour": "h", "hrs": "h", "hr": "h",
    "minutes": "m", "minute": "m", "mins": "m", "min": "m", "seconds": "s", "second": "s", "secs": "s", "sec": "s",
    "天": "d", "小时": "h", "分钟": "m", "分": "m", "秒钟": "s", "秒": "s",
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+|[天小时分钟秒]+)")
_LONGEST = 30 * 86_400.0


def parse_duration(text: str) -> float:
    """Return seconds. A bare number is seconds; units may be combined, each once and from large to small.

    Raises:
        InputError: The text is no duration, or one of zero, or longer than 30 days.
    """
    cleaned = text.strip().lower()
    try:
        seconds = float(cleaned)
    except ValueError:
        seconds = _sum_of_parts(cleaned, text)
    if not 0 < seconds <= _LONGEST:  # also refuses nan and inf
        raise InputError(
            f"A duration of {text!r} is not possible: give more than 0 and at most 30 days, such as 60s or 10m."
        )
    return seconds


def _sum_of_parts(cleaned: str, text: str) -> float:
    parts = [(float(number), _LONG.get(unit, unit)) for number, unit in _PART.findall(cleaned)]
    sizes = [_UNITS.get(unit, 0.0) for _, unit in parts]
    falling = all(a > b for a, b in itertools.pairwise(sizes))
    if not parts or 0.0 in sizes or not falling or _PART.sub("", cleaned).strip():
        raise InputError(f"{text!r} is not a duration. Write 90, 60s, 10m or 1h30m.")
    return sum(number * _UNITS[unit] for number, unit in parts)


def clock(seconds: float) -> str:
    """Return whole seconds as `0:07`, `12:30` or `1:02:03`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
