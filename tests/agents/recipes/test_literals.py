"""Literals evaluate to what they were made from, and to nothing else."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_autoglm.agents.recipes.literals import WIDTH, literal, width

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(plain)
@settings(max_examples=150, deadline=None)
def test_a_literal_reads_back_as_the_value(value: object) -> None:
    """Whatever JSON can hold, infinities included."""
    assert ast.literal_eval(literal(value)) == value


def test_many_names_are_filled_into_lines_of_120() -> None:
    """A hundred column names are a paragraph, within the width of the page."""
    text = literal({"numbers": [f"column_{number}" for number in range(100)]})
    assert max(map(len, text.splitlines())) <= WIDTH
    assert len(text.splitlines()) < 20


def test_wide_characters_count_twice() -> None:
    """Chinese names do not push lines over the edge of the page."""
    text = literal([f"第{number}个很长的列名" for number in range(50)])
    assert max(map(width, text.splitlines())) <= WIDTH


def test_what_has_no_literal_is_refused() -> None:
    """NaN reads back as a name, and an object as code."""
    for value in (float("nan"), object(), {1, 2}):
        with pytest.raises(ValueError, match="no literal"):
            literal(value)
