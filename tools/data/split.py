"""The split that every score rests on: which rows are held out, and the folds of the others.

Made once, by the host, before anything is profiled or run. It keeps together what belongs together (groups, exact
duplicates), never trains on what comes later than what it scores, spreads classes evenly, and is the same for the same
seed. Sizes after AutoGluon 1.6 (core/utils/utils.py, `default_holdout_frac`, doubled as there for searches).
"""

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from open_autoglm.errors import InputError, RunDirectoryError, damage
from open_autoglm.tools.data.assign import Ints, assign_parts
from open_autoglm.tools.data.duplicates import compared_columns, row_keys
from open_autoglm.tools.data.sample import small_sample
from open_autoglm.tools.data.staging import write_atomically
from open_autoglm.tools.data.strata import blocks_of, strata_of
from open_autoglm.tools.data.time_split import split_by_time, time_values
from open_autoglm.tools.task import TaskSpec
from open_autoglm.tools.words import said

__all__ = ["Fold", "SplitPlan", "default_folds", "default_holdout", "plan_split", "small_sample"]

TINY_ROWS = 150
"""Below, a holdout would be too small to tell anything: none by default, and cross-validation is repeated."""
Kind = Literal["stratified", "group", "time"]
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Row positions of one fold, ascending."""

    train: Ints
    valid: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """Row positions in the table that was split; int64, ascending."""

    holdout: Ints
    """Empty where there is none, or where a test table is the holdout."""
    folds: tuple[Fold, ...]
    """Without `time`, the `valid` parts of each repeat cover every row outside the holdout exactly once."""
    kind: Kind
    repeats: int = 1
    """How often cross-validation is repeated; folds of one repeat follow each other."""
    duplicates_together: bool = True
    """Whether equal rows were kept on one side; not where nearly all rows repeat each other."""
    test_overlap: Ints
    """Rows of the given test table that also stand in the training table."""
    notes: tuple[str, ...] = ()

    @property
    def rest(self) -> Ints:
        """Rows outside the holdout that some fold uses, ascending."""
        return np.unique(np.concatenate([part for fold in self.folds for part in (fold.train, fold.valid)]))

    def save(self, path: Path) -> None:
        """Write the plan as `.npz`, atomically and without pickle."""
        words = {"kind": self.kind, "repeats": self.repeats, "together": self.duplicates_together, "notes": self.notes}
        arrays = {"holdout": self.holdout, "test_overlap": self.test_overlap, "count": np.array([len(self.folds)])}
        for i, fold in enumerate(self.folds):
            arrays |= {f"train{i}": fold.train, f"valid{i}": fold.valid}
        arrays["words"] = np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)  # type: ignore[arg-type]  # numpy's stub mistakes the names for options
        write_atomically(path, lambda draft: draft.write_bytes(content.getvalue()))

    @classmethod
    def load(cls, path: Path) -> "SplitPlan":
        """Read what `save` wrote.

        Raises:
            RunDirectoryError: The file is damaged or something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                words = json.loads(arrays["words"].tobytes())
                folds = tuple(
                    Fold(train=arrays[f"train{i}"], valid=arrays[f"valid{i}"]) for i in range(int(arrays["count"][0]))
                )
                return cls(
                    holdout=arrays["holdout"], folds=folds, kind=words["kind"], repeats=words["repeats"],
                    duplicates_together=words["together"], test_overlap=arrays["test_overlap"], notes=tuple(words["notes"]),
                )  # fmt: skip
        except _UNREADABLE as error:
            raise RunDirectoryError(
                f"The split in {str(path)!r} cannot be read ({damage(error)}). Start a new run."
            ) from error


def default_holdout(rows: int) -> float:
    """Return the fraction to hold out, 0 on tiny data."""
    if rows < TINY_ROWS:
        return 0.0
    single = max(0.1, min(0.2, 500 / rows)) if rows < 5_000 else max(0.01, min(0.1, 2_500 / rows))
    return min(0.2, 2 * single)


def default_folds(rows: int) -> tuple[int, int]:
    """Return (folds, repeats) for so many rows outside the holdout."""
    if rows < TINY_ROWS:
        return 5, 3
    if rows < 500:
        return 8, 1
    if rows < 72_000:  # 90,000 with the holdout
        return 5, 1
    return (3, 1) if rows < 200_000 else (1, 1)


def plan_split(
    frame: pd.DataFrame,
    task: TaskSpec,
    *,
    holdout: float | Literal["auto", "none"] | None = None,
    seed: int = 0,
    test_frame: pd.DataFrame | None = None,
) -> SplitPlan:
    """Split a plain frame whose target has no missing values.

    Args:
        frame: The training table; positions in the plan are its rows.
        task: Target, type and column roles (group, time).
        holdout: The fraction to hold out; None or `auto` follows `default_holdout`; 0 or `none` holds nothing out.
        seed: The same seed gives the same plan.
        test_frame: Labelled rows of the user's that are the holdout; then no row of `frame` is held out.

    Raises:
        InputError: Fewer than two rows (or groups), or a fraction outside 0..0.9.
    """
    rows = len(frame)
    if rows < 2:
        raise InputError(
            f"Only {rows} rows have a value in the target column: at least 2 are needed, and a few dozen to learn anything."
        )
    notes: list[str] = []
    overlap = np.empty(0, dtype=np.int64)
    if test_frame is not None:
        overlap = _overlap(frame, test_frame, task, notes)
    fraction = 0.0 if test_frame is not None else _fraction(holdout, rows, notes)
    blocks, together = blocks_of(frame, task, notes)
    if (plan := _time_plan(frame, task, blocks, fraction, notes)) is None:
        plan = _block_plan(frame, task, blocks, fraction, seed, notes)
    held, folds, kind, repeats = plan
    return SplitPlan(
        holdout=held, folds=folds, kind=kind, repeats=repeats, duplicates_together=together or kind == "time",
        test_overlap=overlap, notes=tuple(notes),
    )  # fmt: skip


def _fraction(holdout: float | str | None, rows: int, notes: list[str]) -> float:
    if holdout is None or holdout == "auto":
        fraction = default_holdout(rows)
        if not fraction:
            notes.append(
                said(
                    "With {rows} rows nothing is held out: the score comes from repeated cross-validation alone.",
                    rows=rows,
                )
            )
        return fraction
    if holdout in ("none", 0):
        notes.append(said("Nothing is held out, as asked: the score comes from cross-validation alone."))
        return 0.0
    if not isinstance(holdout, int | float) or not 0 < holdout < 0.9:
        raise InputError(f"A holdout of {holdout!r} is not possible: give a fraction between 0 and 0.9, or `none`.")
    return float(holdout)


_Plan = tuple[Ints, tuple[Fold, ...], Kind, int]


def _block_plan(
    frame: pd.DataFrame, task: TaskSpec, blocks: Ints, fraction: float, seed: int, notes: list[str]
) -> _Plan:
    """Stratified, with blocks kept whole."""
    kind: Kind = "group" if task.columns.group is not None else "stratified"
    count = int(blocks.max()) + 1
    if count < 2:
        raise InputError(
            f"All rows belong to one group of {task.columns.group!r}; a split needs at least two. Name another column, or none."
        )
    rng = np.random.default_rng([seed, 0])
    strata = strata_of(frame[task.target], task, frame.shape[0])
    held = np.zeros(len(frame), dtype=bool)
    if fraction and count >= 3:
        held = assign_parts(strata, blocks, [1 - fraction, fraction], rng) == 1
        if not held.any() or len(np.unique(blocks[~held])) < 2:
            notes.append(said("Too few groups of rows for a holdout: the score comes from cross-validation alone."))
            held[:] = False
    rest = np.flatnonzero(~held)
    wanted, repeats = default_folds(len(rest))
    strata, blocks = _codes(strata[rest]), _codes(blocks[rest])
    folds: list[Fold] = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, 1 + repeat])
        folds += _folds(rest, strata, blocks, wanted, rng)
    return np.flatnonzero(held), tuple(folds), kind, repeats


def _folds(rest: Ints, strata: Ints, blocks: Ints, wanted: int, rng: np.random.Generator) -> list[Fold]:
    available = int(blocks.max()) + 1
    if wanted == 1:
        valid = assign_parts(strata, blocks, [0.9, 0.1], rng) == 1
        if valid.any() and not valid.all():
            return [Fold(train=rest[~valid], valid=rest[valid])]
        wanted = 3
    wanted = max(2, min(wanted, available))
    parts = assign_parts(strata, blocks, [1 / wanted] * wanted, rng)
    present = np.unique(parts)  # one huge group may leave a part empty
    return [Fold(train=rest[parts != part], valid=rest[parts == part]) for part in present]


def _time_plan(frame: pd.DataFrame, task: TaskSpec, blocks: Ints, fraction: float, notes: list[str]) -> _Plan | None:
    if task.columns.time is None or task.columns.time not in frame.columns:
        return None
    times = time_values(frame[task.columns.time])
    group = blocks if task.columns.group is not None else None
    found = split_by_time(times, group, fraction=fraction, folds=default_folds(len(frame))[0], horizon=task.horizon)
    if found is None:
        notes.append(
            said(
                "The split does not follow {column!r}: groups come again later in it."
                if group is not None
                else "The split does not follow {column!r}: it has too few distinct values.",
                column=task.columns.time,
            )
        )
        return None
    held, pairs, dropped = found
    if dropped:
        notes.append(
            said(
                "{rows} rows stay out of some training parts, because their group comes again in the rows that are scored.",
                rows=dropped,
            )
        )
    return held, tuple(Fold(train=train, valid=valid) for train, valid in pairs), "time", 1


def _overlap(frame: pd.DataFrame, test: pd.DataFrame, task: TaskSpec, notes: list[str]) -> Ints:
    notes.append(said("The test table ({rows} rows) is the holdout; no training row is held out.", rows=len(test)))
    shared = [name for name in compared_columns(frame, task) if name in test.columns]
    if not shared or len(test) == 0:
        return np.empty(0, dtype=np.int64)
    both = pd.concat([frame[shared], test[shared]], ignore_index=True)
    keys = row_keys(both, shared)
    found = np.flatnonzero(np.isin(keys[len(frame) :], keys[: len(frame)])).astype(np.int64)
    if len(found):
        notes.append(
            said(
                "{found} of {rows} test rows also stand in the training table: the score on them says little.",
                found=len(found),
                rows=len(test),
            )
        )
    return found


def _codes(labels: Ints) -> Ints:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
