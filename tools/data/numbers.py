"""What the numeric columns of a table look like, found for many at once: on wide tables a call per column costs more than its work."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CELLS_AT_ONCE = 4_000_000
"""Cells that are sorted in one piece: enough to make calls cheap, few enough to stay small in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One numeric column."""

    present: int
    distinct: int
    gaps: int
    """Missing values."""
    infinite: int
    flags: bool
    """Whether there are no values but 0 and 1."""
    whole: bool
    """Whether every finite value is a whole number."""
    numbered: bool
    """Whether the values are whole numbers one after the other, none twice, in whatever order."""
    negative: bool
    """Whether a finite value below zero occurs."""
    mean: float | None
    """Of the finite values; None where there are none, or where it is beyond float64."""
    quantiles: tuple[float, ...]
    """Of the finite values, at `QUANTILES`; empty where there are none."""
    ordered: npt.NDArray[np.generic]
    """The values present, ascending."""

    @property
    def counts(self) -> list[tuple[int | float, int]]:
        """Each value and how often it comes, the most frequent first, of equals the smallest."""
        values, counts = np.unique(self.ordered, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return list(zip(values[order].tolist(), counts[order].tolist(), strict=True))


def numbers_of(frame: pd.DataFrame) -> dict[int, Numbers]:
    """Look at all columns of integers and floats, and return what was found by their positions."""
    found: dict[int, Numbers] = {}
    for positions, block in numeric_blocks(frame):
        found |= dict(zip(positions.tolist(), _look_at(block), strict=True))
    return found


def numeric_blocks(frame: pd.DataFrame) -> Iterator[tuple[Ints, npt.NDArray[np.generic]]]:
    """Go through the columns of integers and floats: positions [k], and their values as [k, rows], of one type each."""
    at_once = max(1, CELLS_AT_ONCE // max(1, len(frame)))
    dtypes = list(frame.dtypes)
    numeric = [dtype for dtype in dict.fromkeys(dtypes) if isinstance(dtype, np.dtype) and dtype.kind in "iuf"]
    for dtype in numeric:
        places = np.array([i for i, own in enumerate(dtypes) if own == dtype], dtype=np.int64)
        for start in range(0, len(places), at_once):
            positions = places[start : start + at_once]
            yield positions, np.ascontiguousarray(frame.iloc[:, positions].to_numpy().T)


def _look_at(block: npt.NDArray[np.generic]) -> Iterator[Numbers]:
    """Sum up each row of [columns, rows]."""
    ordered = np.sort(block, axis=1)  # what is missing comes last
    rows = ordered.shape[1]
    floats = ordered.dtype.kind == "f"
    gaps = np.isnan(ordered).sum(axis=1) if floats else np.zeros(len(ordered), dtype=np.int64)
    inside = np.arange(1, rows) < (rows - gaps)[:, None]  # both of a pair of neighbours are present
    distinct = ((ordered[:, 1:] != ordered[:, :-1]) & inside).sum(axis=1) + (gaps < rows)
    for column, missing, different in zip(ordered, gaps.tolist(), distinct.tolist(), strict=True):
        yield _summed_up(column[: rows - missing], missing, different)


def _summed_up(present: npt.NDArray[np.generic], gaps: int, distinct: int) -> Numbers:
    count = len(present)
    finite = present
    if present.dtype.kind == "f":
        low, high = np.searchsorted(present, [-np.inf, np.inf], side="right")[0], np.searchsorted(present, np.inf)
        finite = present[low:high]
    floats = finite.astype(np.float64)
    whole = bool(present.dtype.kind != "f" or (floats == np.floor(floats)).all())
    span = float(present[-1]) - float(present[0]) if count else 0.0
    return Numbers(
        present=count,
        distinct=distinct,
        gaps=gaps,
        infinite=count - len(finite),
        flags=0 < distinct <= 2 and {present[0], present[-1]} <= {0, 1},
        whole=whole,
        numbered=whole and len(finite) == count == distinct > 0 and span == count - 1,
        negative=bool(len(finite) and finite[0] < 0),
        mean=_finite(float((floats / len(floats)).sum())) if len(floats) else None,  # divided first: it may overflow
        quantiles=_quantiles(floats),
        ordered=present,
    )


def _quantiles(ordered: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Interpolate between neighbours, as `numpy.quantile` does, of numbers that are sorted already."""
    if len(ordered) == 0:
        return ()
    places = np.array(QUANTILES) * (len(ordered) - 1)
    below = np.floor(places).astype(np.int64)
    low, high = ordered[below] / 2, ordered[np.minimum(below + 1, len(ordered) - 1)] / 2  # halved: a gap may overflow
    return tuple((2 * (low + (high - low) * (places - below))).tolist())


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
