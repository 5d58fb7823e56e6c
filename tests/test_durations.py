"""Durations as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_autoglm.durations import clock, parse_duration
from open_autoglm.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60), ("10m", 600), ("1h30m", 5400), ("90", 90), ("0.5", 0.5), ("1.5h", 5400), (" 2 min ", 120),
        ("1h 30m", 5400), ("10 minutes", 600), ("2d", 172_800), ("10分钟", 600), ("1小时30分", 5400), ("30秒", 30),
    ],
)  # fmt: skip
def test_reads_durations(text: str, seconds: float) -> None:
    """Units in both languages, combined from large to small; a bare number is seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0", "-5", "0s", "nan", "inf", "10x", "5m1h", "1m1m", "m", "1e9", "10m!"])
def test_refuses_what_is_no_duration(text: str) -> None:
    """Nothing, nonsense, zero, units twice or out of order, and more than 30 days."""
    with pytest.raises(InputError):
        parse_duration(text)


@given(st.text(max_size=12))
def test_any_text_gives_seconds_or_an_input_error(text: str) -> None:
    """No text makes it fail otherwise."""
    with contextlib.suppress(InputError):
        assert parse_duration(text) > 0


def test_clock_reads_as_on_a_watch() -> None:
    """Minutes and seconds, hours when there are any."""
    assert [clock(seconds) for seconds in (7.9, 750, 3723, -1)] == ["0:07", "12:30", "1:02:03", "0:00"]
