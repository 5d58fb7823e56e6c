"""Finding columns in a sentence."""

import pytest

from open_autoglm.agents.recipes.intent.columns import Columns, nearest, words_of
from open_autoglm.agents.recipes.intent.positions import positions
from open_autoglm.agents.recipes.intent.text import Sentence
from open_autoglm.errors import UnknownName
from open_autoglm.tools.data.profile import ColumnKind
from open_autoglm.tools.data.read import ColumnSketch, TableSketch


def columns_of(*names: str) -> Columns:
    sketches = (
        ColumnSketch(name=n, kind=ColumnKind.NUMERIC, distinct=50, missing_fraction=0, levels=(), examples=())
        for n in names
    )
    return Columns(table=TableSketch(name="made", rows=100, columns=tuple(sketches)))


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("predict medianHouseValue", "median_house_value"), ("predict median house values", "median_house_value"), ("predict MEDIAN-HOUSE-VALUE", "median_house_value"),
        ("predict petal width", "petal width (cm)"), ("预测价格（元）", "价格(元)"), ("用票价建模", "票价"), ("the type of failure", "failure_type"), ("predict OT", "OT"), ("column y", "y"),
        ("predict \"a+b (c)*\"", "a+b (c)*"), ("预测 y 列", "y"), ("predict ｙ", "y"),
    ],
)  # fmt: skip
def test_a_column_is_found_by_what_people_write(sentence: str, name: str) -> None:
    """Case, plural, spaces, underscores, camel case, width and a missing unit do not matter."""
    assert name in [m.column for m in columns_of(name, "other").mentions(Sentence(raw=sentence))]


@pytest.mark.parametrize(
    ("sentence", "name"),
    [("a model by s and d", "d"), ("use 6 models", "6"), ("training.csv", "training"), ("average", "age")],
)
def test_a_column_is_not_found_inside_other_words(sentence: str, name: str) -> None:
    """One-letter and number names need pointing at; names inside words and files are none."""
    assert columns_of(name).mentions(Sentence(raw=sentence)) == []


def test_one_slip_is_forgiven_and_a_digit_is_none() -> None:
    """Swapped letters still lead to the name; `bill2` never means `bill1`."""
    assert nearest("chrun", ["churn", "charge"]) == ("churn", 0.8)
    assert nearest("amount2", ["amount1"]) is None


def test_words_inside_a_name() -> None:
    """Camel case, underscores and plurals are taken apart."""
    assert words_of("BuildingAreas_HTTPCode") == ["building", "area", "http", "code"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("last column", "c"), ("the 2nd column", "b"), ("second to last column", "b"), ("column 3", "c"), ("最后一列", "c"), ("第二列", "b"), ("倒数第三列", "a"), ("第1列", "a")],
)  # fmt: skip
def test_columns_are_found_by_place(text: str, name: str) -> None:
    """Counted from 1, or from the end."""
    assert [m.column for m in positions(text, ["a", "b", "c"])] == [name]


def test_a_place_beyond_the_table_is_an_error() -> None:
    """It names how many columns there are."""
    with pytest.raises(UnknownName, match="1 to 3"):
        positions("column 9", ["a", "b", "c"])
