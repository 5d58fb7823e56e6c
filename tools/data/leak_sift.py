"""A first look for leaks at tables of many columns: which ones are worth judging one by one.

The same one-column score as in `leakage`, and how nearly one value stands for one class, found for many columns at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.data.numbers import numeric_blocks
from open_autoglm.tools.data.profile_model import ColumnProfile

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
SIFTED_COLUMNS = 500
"""Tables with more columns are sifted first."""
MOST_JUDGED = 500
"""Columns that are judged one by one at most."""
SIFTED_CELLS = 20_000_000
"""Cells that are looked at; of a table with more, so many rows fewer."""
LEVELS = 200
"""Columns of more values are cut into ranges."""
TABLE_CELLS = 4_000_000
"""Counts (columns x levels x classes) that are held at once."""
SUSPICIOUS = 0.8
"""Of the one-column score: sifting cuts other ranges than judging does."""
STRAIGHT = 0.999
PURE, COVERED = 0.99, 0.94
"""A little less than what judging asks for."""
FEWEST_ROWS, FEWEST_SHARE = 20, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The target of the rows looked at."""

    codes: Ints | None
    """Classes [rows]; None for regression."""
    numbers: Floats
    """[rows]; empty for classification."""
    half: Marks
    """Which half of the rows each belongs to, at random."""

    def every(self, step: int) -> "Goal":
        """Return the target of every so manieth row."""
        codes = None if self.codes is None else self.codes[::step]
        return Goal(codes=codes, numbers=self.numbers[::step], half=self.half[::step])


def worth_judging(rows: pd.DataFrame, columns: Sequence[ColumnProfile], goal: Goal) -> tuple[set[str], int]:
    """Return the names of the columns worth judging, the most suspicious first to be in, and how many there are in all."""
    step = max(1, -(-rows.size // SIFTED_CELLS))
    rows, goal = rows.iloc[::step], goal.every(step)
    names = [str(name) for name in rows.columns]
    strength = dict.fromkeys(names, 1.0)  # what cannot be sifted is judged
    for positions, block in numeric_blocks(rows):
        found = _numeric_strength(block, goal)
        strength |= {names[i]: value for i, value in zip(positions.tolist(), found.tolist(), strict=True)}
    words = [i for i, dtype in enumerate(rows.dtypes) if isinstance(dtype, pd.StringDtype)]
    coded = {i: pd.factorize(rows.iloc[:, i], use_na_sentinel=False)[0] for i in words}
    few = [i for i in words if coded[i].max() < LEVELS and columns[i].kind is ColumnKind.CATEGORICAL]
    if few:
        found = _strength(np.stack([coded[i] for i in few]), goal)
        strength |= {names[i]: value for i, value in zip(few, found.tolist(), strict=True)}
    strength |= {column.name: 1.0 for column in columns if column.kind is ColumnKind.IDENTIFIER}
    silent = (ColumnKind.EMPTY, ColumnKind.CONSTANT)
    suspicious = [
        c.name for c in columns if c.role != "target" and c.kind not in silent and strength[c.name] >= SUSPICIOUS
    ]
    suspicious.sort(key=lambda name: -strength[name])
    return set(suspicious[:MOST_JUDGED]), len(suspicious)


def _numeric_strength(block: npt.NDArray[np.generic], goal: Goal) -> Floats:
    order = np.argsort(block, axis=1, kind="stable")  # what is missing comes last
    found = _strength(_levels(np.take_along_axis(block, order, axis=1), order), goal)
    if goal.codes is not None:
        return found
    ranks = np.argsort(order, axis=1).astype(np.float64)
    steps = np.argsort(np.argsort(goal.numbers, kind="stable")).astype(np.float64)
    straight = np.maximum(_correlation(block.astype(np.float64), goal.numbers), _correlation(ranks, steps))
    return np.where(straight > STRAIGHT, 1.0, found)


def _levels(ordered: npt.NDArray[np.generic], order: Ints) -> Ints:
    """Return the level of each cell [columns, rows]: each value one of few, or a range of many; gaps are one of their own."""
    rows = ordered.shape[1]
    new = np.ones(ordered.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    dense = np.cumsum(new, axis=1) - 1
    start = np.maximum.accumulate(np.where(new, np.arange(rows), 0), axis=1)  # equal values are in one range
    ranges = start * min(100, max(10, rows // 20)) // rows
    gaps = np.isnan(ordered) if ordered.dtype.kind == "f" else np.zeros(ordered.shape, dtype=bool)
    many = (new & ~gaps).sum(axis=1) > LEVELS
    levels = np.where(gaps, LEVELS, np.where(many[:, None], ranges, dense))
    result = np.empty_like(levels)
    np.put_along_axis(result, order, levels, axis=1)
    return result


def _correlation(block: Floats, goal: Floats) -> Floats:
    """Return the size of the correlation of each row of [columns, rows] with the target, gaps taken for the mean."""
    with np.errstate(all="ignore"):
        block = np.where(np.isfinite(block), block, np.nan)
        block = np.nan_to_num(block / np.nanmax(np.abs(block), axis=1, keepdims=True, initial=1e-300))
        centred, aim = block - block.mean(axis=1, keepdims=True), goal - goal.mean()
        size = np.sqrt((centred**2).sum(axis=1) * (aim**2).sum())
        return np.nan_to_num(np.abs(centred @ aim) / size)


def _strength(levels: Ints, goal: Goal) -> Floats:
    """Return how suspicious each row of levels [columns, rows] is, from 0 to 1, a piece at a time."""
    judge: Callable[[Ints, Goal], Floats] = _number_scores if goal.codes is None else _class_scores
    classes = 1 if goal.codes is None else int(goal.codes.max()) + 1
    at_once = max(1, TABLE_CELLS // ((LEVELS + 1) * classes))
    pieces = [judge(levels[start : start + at_once], goal) for start in range(0, len(levels), at_once)]
    return np.concatenate(pieces)


def _class_scores(levels: Ints, goal: Goal) -> Floats:
    """Return the cross-fitted share of a constant guess's errors that the levels remove; 1 where a level gives a class away."""
    assert goal.codes is not None
    classes = int(goal.codes.max()) + 1
    cell = (np.arange(len(levels))[:, None] * (LEVELS + 1) + levels) * classes + goal.codes
    shape = (len(levels), LEVELS + 1, classes)
    tables = [
        np.bincount(cell[:, side].ravel(), minlength=int(np.prod(shape))).reshape(shape)
        for side in (goal.half, ~goal.half)
    ]
    scores = []
    for seen, asked in (tables, tables[::-1]):
        usual = seen.sum(axis=1).argmax(axis=1)
        guess = np.where(seen.sum(axis=2) > 0, seen.argmax(axis=2), usual[:, None])
        right = np.take_along_axis(asked, guess[:, :, None], axis=2).sum(axis=(1, 2))
        by_chance = np.take_along_axis(asked.sum(axis=1), usual[:, None], axis=1)[:, 0]
        total = asked.sum(axis=(1, 2))
        scores.append(1 - (total - right) / np.maximum(total - by_chance, 1))
    return np.where(_gives_away(tables[0] + tables[1]), 1.0, np.mean(scores, axis=0))


def _gives_away(table: Ints) -> Marks:
    """Whether one level, or being filled or empty, stands for nearly all of one class and nothing else: [columns]."""
    totals = table.sum(axis=1)  # [columns, classes]
    filled = (totals - table[:, LEVELS])[:, None, :]
    states = np.concatenate([table, filled], axis=1)
    size, most, which = states.sum(axis=2), states.max(axis=2), states.argmax(axis=2)
    enough = size >= max(FEWEST_ROWS, FEWEST_SHARE * totals[0].sum())
    of_class = np.take_along_axis(totals, which, axis=1)
    return np.asarray(
        (enough & (most >= PURE * size) & (most >= COVERED * of_class) & (size < totals.sum(axis=1)[:, None])).any(
            axis=1
        )
    )


def _number_scores(levels: Ints, goal: Goal) -> Floats:
    """Return the cross-fitted share of the variance that the levels remove."""
    cell = np.arange(len(levels))[:, None] * (LEVELS + 1) + levels
    length, shape = len(levels) * (LEVELS + 1), (len(levels), LEVELS + 1)
    sides = []
    for side in (goal.half, ~goal.half):
        y = np.broadcast_to(goal.numbers[side], (len(levels), int(side.sum()))).ravel()
        index = cell[:, side].ravel()
        counts = np.bincount(index, minlength=length).reshape(shape)
        sides.append((counts, np.bincount(index, weights=y, minlength=length).reshape(shape), goal.numbers[side]))
    scores = []
    for (seen, sums, known), (asked, totals, truth) in (sides, sides[::-1]):
        mean = known.mean()
        guess = np.where(seen > 0, sums / np.maximum(seen, 1), mean)
        left = (truth**2).sum() - 2 * (guess * totals).sum(axis=1) + (guess**2 * asked).sum(axis=1)
        scores.append(1 - left / max(float(((truth - mean) ** 2).sum()), 1e-300))
    return np.mean(scores, axis=0)
