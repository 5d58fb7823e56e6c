"""A small drawing board for charts: inline SVG whose colours come from the page, so that it follows light, dark and print.

Every text is escaped here and nowhere else. No script, no style attribute: a page may forbid both.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

Number = int | float


def escape(text: object) -> str:
    """Return text that stands for itself in SVG and HTML, without control characters."""
    return html.escape("".join(c if c.isprintable() else " " for c in str(text)))


def shorten(text: str, length: int) -> str:
    """Cut a label that would not fit; wide (East Asian) characters count twice."""
    total = 0
    for position, character in enumerate(text):
        total += 2 if ord(character) > 0x2E80 else 1
        if total > length:
            return text[: max(1, position - 1)] + "…"
    return text


def number(value: float | None, digits: int = 4) -> str:
    """Return a number as people read it: 4 significant digits at most, thousands in groups, a dash for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e7 or size < 1e-4:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-")
    places = max(0, min(6, digits - 1 - math.floor(math.log10(size))))
    text = f"{value:,.{places}f}"
    return text.replace("-", "−")


def _at(value: Number) -> str:
    return f"{value:.1f}".removesuffix(".0")


@dataclass(slots=True, kw_only=True)
class Board:
    """Collects shapes on a canvas of `width` x `height` units that scales to the page's column."""

    width: int
    height: int
    title: str
    """What the chart shows, for people who cannot see it."""
    shapes: list[str] = field(default_factory=list)

    def line(self, x1: Number, y1: Number, x2: Number, y2: Number, css: str) -> None:
        """Draw a straight line."""
        self.shapes.append(f'<line class="{css}" x1="{_at(x1)}" y1="{_at(y1)}" x2="{_at(x2)}" y2="{_at(y2)}"/>')

    def path(self, points: Sequence[tuple[Number, Number]], css: str) -> None:
        """Draw a line through points."""
        if points:
            steps = "L".join(f"{_at(x)} {_at(y)}" for x, y in points)
            self.shapes.append(f'<path class="{css}" d="M{steps}"/>')

    def curve(self, x1: Number, y1: Number, x2: Number, y2: Number, css: str) -> None:
        """Draw an edge that leaves and enters horizontally."""
        middle = (x1 + x2) / 2
        d = f"M{_at(x1)} {_at(y1)}C{_at(middle)} {_at(y1)} {_at(middle)} {_at(y2)} {_at(x2)} {_at(y2)}"
        self.shapes.append(f'<path class="{css}" d="{d}"/>')

    def rect(
        self, x: Number, y: Number, width: Number, height: Number, css: str, *, tip: str = "", opacity: float = 1
    ) -> None:
        """Draw a box; `tip` shows on hovering."""
        fill = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
        box = f'x="{_at(x)}" y="{_at(y)}" width="{_at(max(width, 0))}" height="{_at(max(height, 0))}"'
        self.shapes.append(f'<rect class="{css}" {box} rx="2"{fill}>{_tip(tip)}</rect>')

    def dot(self, x: Number, y: Number, radius: Number, css: str, *, tip: str = "") -> None:
        """Draw a circle; `tip` shows on hovering."""
        self.shapes.append(f'<circle class="{css}" cx="{_at(x)}" cy="{_at(y)}" r="{_at(radius)}">{_tip(tip)}</circle>')

    def text(self, x: Number, y: Number, text: str, css: str = "label", *, anchor: str = "start") -> None:
        """Write one line of text."""
        self.shapes.append(
            f'<text class="{css}" x="{_at(x)}" y="{_at(y)}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def svg(self) -> str:
        """Return the drawing."""
        head = f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(self.title)}">'
        return head + "".join(self.shapes) + "</svg>"


def _tip(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps values to positions, linearly."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the position; values outside the range stay at its edge."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[tuple[float, str]]:
        """Return round values inside the range, about `count` of them, each with as many decimals as their step has."""
        raw = (self.high - self.low) / max(1, count)
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [(i * step, _tick(i * step, step)) for i in range(first, last + 1)]


def _tick(value: float, step: float) -> str:
    size = max(abs(value), step)
    if size >= 1e7 or step < 1e-5:
        return number(value)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    if step * 10**places % 1 > 1e-6:  # a step of 2.5
        places += 1
    return f"{value:,.{places}f}".replace("-", "−")


def scale(values: Sequence[float], start: float, end: float, *, pad: float = 0.06) -> Scale:
    """Return a scale that shows all values with a little room on both sides."""
    low, high = min(values), max(values)
    room = (high - low) * pad or abs(high) * 0.1 or 1.0
    return Scale(low=low - room, high=high + room, start=start, end=end)
