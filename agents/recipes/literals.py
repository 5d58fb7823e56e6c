"""Python literals for written code: by `repr` alone, wrapped for people, and read back before they are used."""

import ast
import math
import unicodedata
from collections.abc import Mapping, Sequence

WIDTH = 120


def literal(value: object, *, column: int = 0) -> str:
    """Return source text of a literal that evaluates to `value`, starting at this column, wrapped at 120.

    Tuples become lists and numpy scalars plain numbers. The text is parsed again, so that no value can be anything
    else than a value.

    Raises:
        ValueError: Something that has no literal: NaN, or a type other than JSON's.
    """
    plain = _plain(value)
    text = _render(plain, indent=0, column=column)
    if ast.literal_eval(text) != plain:
        msg = f"This value has no faithful literal: {value!r}"
        raise ValueError(msg)
    return text


def width(text: str) -> int:
    """Columns that the text takes in a terminal: two for a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _plain(value: object) -> object:
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float) and not math.isnan(value):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    msg = f"This value has no literal: {value!r}"
    raise ValueError(msg)


def _scalar(value: object) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"  # repr says inf, which is a name
    text = repr(value)
    if isinstance(value, str) and '"' not in text and text.startswith("'"):
        return f'"{text[1:-1]}"'  # the formatter's quotes; nothing to escape, for there is no double quote inside
    return text


def _one_line(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_one_line, value)) + "]"
    return _scalar(value)


def _render(value: object, *, indent: int, column: int) -> str:
    flat = _one_line(value)
    if not isinstance(value, (dict, list)) or column + width(flat) + 1 <= WIDTH:
        return flat
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            head = f"{inner}{_scalar(key)}: "
            lines.append(head + _render(item, indent=indent + 4, column=width(head)) + ",")
        return "\n".join(["{", *lines, " " * indent + "}"])
    return "\n".join(["[", *_filled(value, inner), " " * indent + "]"])


def _filled(items: list[object], margin: str) -> list[str]:
    """Lay items out side by side, as many as fit on a line: a hundred column names are a paragraph, not a page."""
    lines, line = [], margin
    for item in items:
        text = _render(item, indent=len(margin), column=len(margin)) + ","
        if line.strip() and ("\n" in text or "\n" in line or width(line) + 1 + width(text) > WIDTH):
            lines.append(line.rstrip())
            line = margin
        line += text if line == margin else f" {text}"
    return [*lines, line.rstrip()]
