"""Numbers of the data as they are shown: rounded, so that no cell can be read off them."""

import math
from collections.abc import Mapping

SIGNIFICANT = 2
BEYOND = 10
"""Rows that must lie on either side of a quantile."""


def rounded(number: float, digits: int = SIGNIFICANT) -> str:
    """Return a number with so many significant digits, without an exponent where that is short."""
    if not math.isfinite(number):
        return "infinite"
    short = float(f"{number:.{digits - 1}e}")
    return f"{short:.0f}" if short == int(short) and abs(short) < 1e9 else f"{short:g}"


def about(count: int) -> str:
    """Return a count: small ones as they are, others with two significant digits."""
    return str(count) if count < 100 else f"about {int(float(f'{count:.1e}')):,}"


def percent(share: float) -> str:
    """Return a share in whole percent; a little is never none, and nearly all is never all."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


def shown_quantiles(quantiles: Mapping[str, float], rows: float) -> str:
    """Return the quantiles of so many values that have enough rows on either side, such as `25 %: 20, 50 %: 28`.

    Three digits are shown where two would make different quantiles equal.
    """
    kept = {}
    for name, value in quantiles.items():
        level = float(name.removesuffix("%")) / 100
        if min(level, 1 - level) * rows >= BEYOND:
            kept[name.replace("%", " %")] = value
    digits = SIGNIFICANT
    if len({rounded(value) for value in kept.values()}) < len(set(kept.values())):
        digits += 1
    return ", ".join(f"{name}: {rounded(value, digits)}" for name, value in kept.items())
