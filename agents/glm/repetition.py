"""Text that says the same again and again: weak models fall into it, and never stop."""

TAIL_CHARS = 6_000
"""How far back repetition is looked for."""
REPEATED_CHARS = 2_000
"""So much of the same is no answer any more: real code and prose hold less, even tables and lists of numbers."""
LONGEST_UNIT = 1_500
FEWEST_UNITS = 4
BLANK_CHARS = 800
"""White space in a row, which under a grammar need not be regular."""
LOOK_EVERY_CHARS = 512
_NEEDLE = 64


def end_of_sense(text: str) -> int | None:
    """Return where the first unit of a repetition that `text` ends with itself ends; None where it ends with none.

    The cost does not depend on the length of the text.
    """
    tail = text[-TAIL_CHARS:]
    if len(text) > BLANK_CHARS and not text[-BLANK_CHARS:].strip():
        return len(text.rstrip())
    if len(tail) < REPEATED_CHARS:
        return None
    earlier = tail.rfind(tail[-_NEEDLE:], 0, len(tail) - 1)
    unit = len(tail) - _NEEDLE - earlier
    if earlier < 0 or unit > LONGEST_UNIT:
        return None
    repeated = max(REPEATED_CHARS, FEWEST_UNITS * unit)
    if repeated > len(tail) or tail[-repeated:-unit] != tail[-repeated + unit :]:
        return None
    return _begin(text, unit) + unit


def _begin(text: str, unit: int) -> int:
    """Return where the repetition of a unit of that length begins."""
    at, step = len(text) - unit, 1 << 16
    while step:
        while at >= step and text[at - step : at] == text[at - step + unit : at + unit]:
            at -= step
        step //= 2
    return at


class Watch:
    """Looks at a growing text now and then."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._chars = 0
        self._next = REPEATED_CHARS
        self._tail = ""

    @property
    def chars(self) -> int:
        """Length of the text so far."""
        return self._chars

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    def repeats(self, piece: str) -> bool:
        """Add a piece; return whether the text has begun to repeat itself."""
        self._pieces.append(piece)
        self._chars += len(piece)
        self._tail += piece
        if self._chars < self._next:
            return False
        self._next = self._chars + LOOK_EVERY_CHARS
        self._tail = self._tail[-TAIL_CHARS:]
        return end_of_sense(self._tail) is not None

    def sense(self) -> str:
        """The text so far, up to where it began to repeat itself."""
        text = self.text
        return text[: end_of_sense(text)]
