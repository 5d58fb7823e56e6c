"""Aligned columns of plain text, also where a title is Chinese."""

import unicodedata
from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """Return one line per row, each column as wide as its widest cell; every row has the same number of cells."""
    if not rows:
        return []
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [(indent + "  ".join(map(_padded, row, widths))).rstrip() for row in rows]


def width(text: str) -> int:
    """Return the cells that a text takes in a terminal: East Asian characters take two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _padded(text: str, cells: int) -> str:
    return text + " " * (cells - width(text))


def one_line(text: str) -> str:
    """Return text without what could end a line, move a cursor or reorder what follows: spaces stand in its place."""
    return "".join(character if character.isprintable() else " " for character in text)
