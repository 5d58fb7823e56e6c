"""What a column holds, judged by its values and, for identifiers, by its name."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from open_autoglm.tools.data.dates import date_format
from open_autoglm.tools.data.numbers import Numbers, numbers_of
from open_autoglm.tools.task import Label

JUDGED_VALUES = 2_000
"""Texts, evenly spaced, that are looked at to tell dates and numbers from words."""
_NUMBER = re.compile(
    r"^[<>~≈]?\s*[$€£¥₹]?\s*(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+)"
    r"(?P<unit>|\s*[%°$€£¥₹+@].*|\s*[^\W\d_].*)$",
    re.DOTALL,
)
_YES_NO = [
    {"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"0", "1"}, {"on", "off"}, {"是", "否"},
]  # fmt: skip
_ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|uuid|guid|rowid|rownames?|index|key)$|[a-z]I[Dd]$|^ID|^Unnamed: \d+$|编号$", re.ASCII
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class ColumnKind(StrEnum):
    """What the values of a column are."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    """Two values that mean no and yes: bools, 0 and 1, `yes` and `no`."""
    CATEGORICAL = "categorical"
    TEXT = "text"
    """Sentences: many words, few repetitions."""
    DATETIME = "datetime"
    NUMERIC_TEXT = "numeric_text"
    """Numbers inside strings: `23.4 kmpl`, `$1,200`, or numbers with blanks between them."""
    IDENTIFIER = "identifier"
    """A name of the row: one value a row, and nothing to learn from."""
    CONSTANT = "constant"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """How the texts of a column look."""

    mean_words: float
    mean_characters: float
    longest: int
    """Characters."""
    blank_fraction: float
    """Of the values present: empty or only spaces."""
    chinese: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The kind of a column and what was found out on the way."""

    kind: ColumnKind
    date_format: str | None = None
    """For `pandas.to_datetime`, or `quarter` for values such as `1998 Q1`."""
    unit: str | None = None
    """The most frequent text after the number."""
    shape: TextShape | None = None


def judge(values: pd.Series, name: str, distinct: int | None = None) -> Judgement:
    """Tell the kind of a plain column (see `cells.plain_column`); `distinct` saves counting again."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        return Judgement(kind=number_kind(numbers_of(values.to_frame())[0], name))
    present = values.dropna()
    if present.empty:
        return Judgement(kind=ColumnKind.EMPTY)
    distinct = present.nunique() if distinct is None else distinct
    if distinct == 1 and len(present) == len(values):
        return Judgement(kind=ColumnKind.CONSTANT)
    if values.dtype.kind == "b" or values.dtype == object:
        return Judgement(kind=ColumnKind.BOOLEAN)
    if values.dtype.kind == "M":
        return Judgement(kind=ColumnKind.DATETIME)
    if values.dtype.kind == "m":
        return Judgement(kind=ColumnKind.NUMERIC)
    return _judge_texts(present, name, distinct)


def numbers_in(texts: pd.Series) -> pd.Series:
    """Return the leading numbers of texts such as `$1,200` or `23.4 kmpl`; float64, NaN where there is none."""
    found = texts.astype("str").str.strip().str.extract(_NUMBER.pattern, flags=_NUMBER.flags, expand=True)["number"]
    return pd.to_numeric(found.str.replace(",", ""), errors="coerce").astype("float64")


def looks_like_id(name: str) -> bool:
    """Whether a column is called as identifiers are: `customerID`, `user_id`, `rownames`."""
    return bool(_ID_NAME.search(name))


def plain_value(value: object) -> Label:
    """Return a cell as a Python value that JSON can hold."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return str(value)


def number_kind(numbers: Numbers, name: str) -> ColumnKind:
    """Tell the kind of a column of numbers."""
    if numbers.present == 0:
        return ColumnKind.EMPTY
    if numbers.distinct == 1 and numbers.gaps == 0:
        return ColumnKind.CONSTANT
    if numbers.flags:
        return ColumnKind.BOOLEAN
    if numbers.distinct < numbers.present or numbers.present < 20 or not numbers.whole:
        return ColumnKind.NUMERIC
    return ColumnKind.IDENTIFIER if numbers.numbered or looks_like_id(name) else ColumnKind.NUMERIC


def _judge_texts(present: pd.Series, name: str, distinct: int) -> Judgement:
    looked_at = present.iloc[:: -(-len(present) // JUDGED_VALUES)].tolist()
    shape = text_shape(looked_at)
    texts = [text for text in dict.fromkeys(text.strip() for text in dict.fromkeys(looked_at)) if text]
    if not texts and bool((present.str.strip() == "").all()):
        return Judgement(kind=ColumnKind.EMPTY, shape=shape)
    if distinct <= 3 and {text.lower() for text in texts} in _YES_NO:
        return Judgement(kind=ColumnKind.BOOLEAN, shape=shape)
    digits = any(char.isdigit() for text in texts[:5] for char in text)
    if digits and (found := date_format(pd.Series(texts, dtype="str"))) is not None:
        return Judgement(kind=ColumnKind.DATETIME, date_format=found, shape=shape)
    if digits and (unit := _unit_of(texts)) is not None:
        kind = ColumnKind.NUMERIC_TEXT
        if distinct == len(present) >= 20 and unit == "" and looks_like_id(name):
            kind = ColumnKind.IDENTIFIER
        return Judgement(kind=kind, unit=unit or None, shape=shape)
    return Judgement(kind=_word_kind(shape, distinct, len(present)), shape=shape)


def _word_kind(shape: TextShape, distinct: int, count: int) -> ColumnKind:
    words = shape.mean_characters / 2 if shape.chinese else shape.mean_words
    if words >= 3 and distinct > 50 and distinct >= 0.3 * count:
        return ColumnKind.TEXT
    if distinct == count >= 20 and words < 3:
        return ColumnKind.IDENTIFIER
    return ColumnKind.CATEGORICAL


def text_shape(texts: Sequence[str]) -> TextShape:
    """Measure texts without missing values; at least one."""
    count, times = len(texts), Counter(texts)
    head = "".join(text[:200] for text in texts[:200])
    return TextShape(
        mean_words=sum(len(text.split()) * n for text, n in times.items()) / count,
        mean_characters=sum(len(text) * n for text, n in times.items()) / count,
        longest=max(len(text) for text in times),
        blank_fraction=sum(n for text, n in times.items() if not text.strip()) / count,
        chinese=len(_CJK.findall(head)) > 0.3 * len(head),
    )


def _unit_of(texts: Sequence[str]) -> str | None:
    """Return the usual unit ("" for none) where nearly all texts begin with a number, else None."""
    found = [m for text in texts if (m := _NUMBER.match(text)) is not None]
    if not found or len(found) < 0.9 * len(texts):
        return None
    units = Counter(re.sub(r"[\d.,]+|[-~@ ]+$", "", m["unit"]).strip() for m in found)
    usual = sum(count for _, count in units.most_common(8))
    if usual < 0.8 * len(found) or (len(units) > 1 and len(units) > 0.5 * len(found)):
        return None  # `85 Turner St`: what follows the number is a word of its own each time
    return units.most_common(1)[0][0]
