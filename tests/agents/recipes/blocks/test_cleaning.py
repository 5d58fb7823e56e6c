"""Cells in any dtype become the same text, number or date."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.agents.recipes.blocks.cleaning import as_text, date_parts, find_date_format, read_number, to_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("23.4 kmpl", 23.4), ("190Nm@ 2000rpm", 190.0), ("$1,250.50", 1250.5), ("-3", -3.0), ("+.5", 0.5), ("1e3", 1000.0),
        ("85 Turner St", 85.0), ("价格 12 元", 12.0), ("A-12", 12.0), ("yes", 1.0), ("否", 0.0),
    ],
)  # fmt: skip
def test_numbers_are_found_inside_text(text: str, number: float) -> None:
    """Units, thousands separators and currencies around them; a hyphen in a word is no minus."""
    assert read_number(text) == number


def test_no_number_is_nan() -> None:
    """Blank strings in a column of numbers are gaps; so is infinity."""
    assert np.isnan([read_number(text) for text in ("", "  ", "none", "-")]).all()
    assert np.isnan(to_number(pd.Series([np.inf, -np.inf, None]))).all()


def test_the_same_values_give_the_same_text_whatever_their_dtype() -> None:
    """1 as int, float, object or text; flags as bools and as text; gaps everywhere."""
    for values in ([1, 2], [1.0, 2.0], ["1", " 2 "], pd.array([1, 2], dtype="Int64"), np.array([1, "2"], dtype=object)):
        assert as_text(pd.Series(values)).tolist() == ["1", "2"]
    for values in ([True, None], ["TRUE", None], pd.array([True, None], dtype="boolean")):
        assert as_text(pd.Series(values)).tolist() == ["true", ""]
    assert as_text(pd.Series([np.nan, np.nan])).tolist() == ["", ""]
    assert as_text(pd.Series([1.5, np.nan], index=[7, 3])).to_dict() == {7: "1.5", 3: ""}


@pytest.mark.parametrize(
    "written", ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y年%m月%d日", "%d %b %Y", "%B %d, %Y", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S"]
)  # fmt: skip
def test_dates_of_many_formats_come_apart_the_same(written: str) -> None:
    """The format is found on training rows and then holds for every row, alone or not."""
    days = pd.Series(pd.date_range("2023-12-20", periods=30))
    column = days.dt.strftime(written)
    found = find_date_format(column)
    expected = date_parts(days, found)
    np.testing.assert_array_equal(date_parts(column, found), expected)
    np.testing.assert_array_equal(date_parts(column[3:4], found), expected[3:4])
    assert expected[0].tolist()[:4] == [2023, 12, 20, 2]


def test_what_is_no_date_has_no_parts() -> None:
    """Gaps and nonsense are NaN, and time zones are brought to one."""
    assert np.isnan(date_parts(pd.Series(["nonsense", None]), "%Y-%m-%d")).all()
    aware = pd.Series(["2024-01-01T00:00:00+02:00"])
    assert date_parts(aware, find_date_format(aware))[0].tolist()[:3] == [2023, 12, 31]
