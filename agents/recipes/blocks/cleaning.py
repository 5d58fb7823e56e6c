"""From cells as they stand in a file to text, numbers and dates, whatever dtype pandas gave the column today."""

import re

import numpy as np
import pandas as pd

YES = ("true", "yes", "y", "t", "on", "是")
NO = ("false", "no", "n", "f", "off", "否")
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\d+(?:\.\d+)?")
# The first format that reads the most training values is taken; day first comes before month first.
DATE_FORMATS = (
    "ISO8601", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S", "%d/%m/%y", "%m/%d/%y", "%m/%d/%y %H:%M", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d-%m-%Y",
    "%m-%d-%Y", "%d-%m-%Y %H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y%m%d", "%Y-%m", "%Y/%m",
    "%H:%M", "%H:%M:%S", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %Y", "%B %Y", "%d-%b-%Y",
    "%d-%b-%y", "%b-%y", "%Y年%m月%d日", "%Y年%m月", "%Y年%m月%d日 %H:%M",
)  # fmt: skip


def write_plainly(value: object) -> str:
    """Write one cell the same way whatever type it came in: 1.0 is 1, TRUE is true."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    text = str(value).strip()
    return text.lower() if text.lower() in ("true", "false") else text


def as_text(column: pd.Series) -> pd.Series:
    """Turn any column into text; a missing cell is an empty one."""
    if column.dtype == object:
        return column.map(write_plainly, na_action="ignore").fillna("")
    codes, values = pd.factorize(column)
    names = np.array([*map(write_plainly, values), ""], dtype=object)
    return pd.Series(names[codes], index=column.index)  # a missing cell has code -1: the last name


def read_number(text: str) -> float:
    """Find the first number in a text: '23.4 kmpl', '$1,250', '190Nm@ 2000rpm'; NaN where there is none."""
    if text.lower() in YES or text.lower() in NO:
        return float(text.lower() in YES)
    found = NUMBER.search(text)
    return float(found.group().replace(",", "")) if found else np.nan


def to_number(column: pd.Series) -> np.ndarray:
    """Turn any column into float64 [rows]; what is no finite number becomes NaN."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes, texts = pd.factorize(as_text(column))
        numbers = np.array([*map(read_number, texts), np.nan])[codes]
    return np.where(np.isfinite(numbers), numbers, np.nan)


def to_numbers(rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Turn columns into float64 [rows, columns]; what is no finite number becomes NaN."""
    columns = rows[names]
    if all(isinstance(kind, np.dtype) and kind.kind in "iufb" for kind in set(columns.dtypes)):
        numbers = columns.to_numpy(dtype=np.float64)  # all at once: a call per column is what takes long on wide tables
        return np.where(np.isfinite(numbers), numbers, np.nan)
    return np.column_stack([to_number(columns[name]) for name in names])


def to_dates(column: pd.Series, date_format: str) -> pd.Series:
    """Read a column of dates; what does not fit the format becomes NaT."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = pd.to_datetime(as_text(column), format=date_format, errors="coerce", utc=True)
    return column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)


def find_date_format(column: pd.Series) -> str:
    """Find the format that reads the most of the first values."""
    sample = column.dropna().drop_duplicates().head(2000)
    return max(DATE_FORMATS, key=lambda known: to_dates(sample, known).notna().sum())


def date_parts(column: pd.Series, date_format: str) -> np.ndarray:
    """Take dates apart: [rows, 7], the last being days since 1970, so that a trend can be learned."""
    dates = to_dates(column, date_format)
    days = (dates - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    parts = [
        dates.dt.year,
        dates.dt.month,
        dates.dt.day,
        dates.dt.day_of_week,
        dates.dt.day_of_year,
        dates.dt.hour,
        days,
    ]
    return np.column_stack([part.to_numpy(dtype=np.float64, na_value=np.nan) for part in parts])
