"""Which rows are the same: one 64-bit key a row, equal for equal values."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.tools.data.kinds import ColumnKind, judge
from open_autoglm.tools.data.numbers import numeric_blocks
from open_autoglm.tools.task import TaskSpec

Keys = npt.NDArray[np.uint64]
HEAD_ROWS = 2_000
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads neighbouring numbers (Knuth, TAOCP 3, 6.4)


def feature_columns(frame: pd.DataFrame, task: TaskSpec) -> list[str]:
    """Return the names of the columns that a model may learn from: no target, ids, weight, dropped ones."""
    roles = task.columns
    left_out = {task.target, *roles.id, *roles.dropped, *([roles.weight] if roles.weight else [])}
    return [str(name) for name in frame.columns if name not in left_out]


def compared_columns(frame: pd.DataFrame, task: TaskSpec) -> list[str]:
    """Return the features that make two rows the same: all but row names, which would make every row unique."""
    names = feature_columns(frame, task)
    repeating = _repeating_numbers(frame)
    compared = [n for n in names if n != task.columns.group and (n in repeating or not _names_rows(frame[n], n))]
    return compared or names


def _repeating_numbers(frame: pd.DataFrame) -> set[str]:
    """Return the columns of numbers that cannot name rows, as the first rows show: fractions, gaps or repetitions."""
    found: set[str] = set()
    head = frame.iloc[:HEAD_ROWS]
    for positions, block in numeric_blocks(head):
        whole = np.ones(len(block), dtype=bool) if block.dtype.kind != "f" else (block == np.floor(block)).all(axis=1)
        ordered = np.sort(block[whole], axis=1)
        repeats = ~whole
        repeats[whole] = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        found |= {str(frame.columns[i]) for i in positions[repeats].tolist()}
    return found


def row_keys(frame: pd.DataFrame, columns: Sequence[str]) -> Keys:
    """Return one key per row: uint64 [rows]. Different rows share a key with a chance of about rows^2 / 2^65."""
    keys = np.zeros(len(frame), dtype=np.uint64)
    frame = frame.loc[:, list(columns)]
    # One odd factor per column: the sum of what they are multiplied with tells rows apart (multilinear hashing).
    factors = np.random.default_rng(0).integers(0, 2**64, len(columns), dtype=np.uint64) | np.uint64(1)
    done = np.zeros(len(columns), dtype=bool)
    for positions, block in numeric_blocks(frame):
        numbers = _as_floats(block)
        if numbers is not None:
            hashed = pd.util.hash_array(numbers.ravel()).reshape(numbers.shape)
            keys += (hashed * factors[positions, None]).sum(axis=0, dtype=np.uint64)
            done[positions] = True
    for i in np.flatnonzero(~done).tolist():
        keys += _column_keys(frame.iloc[:, i]) * factors[i]
    keys = (keys ^ (keys >> np.uint64(29))) * _MIX
    return keys ^ (keys >> np.uint64(32))


def _as_floats(block: npt.NDArray[np.generic]) -> npt.NDArray[np.float64] | None:
    """Return numbers as float64, in which equal ones are equal bytes; None where some are too large to keep apart."""
    if block.dtype.kind != "f" and float(np.abs(block.astype(np.float64)).max(initial=0.0)) >= 2**53:
        return None
    return block.astype(np.float64) + 0.0  # -0.0 and 0.0 are one value


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
    head = values.iloc[:HEAD_ROWS]
    if head.nunique() < len(head):  # cheap: a repetition at the beginning settles it
        return False
    return judge(values, name).kind is ColumnKind.IDENTIFIER
