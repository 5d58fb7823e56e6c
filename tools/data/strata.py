"""What a split spreads evenly (strata) and what it keeps whole (blocks)."""

import re

import numpy as np
import pandas as pd

from open_autoglm.tools.data.assign import Ints, joined_blocks
from open_autoglm.tools.data.duplicates import compared_columns, row_keys
from open_autoglm.tools.task import TaskSpec
from open_autoglm.tools.words import said

MAX_DUPLICATE_SHARE = 0.1
"""Of all rows; a larger set of equal rows is the nature of the table (few, coarse columns), not copying."""


def strata_of(target: pd.Series, task: TaskSpec, rows: int) -> Ints:
    """Return a stratum per row [rows]: the class, or one of up to 20 equally filled ranges of the number."""
    if task.task_type.is_classification:
        return pd.factorize(target, use_na_sentinel=False)[0].astype(np.int64)
    numbers = pd.to_numeric(target, errors="coerce").fillna(0.0).to_numpy(dtype="float64")
    bins = int(np.clip(rows // 10, 1, 20))
    ranks = pd.Series(numbers).rank(method="average").to_numpy()
    strata = np.floor((ranks - 0.5) * bins / max(1, rows)).astype(np.int64)
    return np.unique(np.clip(strata, 0, bins - 1), return_inverse=True)[1].astype(np.int64)


def blocks_of(frame: pd.DataFrame, task: TaskSpec, notes: list[str]) -> tuple[Ints, bool]:
    """Return the block of each row [rows], and whether equal rows share one."""
    duplicates, together = _duplicate_blocks(frame, task, notes)
    repeated = len(frame) - int(duplicates.max()) - 1
    told = said(
        "{rows} rows repeat the features of another row; such rows stay on one side of every split.", rows=repeated
    )
    if task.columns.group is None or task.columns.group not in frame.columns:
        notes += [told] if repeated else []
        return duplicates, together
    groups = group_labels(frame[task.columns.group], notes)
    joined = joined_blocks(groups, duplicates)
    if together and joined.max() < max(2, groups.max() // 2):
        notes.append(said("Equal rows are not kept on one side: they would tie most groups together."))
        return joined_blocks(groups), False
    notes += [told] if repeated else []
    return joined, together


def group_labels(values: pd.Series, notes: list[str]) -> Ints:
    """Return a number per group [rows], -1 where it is missing (such a row is a group of its own).

    Where every value is different, as in `309_1, 309_2`, the part before the last separator is the group.
    """
    codes, names = pd.factorize(values)
    if len(names) == len(values) > 1 and isinstance(values.dtype, pd.StringDtype):
        stems = values.map(lambda text: re.sub(r"[_\-./: ][^_\-./: ]*$", "", text))
        stem_codes, stem_names = pd.factorize(stems)
        if 2 <= len(stem_names) <= len(values) / 2:
            notes.append(
                said(
                    "Every value of {column!r} is different; rows are grouped by the part before the last separator.",
                    column=values.name,
                )
            )
            codes = stem_codes
    return codes.astype(np.int64)


def _duplicate_blocks(frame: pd.DataFrame, task: TaskSpec, notes: list[str]) -> tuple[Ints, bool]:
    rows = len(frame)
    columns = compared_columns(frame, task)
    if not columns:
        return np.arange(rows), True
    codes = pd.factorize(row_keys(frame, columns))[0].astype(np.int64)
    sizes = np.bincount(codes)
    if len(sizes) == rows:
        return codes, True
    if sizes.max() > max(2, MAX_DUPLICATE_SHARE * rows) or len(sizes) < min(20, rows / 2):
        notes.append(
            said("Equal rows are not kept on one side: the features have so few values that most rows repeat others.")
        )
        return np.arange(rows), False
    return codes, True
