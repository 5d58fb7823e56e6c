"""Plain frames: what Parquet can hold, the same on the host and in the sandbox, from whatever a file or a user gave.

Numbers, booleans, texts and dates stay as they are. What has no plain form (lists, dicts, mixed types, integers beyond
64 bits) becomes text, always the same text for the same value. Applying it twice changes nothing.
"""

import datetime
import json
import re
from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from open_autoglm.tools.words import listed_names, said

LARGEST_EXACT_INTEGER = 2**53
"""Beyond it float64 no longer tells neighbours apart."""


def plain_frame(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the frame with text column names, plain columns and the index 0..n-1, and what was changed, in words.

    A named index becomes columns; an unnamed one is only a numbering and goes.
    """
    if _is_plain(frame):
        same = frame.reset_index(drop=True)
        same.attrs, same.columns.name = {}, None  # both would go into the file
        return same, ()
    frame = _index_as_columns(frame)
    names, warnings = plain_names(frame.columns)
    columns = {name: plain_column(frame.iloc[:, i]) for i, name in enumerate(names)}
    plain = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    plain.columns = pd.Index(names, dtype="str")
    turned = [name for i, name in enumerate(names) if _was_stringified(frame.iloc[:, i], plain.iloc[:, i])]
    if turned:
        listed = listed_names([repr(name) for name in turned], 5)
        warnings.append(said("Columns of mixed or nested values were turned into text: {names}.", names=listed))
    return plain, tuple(warnings)


def plain_names(columns: Iterable[Hashable]) -> tuple[list[str], list[str]]:
    """Turn column names into distinct non-empty texts, the way `pandas.read_csv` does: `a`, `a.1`, `Unnamed: 3`."""
    wanted = [_name_text(name, i) for i, name in enumerate(columns)]
    free, names, renamed = set(wanted), list[str](), list[str]()
    seen: set[str] = set()
    for name in wanted:
        new, count = name, 0
        while new in seen:
            count += 1
            new = f"{name}.{count}" if f"{name}.{count}" not in free else new
        if new != name:
            renamed.append(said("{old!r} to {new!r}", old=name, new=new))
        seen.add(new)
        names.append(new)
    warnings = [said("Duplicated column names were changed: {names}.", names=renamed[:5])] if renamed else []
    return names, warnings


def plain_column(values: pd.Series) -> pd.Series:
    """Return one column as bool, int, float, datetime, timedelta or text, or as object where bools have gaps."""
    values = values.reset_index(drop=True)
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return plain_column(pd.Series(np.asarray(values)))
    if isinstance(dtype, pd.StringDtype):
        return values.astype("str")
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return _usual_width(values)
    if (isinstance(dtype, np.dtype) and dtype.kind in "mM") or isinstance(dtype, pd.DatetimeTZDtype):
        return _usual_unit(values)
    return _plain_objects(values.astype(object))


def cell_text(value: object) -> str:
    """Return the one text that stands for a value, whatever its type; equal values give equal texts."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, bytes | bytearray):
        return _bytes_text(bytes(value))
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict | list | tuple | set | frozenset | np.ndarray):
        return _encodable(json.dumps(_nested(value), ensure_ascii=False))
    return _encodable(re.sub(r" at 0x[0-9a-fA-F]+", "", _text_of(value)))


def _is_plain(frame: pd.DataFrame) -> bool:
    """Whether nothing is to be done, which on wide tables saves seconds."""
    names = frame.columns
    if isinstance(names, pd.MultiIndex) or any(name is not None for name in frame.index.names) or not names.is_unique:
        return False
    usual = all(
        d == "str" or (isinstance(d, np.dtype) and d.kind in "biuf" and d.itemsize <= 8) for d in set(frame.dtypes)
    )
    narrow = any(d == "float16" for d in set(frame.dtypes))
    return usual and not narrow and names.dtype == "str" and not (names == "").any() and not names.hasnans


def _text_of(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses decimal digits of very long integers
        return hex(value) if isinstance(value, int) else type(value).__name__


def _name_text(name: Hashable, position: int) -> str:
    parts = name if isinstance(name, tuple) else (name,)
    texts = [cell_text(part) for part in parts if not (isinstance(part, float) and np.isnan(part)) and part is not None]
    return "_".join(text for text in texts if text != "") or f"Unnamed: {position}"


def _index_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    named = [n for n in frame.index.names if n is not None and n not in frame.columns]
    if not named or isinstance(frame.columns, pd.MultiIndex):
        return frame
    levels = {name: frame.index.get_level_values(name).to_series(index=range(len(frame))) for name in named}
    return pd.concat([pd.DataFrame(levels), frame.reset_index(drop=True)], axis=1)


def _was_stringified(before: pd.Series, after: pd.Series) -> bool:
    if not (before.dtype == object and isinstance(after.dtype, pd.StringDtype)):
        return False
    return pd.api.types.infer_dtype(before, skipna=True) != "string"


def _usual_width(values: pd.Series) -> pd.Series:
    width = values.dtype.itemsize
    if values.dtype.kind == "f" and width not in (4, 8):
        return values.astype("float32" if width < 4 else "float64")
    return values


def _usual_unit(values: pd.Series) -> pd.Series:
    """Return moments and durations in microseconds or nanoseconds; Parquet knows no seconds."""
    if values.dt.unit in ("us", "ns"):
        return values
    try:
        return values.dt.as_unit("us")
    except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):  # beyond the year 290,000
        return values.astype("str").where(values.notna())


def _plain_objects(values: pd.Series) -> pd.Series:
    missing = values.isna()
    kind = pd.api.types.infer_dtype(values, skipna=True)
    gaps_as_none = values.where(~missing, None)
    try:
        if kind == "empty" or missing.all():
            return pd.Series(np.nan, index=values.index, dtype="float64")
        if kind == "string":
            return gaps_as_none.astype("str")
        if kind == "boolean":
            return gaps_as_none if missing.any() else values.astype(bool)
        if kind == "integer":
            return _integers(values, missing)
        if kind in ("floating", "mixed-integer-float", "decimal"):
            return values.where(~missing, np.nan).astype("float64")
        if kind in ("datetime", "datetime64", "date"):
            return _datetimes(gaps_as_none)
        if kind in ("timedelta", "timedelta64"):
            return _usual_unit(pd.to_timedelta(gaps_as_none))
    except (ValueError, TypeError, OverflowError):  # out of range, mixed time zones, lone surrogates
        return _texts(values, missing)
    return _texts(values, missing)


def _datetimes(values: pd.Series) -> pd.Series:
    parsed = pd.to_datetime(values)
    if parsed.dtype == object:
        raise ValueError("mixed time zones")
    return _usual_unit(parsed)


def _integers(values: pd.Series, missing: pd.Series) -> pd.Series:
    present = [int(v) for v in values[~missing]]
    low, high = min(present), max(present)
    if missing.any():
        if max(-low, high) <= LARGEST_EXACT_INTEGER:
            return values.where(~missing, np.nan).astype("float64")
    elif low >= -(2**63) and high < 2**63:
        return values.astype("int64")
    elif low >= 0 and high < 2**64:
        return values.astype("uint64")
    return _texts(values, missing)


def _texts(values: pd.Series, missing: pd.Series) -> pd.Series:
    texts = [None if gap else cell_text(v) for v, gap in zip(values, missing, strict=True)]
    return pd.Series(texts, index=values.index, dtype="str")


def _encodable(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate cannot be written to any file
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()


def _nested(value: object) -> object:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return dict(sorted(((cell_text(k), _nested(v)) for k, v in value.items()), key=lambda item: item[0]))
    if isinstance(value, set | frozenset):
        return sorted(cell_text(item) for item in value)
    if isinstance(value, list | tuple):
        return [_nested(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else cell_text(value)
