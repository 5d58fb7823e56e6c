"""Splits that follow time: what is scored always comes after what was trained on."""

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.tools.data.assign import Ints
from open_autoglm.tools.data.dates import parse_dates
from open_autoglm.tools.data.kinds import ColumnKind, judge, numbers_in

Floats = npt.NDArray[np.float64]
SCORED_SHARE = 0.5
"""Of the distinct moments outside the holdout, the later ones that folds score; the earlier are always trained on."""
KEPT_SHARE = 0.5
"""If leaving out recurring groups would keep less of the training rows, time and groups cannot both be respected."""
_Pairs = list[tuple[Ints, Ints]]


def time_values(values: pd.Series) -> Floats:
    """Return moments as numbers that sort in time [rows]; what is missing or unreadable counts as earliest."""
    found = judge(values, str(values.name))
    if values.dtype.kind in "iufb":
        numbers = values.astype("float64")
    elif found.kind is ColumnKind.DATETIME or values.dtype.kind == "M":
        moments = parse_dates(values, found.date_format)
        numbers = moments.astype("datetime64[us]").astype("int64").astype("float64").where(moments.notna())
    elif found.kind is ColumnKind.NUMERIC_TEXT:
        numbers = numbers_in(values)
    else:
        texts = values.astype("str")
        numbers = texts.rank(method="dense")
    return np.nan_to_num(numbers.to_numpy(dtype="float64", na_value=np.nan), nan=-np.inf, posinf=np.finfo(float).max)


def split_by_time(
    times: Floats, groups: Ints | None, *, fraction: float, folds: int, horizon: int | None = None
) -> tuple[Ints, _Pairs, int] | None:
    """Hold out the latest rows and cut the ones before into an expanding window.

    Rows of one moment stay on one side. With groups, rows are left out of training whose group comes again later.

    Args:
        times: Moments [rows], see `time_values`.
        groups: Group of each row [rows], or None.
        fraction: Of the rows, to hold out; 0 for none.
        folds: Wanted; fewer where there are few moments.
        horizon: Distinct moments that one forecast covers: the size of the holdout and of each scored part.

    Returns:
        The holdout, (train, valid) of each fold, and how many rows training lost to groups. None where there are too
        few moments, or too little training is left.
    """
    moments, step = np.unique(times, return_inverse=True)
    if len(moments) < 4:
        return None
    size = np.bincount(step)
    cut = _cut(size, fraction, horizon)
    held = np.flatnonzero(step >= cut)
    edges = _edges(size[:cut], folds, horizon)
    if len(edges) < 2:
        return None
    pairs, dropped = _windows(step, edges, groups)
    if pairs is None:
        return None
    if groups is not None and len(held):
        free = ~np.isin(groups, groups[held])
        cleaned = [(train[free[train]], valid[free[valid]]) for train, valid in pairs]
        if any(
            len(t) < KEPT_SHARE * len(train) or not len(v) for (t, v), (train, _) in zip(cleaned, pairs, strict=True)
        ):
            return None
        dropped += int((~free[step < cut]).sum())
        pairs = cleaned
    return held, pairs, dropped


def _cut(size: Ints, fraction: float, horizon: int | None) -> int:
    """Return the first held-out step: the one where about `fraction` of the rows is left."""
    if not fraction:
        return len(size)
    if horizon is not None:
        return max(3, len(size) - horizon)
    later = np.cumsum(size[::-1])[::-1]
    cut = int(np.argmin(np.abs(later - fraction * size.sum())))
    return int(np.clip(cut, 3, len(size) - 1))


def _edges(size: Ints, folds: int, horizon: int | None) -> list[int]:
    """Return the steps at which scored parts begin, and the end of the last."""
    steps = len(size)
    if horizon is not None:
        starts = [steps - horizon * (folds - k) for k in range(folds)]
        return [start for start in starts if start >= max(1, horizon)] + [steps]
    before = np.concatenate([[0], np.cumsum(size)])
    targets = np.linspace(1 - SCORED_SHARE if folds > 1 else 0.9, 1, folds + 1) * before[-1]
    edges = sorted({int(np.argmin(np.abs(before - target))) for target in targets})
    return [edge for edge in edges if 0 < edge < steps] + [steps]


def _windows(step: Ints, edges: list[int], groups: Ints | None) -> tuple[_Pairs | None, int]:
    pairs: _Pairs = []
    dropped = 0
    for start, end in itertools.pairwise(edges):
        valid = np.flatnonzero((step >= start) & (step < end))
        train = np.flatnonzero(step < start)
        if groups is not None:
            kept = train[~np.isin(groups[train], groups[valid])]
            if len(kept) < KEPT_SHARE * len(train):
                return None, 0
            dropped += len(train) - len(kept)
            train = kept
        pairs.append((train, valid))
    return pairs, dropped
