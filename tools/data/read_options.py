"""`--read KEY=VALUE`: what may be said about how a file is to be read, checked once."""

import codecs
from collections.abc import Mapping
from typing import NoReturn

from pydantic import JsonValue

from open_autoglm.errors import InputError, UnknownName

TEXT_KEYS = (
    "sep", "header", "encoding", "decimal", "thousands", "na_values", "keep_default_na", "skiprows", "quotechar",
    "comment", "on_bad_lines",
)  # fmt: skip
KEYS: Mapping[str, tuple[str, ...]] = {
    "csv": TEXT_KEYS,
    "excel": ("sheet", "header", "skiprows", "na_values", "keep_default_na"),
    "sqlite": ("table",),
    "json": ("encoding",),
    "jsonl": ("encoding",),
    "parquet": (),
    "frame": (),
}
"""Options by the format they belong to. `format` and `member` (a file inside an archive) go with any."""
ANYWHERE = ("format", "member")
_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ", "whitespace": r"\s+"}
_NOTHING = {"none", "null", "false", "no", ""}


def parse_options(read: Mapping[str, JsonValue] | None) -> dict[str, JsonValue]:
    """Check the options and give each its type.

    Raises:
        InputError: An unknown key (with the valid ones) or a value that its key cannot have.
    """
    known = [*dict.fromkeys(key for keys in KEYS.values() for key in keys), *ANYWHERE]
    options: dict[str, JsonValue] = {}
    for key, value in (read or {}).items():
        if key == "compression":  # recognised by content; recorded by earlier reads
            continue
        if key not in known:
            nearest = UnknownName("read option", key, known).nearest
            hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
            raise InputError(f"Unknown read option {key!r}.{hint} Possible: {', '.join(known)}.")
        options[key] = _typed(key, value)
    return options


def _typed(key: str, value: JsonValue) -> JsonValue:
    if key == "header":
        return None if value is None or str(value).lower() in _NOTHING else _whole(key, value)
    if key == "skiprows":
        return _whole(key, value)
    if key == "encoding":
        return _encoding(str(value))
    if key == "na_values":
        return [str(item) for item in value] if isinstance(value, list) else [v.strip() for v in str(value).split(",")]
    if key == "keep_default_na":
        return value if isinstance(value, bool) else str(value).lower() not in _NOTHING | {"0"}
    if key == "sheet":
        return value if isinstance(value, int) else str(value)
    if key in ("sep", "decimal", "thousands", "quotechar", "comment"):
        return _character(key, value)
    return _one_of(key, value)


def _character(key: str, value: JsonValue) -> str:
    text = _WORDS.get(str(value).lower(), str(value))
    if len(text) != 1 and not (key == "sep" and len(text) > 1):
        _refuse(key, value, "one character")
    return text


def _one_of(key: str, value: JsonValue) -> JsonValue:
    allowed = {"on_bad_lines": ("error", "skip"), "format": tuple(k for k in KEYS if k != "frame")}.get(key)
    if allowed is not None and value not in allowed:
        _refuse(key, value, f"one of {', '.join(allowed)}")
    return str(value)


def _whole(key: str, value: JsonValue) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = -1
    if number < 0:
        _refuse(key, value, "a number of rows, or `none` for header")
    return number


def _encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):  # ValueError: a name with a NUL in it
        _refuse("encoding", name, "an encoding such as utf-8, gb18030, latin-1 or utf-16")


def _refuse(key: str, value: JsonValue, possible: str) -> NoReturn:
    raise InputError(f"Read option {key}={value!r} is not possible: it takes {possible}.")
