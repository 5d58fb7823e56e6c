"""Frames as users have them: odd names, mixed types, gaps, infinities, lists, dates, tiny sizes. Shared by other tests."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pandas as pd
from hypothesis import strategies as st

NAMES = st.one_of(
    st.sampled_from(
        ["", " ", "a", "a", "a.1", "A", "列", "x,y", 'quo"te', "new\nline", "=cmd()", "__import__('os')", "target", "0"]
    ),
    st.text(max_size=12),
    st.integers(-3, 10**20),
    st.floats(allow_nan=True),
    st.none(),
    st.tuples(st.text(max_size=3), st.integers(0, 3)),
    st.just("x" * 500),
)

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=6),
    st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1), timezones=st.sampled_from([None, dt.UTC])),  # noqa: DTZ001  # frames mix naive and aware
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=2),
    st.sampled_from(
        [Decimal("1.5"), pd.NaT, pd.NA, math.nan, {1, 2}, (1, "a"), np.float32(1.5), np.int8(3), 1j, "\ud800"]
    ),
)

CELLS = [
    st.integers(0, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.floats(-10, 10),
    st.booleans(),
    st.sampled_from(["yes", "no"]),
    st.sampled_from(["red", "green", "blue", None, ""]),
    st.sampled_from(["1.5", "2", " ", "", "3 kg", "$4"]),
    st.sampled_from(["2020-01-05", "2021-13-45", "2022-03-04", None]),
    st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)).map(pd.Timestamp),  # noqa: DTZ001  # naive on purpose
    st.text(max_size=10),
    st.none(),
    st.just(7),
    st.just("same"),
    ANYTHING,
]


@st.composite
def columns(draw: st.DrawFn, rows: int) -> pd.Series:
    """One column: mostly one kind of cell, sometimes with gaps, sometimes as category or nullable dtype."""
    cells = draw(st.sampled_from(CELLS))
    if draw(st.integers(0, 4)) == 0:
        cells = st.one_of(st.none(), cells)
    few = draw(st.lists(cells, min_size=1, max_size=6))
    values = [few[i] for i in draw(st.lists(st.integers(0, len(few) - 1), min_size=rows, max_size=rows))]
    holder = np.empty(rows, dtype=object)
    holder[:] = values
    series = pd.Series(holder, dtype=object)  # a lone surrogate is no str, which pandas would infer
    form = draw(st.sampled_from(["object", "object", "inferred", "category", "nullable"]))
    try:
        if form == "inferred":
            return series.infer_objects()
        if form == "category":
            return series.astype("category")
        if form == "nullable":
            return series.convert_dtypes()
    except (
        TypeError,
        ValueError,
        OverflowError,
        UnicodeError,
    ):  # cells that pandas itself cannot put into such a dtype
        return series
    return series


@st.composite
def messy_frames(draw: st.DrawFn, *, min_rows: int = 0, max_rows: int = 40, max_columns: int = 6) -> pd.DataFrame:
    """A messy frame. Column names may be odd, empty, duplicated, numbers or tuples; the index may be anything."""
    rows = draw(st.integers(min_rows, max_rows))
    names = draw(st.lists(NAMES, max_size=max_columns))
    made = [draw(columns(rows)) for _ in names]
    frame = pd.concat(made, axis=1) if made else pd.DataFrame(index=range(rows))
    if names and draw(st.integers(0, 9)) == 0:
        frame.columns = pd.MultiIndex.from_tuples([(str(name), i) for i, name in enumerate(names)])
    else:
        holder = np.empty(len(names), dtype=object)
        holder[:] = names
        frame.columns = pd.Index(holder, dtype=object, tupleize_cols=False)
    index = draw(st.sampled_from(["range", "range", "constant", "reversed", "named"]))
    if index == "constant":
        frame.index = pd.Index([0] * rows)
    elif index == "reversed":
        frame = frame.iloc[::-1]
    elif index == "named":
        frame.index = pd.Index([f"r{i % 3}" for i in range(rows)], name="row")
    return frame
