"""A quick look at a table, for understanding what the user's words mean."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from open_autoglm.tools.data.kinds import ColumnKind, judge, number_kind, plain_value
from open_autoglm.tools.data.numbers import Numbers, numbers_of
from open_autoglm.tools.task import Label

SKETCH_ROWS = 200_000
"""Longer tables are looked at in evenly spaced rows; counts of distinct values are then of those rows."""
LEVELS = 50
EXAMPLES = 5
EXAMPLE_ROWS = 200
"""Rows that examples are taken from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSketch:
    """What one column looks like."""

    name: str
    kind: ColumnKind
    distinct: int
    missing_fraction: float
    levels: tuple[Label, ...] = ()
    """The most frequent values, most frequent first, where there are at most `LEVELS`; else empty."""
    examples: tuple[str, ...] = ()
    """Some values as text, in the order of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSketch:
    """What a table looks like."""

    name: str
    rows: int
    columns: tuple[ColumnSketch, ...]


def sketch(frame: pd.DataFrame, name: str) -> TableSketch:
    """Look at a plain frame (see `cells.plain_frame`)."""
    rows = frame.iloc[:: -(-len(frame) // SKETCH_ROWS)] if len(frame) > SKETCH_ROWS else frame
    numbers = numbers_of(rows)
    columns = tuple(
        _sketch_numbers(numbers[i], rows.iloc[:, i], str(name))
        if i in numbers
        else _sketch_column(rows.iloc[:, i], str(name))
        for i, name in enumerate(rows.columns)
    )
    return TableSketch(name=name, rows=len(frame), columns=columns)


def _sketch_numbers(numbers: Numbers, values: pd.Series, name: str) -> ColumnSketch:
    first = values.to_numpy()[:EXAMPLE_ROWS]
    shown = list(dict.fromkeys(first[~np.isnan(first)].tolist()))[:EXAMPLES]
    return ColumnSketch(
        name=name,
        kind=number_kind(numbers, name),
        distinct=numbers.distinct,
        missing_fraction=numbers.gaps / max(1, len(values)),
        levels=tuple(plain_value(v) for v, _ in numbers.counts) if 0 < numbers.distinct <= LEVELS else (),
        examples=tuple(str(v)[:80] for v in shown),
    )


def _sketch_column(values: pd.Series, name: str) -> ColumnSketch:
    present = values.dropna()
    counts = present.value_counts()
    distinct = len(counts)
    levels = tuple(plain_value(v) for v in counts.index) if 0 < distinct <= LEVELS else ()
    first = dict.fromkeys(present.iloc[:EXAMPLE_ROWS].tolist())
    return ColumnSketch(
        name=name,
        kind=judge(values, name, distinct).kind,
        distinct=distinct,
        missing_fraction=1 - len(present) / max(1, len(values)),
        levels=levels,
        examples=tuple(str(v)[:80] for v in list(first)[:EXAMPLES]),
    )
