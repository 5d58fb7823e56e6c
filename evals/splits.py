"""Which rows of a set are its test rows: fixed by names and row numbers alone, the same in every language and library."""

import hashlib
import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.errors import InputError
from open_autoglm.evals.suite import DataSet, GroupHashSplit, HashSplit, TimeSplit

FOLDS = 5
_BEFORE = re.compile(r'(?P<column>.+) before "(?P<mark>.+)"')


def fold_of(name: str, key: object) -> int:
    """Return the fold, 0 to 4, of a row (or group) of the set `name`."""
    digest = hashlib.sha256(f"{name}:{key}".encode()).hexdigest()
    return int(digest[:8], 16) % FOLDS


def marked_rows(item: DataSet, frame: pd.DataFrame, fold: int) -> npt.NDArray[np.bool_]:
    """Mark the test rows of one fold, [rows] of the whole file in file order.

    Args:
        item: The set.
        frame: Its file as pandas reads it.
        fold: One of `split.test_folds`.

    Raises:
        InputError: The set has no such fold, column or kind of split.
    """
    split = item.meta.split
    if fold not in split.test_folds:
        raise InputError(f"The set {item.name!r} has no test fold {fold}; it has {split.test_folds}.")
    if isinstance(split, HashSplit):
        return np.array([fold_of(item.name, row) == fold for row in range(len(frame))], dtype=bool)
    if isinstance(split, GroupHashSplit):
        keys = _group_keys(item, frame, split)
        folds = {key: fold_of(item.name, key) for key in keys.unique()}
        return (keys.map(folds) == fold).to_numpy(dtype=bool)
    if isinstance(split, TimeSplit):
        return _latest(_column(item, frame, split.column), split.test_fraction)
    raise InputError(f"The set {item.name!r} is split by {split.kind}, which this version cannot measure.")


def _group_keys(item: DataSet, frame: pd.DataFrame, split: GroupHashSplit) -> pd.Series:
    cut = _BEFORE.fullmatch(split.group)
    if cut is None:
        return _column(item, frame, split.group).astype(str)
    mark = cut["mark"]
    return _column(item, frame, cut["column"]).astype(str).map(lambda text: text.partition(mark)[0])


def _latest(order: pd.Series, share: float) -> npt.NDArray[np.bool_]:
    by_time = np.argsort(order.to_numpy(), kind="stable")
    marked = np.zeros(len(order), dtype=bool)
    marked[by_time[int(len(order) * (1 - share)) :]] = True
    return marked


def _column(item: DataSet, frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise InputError(f"The split of {item.name!r} names the column {name!r}, which its file does not have.")
    return frame[name]
