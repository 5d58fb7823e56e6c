"""The target column on the host: its classes as they stand in the data, and its rows as numbers."""

from collections.abc import Hashable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.errors import InputError
from open_autoglm.tools.metrics.base import Truth
from open_autoglm.tools.task import Label, TaskType

UNSEEN = -1
"""Code of a class that training never saw; every metric counts such a row as missed."""


def classes_of(target: pd.Series, positive: Label | None = None) -> tuple[Label, ...]:
    """List the classes as they stand in the data, sorted: the order of every probability column.

    An ordered categorical keeps its own order. With two classes the last one is the positive one.

    Args:
        target: Labels; missing ones are left out.
        positive: The class that binary metrics count as positive; it goes last. None leaves the sorted order.

    Raises:
        InputError: There is no such class, or another number of classes than two.
    """
    labels = list(dict.fromkeys(_plain(value) for value in _distinct(target.dropna())))
    if isinstance(target.dtype, pd.CategoricalDtype) and target.dtype.ordered:
        present = set(labels)
        labels = [label for label in map(_plain, target.dtype.categories) if label in present]
    else:
        labels.sort(key=_sort_key)
    if positive is None:
        return tuple(labels)
    return _with_last(labels, positive)


def encode_target(
    target: pd.Series,
    task_type: TaskType,
    classes: tuple[Label, ...] = (),
    *,
    unseen: Literal["refuse", "miss"] = "refuse",
) -> Truth:
    """Turn a target column into what metrics take.

    A label is found by its value; else by what it says, where that is unambiguous: a test file that spells 1 as "1" or
    1.0 means the same class.

    Args:
        target: Without missing values.
        task_type: Decides between codes and numbers.
        classes: What the codes count into.
        unseen: What to do with a label that is no class: refuse the table, or code it -1, a row nobody can get right.

    Returns:
        int64 codes [n] for classification, float64 values [n] else.

    Raises:
        InputError: A missing, infinite or unreadable value, or a label that is no class.
    """
    if target.isna().any():
        raise InputError(f"The target {target.name!r} is missing in {int(target.isna().sum()):,} rows; leave them out.")
    if not task_type.is_classification:
        return _numbers(target)
    codes = _codes_of(_distinct(target), classes)
    strange = [str(value) for value, code in codes.items() if code == UNSEEN]
    if strange and unseen == "refuse":
        shown = ", ".join(repr(value) for value in strange[:5])
        raise InputError(
            f"The target {target.name!r} holds {len(strange)} labels that training does not have: {shown}. "
            f"Known: {', '.join(map(str, classes[:10]))}."
        )
    return target.map(codes).to_numpy(dtype=np.int64)


def _distinct(target: pd.Series) -> list[Hashable]:
    if target.dtype == object and not all(isinstance(value, Hashable) for value in target):
        raise InputError(f"The target {target.name!r} holds nested values; a class must be text or a number.")
    return list(target.drop_duplicates())


def _numbers(target: pd.Series) -> npt.NDArray[np.float64]:
    if isinstance(target.dtype, pd.DatetimeTZDtype) or target.dtype.kind in "mMc":
        raise InputError(f"The target {target.name!r} holds {target.dtype} values; a regression needs numbers.")
    if isinstance(target.dtype, pd.CategoricalDtype):
        target = target.astype(object)
    numbers = pd.to_numeric(target, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    unreadable = ~np.isfinite(numbers)
    if unreadable.any():
        example = target.iloc[int(np.argmax(unreadable))]
        raise InputError(
            f"The target {target.name!r} holds {int(unreadable.sum()):,} values that are no finite numbers, such as "
            f"{example!r}. Clean them (--read decimal=, or thousands=, may help), or ask for a classification."
        )
    return numbers


def _plain(value: object) -> Label:
    """Return a numpy scalar as Python's own; anything that is no label becomes its text."""
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, str | int | float) else str(value)


def _sort_key(label: Label) -> tuple[int, float, str]:
    if isinstance(label, str):
        return (2, 0.0, label)
    return (0 if isinstance(label, bool) else 1, float(label), "")


def _with_last(labels: list[Label], positive: Label) -> tuple[Label, ...]:
    if len(labels) != 2:
        raise InputError(f"A positive class needs a target of two classes; this one has {len(labels)}.")
    code = _codes_of([positive], tuple(labels))[positive]
    if code == UNSEEN:
        raise InputError(f"There is no class {positive!r}. The classes are {labels[0]!r} and {labels[1]!r}.")
    return (labels[1 - code], labels[code])


def _codes_of(values: list[Hashable], classes: tuple[Label, ...]) -> Mapping[Hashable, int]:
    """Give each distinct value its code: by equality within its kind, else by what it says."""
    exact = {(isinstance(label, str), label): code for code, label in enumerate(classes)}
    said = {_said(label): code for code, label in enumerate(classes)}
    if len(said) < len(classes):  # "1" and "01" are two classes: spelling is all that tells them apart
        said = {}
    codes: dict[Hashable, int] = {}
    for value in values:
        label = _plain(value)
        codes[value] = exact.get((isinstance(label, str), label), said.get(_said(label), UNSEEN))
    return codes


def _said(label: Label) -> str:
    """Say a label in one spelling: 1, 1.0, "1" and " 1.0 " alike; true and false in lower case."""
    text = str(label).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    try:
        number = float(text)
    except ValueError:
        return text
    if not np.isfinite(number) or "_" in text:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
