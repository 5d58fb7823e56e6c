"""Which rows are the same: one 64-bit key a row, equal for equal values."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.tools.data.kinds import ColumnKind, judge
from open_autoglm.tools.task import TaskSpec

Keys = npt.NDArray[np.uint64]
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads neighbouring numbers (Knuth, TAOCP 3, 6.4)


def feature_columns(frame: pd.DataFrame, task: TaskSpec) -> list[str]:
    """Return the names of the columns that a model may learn from: no target, ids, weight, dropped ones."""
    roles = task.columns
    left_out = {task.target, *roles.id, *roles.dropped, *([roles.weight] if roles.weight else [])}
    return [str(name) for name in frame.columns if name not in left_out]


def compared_columns(frame: pd.DataFrame, task: TaskSpec) -> list[str]:
    """Return the features that make two rows the same: all but row names, which would make every row unique."""
    names = feature_columns(frame, task)
    compared = [n for n in names if n != task.columns.group and not _names_rows(frame[n], n)]
    return compared or names


def row_keys(frame: pd.DataFrame, columns: Sequence[str]) -> Keys:
    """Return one key per row: uint64 [rows]. Different rows share a key with a chance of about rows^2 / 2^65."""
    keys = np.zeros(len(frame), dtype=np.uint64)
    for name in columns:
        keys = (keys ^ (keys >> np.uint64(29))) * _MIX + _column_keys(frame[name])
    return keys ^ (keys >> np.uint64(32))


def _column_keys(values: pd.Series) -> Keys:
    if values.dtype.kind == "f":
        values = values + 0.0  # -0.0 and 0.0 are one value
    elif values.dtype.kind in "iub":
        values = values.astype("float64") if values.abs().max() < 2**53 else values  # 1 and 1.0 are one value
    elif values.dtype == object:
        values = values.astype("str")
    return np.asarray(pd.util.hash_array(_hashable(values)), dtype=np.uint64)


def _hashable(values: pd.Series) -> npt.NDArray[np.generic]:
    if isinstance(values.dtype, pd.StringDtype):
        codes, uniques = pd.factorize(values, use_na_sentinel=True)
        hashed = np.append(pd.util.hash_array(np.asarray(uniques, dtype=object), categorize=False), np.uint64(0))
        return hashed[codes]  # the last one stands for missing
    if values.dtype.kind in "mM":
        return (
            values.to_numpy().view("int64") if isinstance(values.dtype, np.dtype) else values.astype("int64").to_numpy()
        )
    return values.to_numpy()


def _names_rows(values: pd.Series, name: str) -> bool:
    head = values.iloc[:2_000]
    if head.nunique() < len(head):  # cheap: a repetition at the beginning settles it
        return False
    return judge(values, name).kind is ColumnKind.IDENTIFIER
