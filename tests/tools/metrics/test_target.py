"""Classes as they stand in the data, and target columns as codes or numbers."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.metrics.target import classes_of, encode_target
from open_autoglm.tools.task import TaskType


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (pd.Series([10, 2, 2]), (2, 10)),
        (pd.Series([1.0, np.nan, 0.0]), (0.0, 1.0)),
        (pd.Series([True, False]), (False, True)),
        (pd.Series(["b", "a", None]), ("a", "b")),
        (pd.Series(["10", "9"]), ("10", "9")),
        (pd.Series(["好", "差"]), ("好", "差")),
        (pd.Series(["x", 1, 2.5, True], dtype=object), (True, 2.5, "x")),
        (pd.Series([3, None, 1], dtype="Int64"), (1, 3)),
        (pd.Series(["low", "high"], dtype=pd.CategoricalDtype(["low", "mid", "high"], ordered=True)), ("low", "high")),
        (pd.Series(["b", "a"], dtype="category"), ("a", "b")),
        (pd.Series([decimal.Decimal("1.5"), datetime.date(2020, 1, 2)]), ("1.5", "2020-01-02")),
    ],
)
def test_classes_are_plain_and_sorted(values: pd.Series, classes: tuple) -> None:
    """Numbers by value, text by code point, an ordered categorical as it says; nothing of numpy is left."""
    found = classes_of(values)

    assert found == classes
    assert all(type(label) in (bool, int, float, str) for label in found)


def test_the_positive_class_goes_last() -> None:
    """Whatever the spelling of the wish."""
    assert classes_of(pd.Series(["no", "yes"]), positive="no") == ("yes", "no")
    assert classes_of(pd.Series([0, 1]), positive="0") == (1, 0)
    assert classes_of(pd.Series([False, True]), positive="true") == (False, True)
    with pytest.raises(InputError, match=r"no class 'maybe'. The classes are 'no' and 'yes'"):
        classes_of(pd.Series(["no", "yes"]), positive="maybe")
    with pytest.raises(InputError, match="two classes; this one has 3"):
        classes_of(pd.Series([1, 2, 3]), positive=1)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (pd.Series([1, 0, 1]), (0, 1)),
        (pd.Series([1.0, 0.0, 1.0]), (0, 1)),
        (pd.Series(["1", "0", "1.0"]), (0, 1)),
        (pd.Series([1, 0, 1]), ("0", "1")),
        (pd.Series([1, 0, 1]), (False, True)),
        (pd.Series(["True", "FALSE", "true"]), (False, True)),
        (pd.Series([True, False, True]), ("False", "True")),
        (pd.Series([1, 0, 1], dtype="Int64"), (0.0, 1.0)),
        (pd.Series(["b", "a", "b"], dtype="category"), ("a", "b")),
        (pd.Series([" b", "a ", "b"]), ("a", "b")),
        (pd.Series([1, 0, 1], dtype="category"), ("0", "1")),
        (pd.Series([" inf", "1_0", "inf"]), ("1_0", "inf")),
        (pd.Series(["0.50", "0.25", 0.5], dtype=object), (0.25, 0.5)),
    ],
)
def test_labels_are_found_by_what_they_say(values: pd.Series, classes: tuple) -> None:
    """A test file may spell the classes of training in another type."""
    codes = encode_target(values, TaskType.BINARY, classes)

    assert codes.dtype == np.int64
    np.testing.assert_array_equal(codes, [1, 0, 1])


def test_spelling_counts_where_it_is_all_there_is() -> None:
    """The classes "1" and "01" are two; then nothing is guessed."""
    classes = ("01", "1")

    np.testing.assert_array_equal(encode_target(pd.Series(["1", "01"]), TaskType.BINARY, classes), [1, 0])
    with pytest.raises(InputError, match="1 labels that training does not have"):
        encode_target(pd.Series([1]), TaskType.BINARY, classes)


def test_unseen_labels_are_named_or_missed() -> None:
    """Refused by default; on request a row that nobody can get right."""
    values = pd.Series(["a", "z"], name="kind")

    with pytest.raises(InputError, match=r"'kind' holds 1 labels that training does not have: 'z'. Known: a, b"):
        encode_target(values, TaskType.MULTICLASS, ("a", "b"))
    np.testing.assert_array_equal(encode_target(values, TaskType.MULTICLASS, ("a", "b"), unseen="miss"), [0, -1])


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1, 2]),
        pd.Series(["1", " 2.0 "]),
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1, 2], dtype="category"),
        pd.Series([decimal.Decimal(1), decimal.Decimal(2)]),
    ],
)
def test_numbers_are_float64(values: pd.Series) -> None:
    """Also those that stand in the file as text."""
    numbers = encode_target(values, TaskType.REGRESSION)

    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, [1, 2])


def test_truth_values_are_numbers_too() -> None:
    """True is 1 when somebody insists on a regression."""
    np.testing.assert_array_equal(encode_target(pd.Series([True, False]), TaskType.REGRESSION), [1, 0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.Series([1, np.nan], name="y"), "'y' is missing in 1 rows"),
        (pd.Series([1, np.inf], name="y"), "1 values that are no finite numbers, such as .*inf"),
        (pd.Series(["1", "abc"], name="y"), "such as 'abc'"),
        (pd.Series(pd.to_datetime(["2020-01-01"]), name="y"), "needs numbers"),
        (pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("UTC"), name="y"), "needs numbers"),
        (pd.Series([1j], name="y"), "needs numbers"),
    ],
)
def test_targets_that_are_no_numbers_are_refused(values: pd.Series, message: str) -> None:
    """In one line that shows one of them."""
    with pytest.raises(InputError, match=message) as refusal:
        encode_target(values, TaskType.REGRESSION)
    assert "\n" not in str(refusal.value)


def test_nested_values_are_no_classes() -> None:
    """JSON can hold lists; a class cannot be one."""
    with pytest.raises(InputError, match="nested values"):
        classes_of(pd.Series([[1], [2]], name="y"))
