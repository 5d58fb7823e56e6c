"""A few rows that stand for many."""

import numpy as np
import pandas as pd

from open_autoglm.tools.data.assign import Ints
from open_autoglm.tools.data.strata import strata_of
from open_autoglm.tools.task import TaskSpec

EACH_CLASS = 2
"""Rows of every class that a sample holds where it can."""


def small_sample(frame: pd.DataFrame, indices: Ints, task: TaskSpec, rows: int, seed: int) -> Ints:
    """Return up to `rows` of the positions `indices`, ascending: every class first, then by their shares.

    Where there are more classes than rows, the most frequent ones are in it.
    """
    if len(indices) <= rows:
        return np.sort(indices)
    rng = np.random.default_rng([seed, 7])
    shuffled = rng.permutation(indices)
    strata = strata_of(frame[task.target].iloc[shuffled], task, len(shuffled))
    turn = pd.Series(strata).groupby(strata).cumcount().to_numpy()  # 0 for the first of its stratum, then 1, ...
    size = np.bincount(strata)[strata]
    first = turn < EACH_CLASS
    # The first rows of every class come first, frequent classes before rare; then each row by its place in its class.
    order = np.lexsort(
        (rng.random(len(turn)), np.where(first, -size, 0), np.where(first, turn, (turn + 0.5) / size), ~first)
    )
    return np.sort(shuffled[order[:rows]])
