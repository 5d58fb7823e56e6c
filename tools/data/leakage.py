"""Columns that look as if they told the target. Each suspect explains itself; nothing is dropped.

The one-column score: a column is cut into at most a hundred levels, each level predicts its usual target, learned on
one half of the rows and scored on the other, both ways. 0 is as good as a constant guess, 1 is without error.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.tools.data.column_profile import target_numbers
from open_autoglm.tools.data.kinds import ColumnKind, numbers_in
from open_autoglm.tools.data.leak_sift import SIFTED_COLUMNS, Goal, worth_judging
from open_autoglm.tools.data.profile_model import ColumnProfile, Suspect, SuspectKind
from open_autoglm.tools.task import TaskSpec
from open_autoglm.tools.words import Words

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
JUDGED_ROWS = 20_000
"""Rows that are looked at; a leak is no rarity."""
BINS = 100
NEAR_PERFECT = 0.95
ORDERED = 0.9
PURE = 0.995
_AFTER_THE_FACT = re.compile(
    r"(^|[_\W])(p?outcome|results?|gold|confidence|reason|resolved|closed|final|after|label|target|churned)($|[_\W])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The target of the rows looked at: codes and their number, or numbers."""

    name: str
    say: Words
    codes: Ints | None
    classes: tuple[object, ...]
    numbers: Floats
    half: npt.NDArray[np.bool_]
    """Which half of the rows each belongs to, at random."""


def leakage_suspects(
    frame: pd.DataFrame, task: TaskSpec, columns: Sequence[ColumnProfile]
) -> tuple[list[Suspect], list[str]]:
    """Look at up to `JUDGED_ROWS` of the rows, in their order.

    Returns:
        What looks like a leak, worst first, and, in words, what was not looked at.
    """
    rows = frame.iloc[:: max(1, len(frame) // JUDGED_ROWS)]
    if len(rows) < 20 or rows[task.target].nunique() < 2:
        return [], []
    target = _target(rows[task.target], task)
    judged, notes = _judged_columns(rows, columns, target)
    suspects = [found for c in judged if (found := _judge_column(rows[c.name], c, target))]
    if (found := _row_order(target, task)) is not None:
        suspects.append(found)
    named = {suspect.column for suspect in suspects}
    suspects += [hint for c in columns if c.name not in named and (hint := _name_hint(c, target))]
    return sorted(suspects, key=lambda suspect: -suspect.strength), notes


def _judged_columns(
    rows: pd.DataFrame, columns: Sequence[ColumnProfile], target: _Target
) -> tuple[list[ColumnProfile], list[str]]:
    """Return the columns to judge one by one: of very many those that a first look finds suspicious."""
    if len(columns) <= SIFTED_COLUMNS:
        return [column for column in columns if column.role != "target"], []
    goal = Goal(codes=target.codes, numbers=target.numbers, half=target.half)
    names, suspicious = worth_judging(rows, columns, goal)
    notes = []
    if suspicious > len(names):
        notes.append(
            target.say(
                "Of {columns} columns, {suspicious} deserved a closer look for leaks; {count} of them got one.",
                columns=len(columns),
                suspicious=suspicious,
                count=len(names),
            )
        )
    return [column for column in columns if column.name in names], notes


def _target(values: pd.Series, task: TaskSpec) -> _Target:
    half, say = np.random.default_rng(0).random(len(values)) < 0.5, Words(language=task.language)
    if task.task_type.is_classification:
        codes, names = pd.factorize(values)
        return _Target(
            name=task.target,
            say=say,
            codes=codes.astype(np.int64),
            classes=tuple(names),
            numbers=np.empty(0),
            half=half,
        )
    numbers = np.nan_to_num(target_numbers(values), nan=0.0, posinf=0.0, neginf=0.0)
    largest = float(np.abs(numbers).max()) or 1.0
    return _Target(name=task.target, say=say, codes=None, classes=(), numbers=numbers / largest, half=half)


def _judge_column(values: pd.Series, column: ColumnProfile, target: _Target) -> Suspect | None:
    if column.kind in (ColumnKind.EMPTY, ColumnKind.CONSTANT):
        return None
    if target.codes is None and (found := _affine_copy(values, column, target)) is not None:
        return found
    if column.kind is ColumnKind.IDENTIFIER:
        return _identifier(values, column, target)
    levels = _level_codes(values, column.kind)
    if levels.max() < 1:
        return None
    if target.codes is not None:
        found = _relabelled_copy(levels, column, target) or _gives_class_away(values, levels, column, target)
        if found is not None:
            return found
    score = _one_column_score(levels, target)
    if score < NEAR_PERFECT:
        return _follows(levels, column, target)
    return Suspect(
        column=column.name, kind=SuspectKind.NEAR_PERFECT, strength=min(1.0, score),
        explanation=target.say(
            "{column!r} alone predicts {target!r} almost without error ({share} of what a constant guess leaves open). "
            "If it is known only after the target is, leave it out.",
            column=column.name, target=target.name, share=f"{score:.0%}",
        ),
    )  # fmt: skip


def _relabelled_copy(levels: Ints, column: ColumnProfile, target: _Target) -> Suspect | None:
    table = _contingency(levels, target)
    if table.shape[0] != table.shape[1] or (table > 0).sum(axis=1).max() > 1 or (table > 0).sum(axis=0).max() > 1:
        return None
    return Suspect(
        column=column.name, kind=SuspectKind.COPY, strength=1.0,
        explanation=target.say(
            "{column!r} is {target!r} under other names: each of its values stands for exactly one class.",
            column=column.name, target=target.name,
        ),
    )  # fmt: skip


def _affine_copy(values: pd.Series, column: ColumnProfile, target: _Target) -> Suspect | None:
    numbers = _as_numbers(values, column.kind)
    if numbers is None:
        return None
    both = np.isfinite(numbers)
    if both.sum() < max(20, 0.9 * len(numbers)):
        return None
    x, y = numbers[both], target.numbers[both]
    x = x / (np.abs(x).max() or 1.0)  # squares of large numbers overflow
    if x.std() == 0 or y.std() == 0:
        return None
    with np.errstate(all="ignore"):
        match = abs(float(np.nan_to_num(np.corrcoef(x, y)[0, 1])))
    say, names = target.say, {"column": column.name, "target": target.name}
    if match > 0.99999:
        explanation = say("{column!r} is {target!r} times a factor plus a constant.", **names)
    elif abs(float(pd.Series(x).corr(pd.Series(y).rank(), method="spearman"))) > 0.99999 and len(np.unique(x)) > 20:
        explanation = say("{column!r} is {target!r} on another scale, in exactly the same order.", **names)
        match = 0.999
    else:
        return None
    return Suspect(
        column=column.name, kind=SuspectKind.COPY, strength=min(1.0, match),
        explanation=explanation,
    )  # fmt: skip


def _gives_class_away(values: pd.Series, levels: Ints, column: ColumnProfile, target: _Target) -> Suspect | None:
    """Find one level, or being filled or empty, that nearly always stands for one class and covers nearly all of it."""
    assert target.codes is not None
    table = _contingency(levels, target)  # rows [level, class]
    gap = values.isna().to_numpy()
    say, names = target.say, [values.iloc[int(np.argmax(levels == k))] for k in _pure(table)]
    states = [
        (say("has one certain value ({value!r})", value=name), table[k])
        for name, k in zip(names, _pure(table), strict=True)
    ]
    if gap.any():
        absent = np.bincount(target.codes[gap], minlength=len(target.classes))
        states = [(say("is filled in"), table.sum(axis=0) - absent), (say("is missing"), absent), *states]
    elif column.kind not in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN):
        return None
    totals = table.sum(axis=0)
    for words, inside in states:
        best = int(np.argmax(inside))
        if inside.sum() < max(20, 0.02 * len(gap)) or inside[best] < PURE * inside.sum():
            continue
        if inside[best] >= 0.95 * totals[best]:
            return Suspect(
                column=column.name, kind=SuspectKind.GIVES_CLASS_AWAY, strength=float(inside[best] / totals[best]),
                explanation=say(
                    "Where {column!r} {state}, {target!r} is nearly always {label!r}, and hardly ever that elsewhere. "
                    "If it is filled in only after the target is known, leave it out.",
                    column=column.name, state=words, target=target.name, label=str(target.classes[best])[:60],
                ),
            )  # fmt: skip
    return None


def _pure(table: Ints) -> list[int]:
    """Return the levels [of at most 20] that nearly always stand for one class."""
    return [int(k) for k in np.flatnonzero(table.max(axis=1) >= PURE * table.sum(axis=1))[:20]]


def _contingency(levels: Ints, target: _Target) -> Ints:
    assert target.codes is not None
    classes, count = len(target.classes), int(levels.max()) + 1
    return np.bincount(levels * classes + target.codes, minlength=count * classes).reshape(count, classes)


def _follows(levels: Ints, column: ColumnProfile, target: _Target) -> Suspect | None:
    """Each of three or more classes has a single value here, and the column has fewer values than classes."""
    if (
        target.codes is None
        or len(target.classes) < 3
        or column.kind not in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN)
    ):
        return None
    table = _contingency(levels, target)
    if table.sum(axis=0).min() < 2 or (table > 0).sum(axis=0).max() > 1:
        return None
    return Suspect(
        column=column.name, kind=SuspectKind.FOLLOWS_FROM_TARGET, strength=min(1.0, max(0.0, _one_column_score(levels, target))),
        explanation=target.say(
            "Every class of {target!r} has just one value of {column!r}: it is probably a part of the target's definition.",
            column=column.name, target=target.name,
        ),
    )  # fmt: skip


def _identifier(values: pd.Series, column: ColumnProfile, target: _Target) -> Suspect | None:
    if isinstance(values.dtype, pd.StringDtype):
        stems = values.fillna("").str.replace(r"\d+", "#", regex=True)
        levels = pd.factorize(stems)[0].astype(np.int64)
        if not 1 <= levels.max() <= max(BINS, len(values) // 20):
            return None
        what = target.say("the text in them")
    else:
        levels = _level_codes(values, ColumnKind.NUMERIC)
        what = target.say("their order")
    score = _one_column_score(levels, target) if levels.max() >= 1 else 0.0
    if score < 0.5:
        return None
    return Suspect(
        column=column.name, kind=SuspectKind.IDENTIFIER, strength=min(1.0, score),
        explanation=target.say(
            "The values of {column!r} only name rows, and {what} tells {target!r} ({share} of what a constant guess leaves open). "
            "New rows will not have such names: leave it out.",
            column=column.name, what=what, target=target.name, share=f"{score:.0%}",
        ),
    )  # fmt: skip


def _row_order(target: _Target, task: TaskSpec) -> Suspect | None:
    rows = len(target.half)
    levels = (np.arange(rows) * min(BINS, rows // 10) // rows).astype(np.int64)
    score = _one_column_score(levels, target)
    if score < ORDERED or task.columns.time is not None:
        return None
    return Suspect(
        column="", kind=SuspectKind.ROW_ORDER, strength=min(1.0, score),
        explanation=target.say(
            "The rows are sorted by {target!r}: anything that counts rows (an id, a time of entry) tells it.", target=target.name
        ),
    )  # fmt: skip


def _name_hint(column: ColumnProfile, target: _Target) -> Suspect | None:
    if column.role == "target" or column.kind in (ColumnKind.EMPTY, ColumnKind.CONSTANT):
        return None
    about = len(target.name) >= 4 and target.name.lower() in column.name.lower()
    if not about and not (_AFTER_THE_FACT.search(column.name)):
        return None
    explanation = target.say(
        "The name {column!r} holds the name of the target {target!r}. Only a hint."
        if about
        else "The name {column!r} sounds like something that is known after the fact. Only a hint.",
        column=column.name,
        target=target.name,
    )
    return Suspect(
        column=column.name,
        kind=SuspectKind.NAME,
        strength=0.0,
        explanation=explanation,
    )


def _one_column_score(levels: Ints, target: _Target) -> float:
    """Return the cross-fitted share of the constant guess's error that the levels remove; at most 1."""
    scores = [_half_score(levels, target, train) for train in (target.half, ~target.half)]
    return float(np.mean(scores))


def _half_score(levels: Ints, target: _Target, train: npt.NDArray[np.bool_]) -> float:
    count = int(levels.max()) + 1
    if target.codes is None:
        y, mean = target.numbers, float(target.numbers[train].mean())
        size = np.bincount(levels[train], minlength=count)
        sums = np.bincount(levels[train], weights=y[train], minlength=count)
        means = np.where(size > 0, sums / np.maximum(size, 1), mean)
        left = float(((y - means[levels])[~train] ** 2).sum())
        base = float(((y - mean)[~train] ** 2).sum())
        return 1 - left / base if base > 0 else 0.0
    classes = len(target.classes)
    table = np.bincount(levels[train] * classes + target.codes[train], minlength=count * classes).reshape(
        count, classes
    )
    usual = int(table.sum(axis=0).argmax())
    guess = np.where(table.sum(axis=1) > 0, table.argmax(axis=1), usual)
    truth = target.codes[~train]
    wrong, base = float((guess[levels[~train]] != truth).mean()), float((truth != usual).mean())
    return 1 - wrong / base if base > 0 else 0.0


def _level_codes(values: pd.Series, kind: ColumnKind) -> Ints:
    """Cut a column into levels 0..k-1 [rows]; missing values are a level of their own."""
    numbers = _as_numbers(values, kind)
    if numbers is None:
        return pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)
    distinct = np.unique(numbers)  # NaN is one of them
    if len(distinct) > 2 * BINS:
        finite = numbers[np.isfinite(numbers)]
        bins = int(np.clip(len(finite) // 20, 10, BINS))
        edges = (
            np.unique(np.quantile(finite / 2, np.linspace(0, 1, bins + 1)[1:-1]) * 2) if len(finite) else np.empty(0)
        )
        codes = np.where(
            np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, np.nan_to_num(numbers), side="right")
        )
        return pd.factorize(codes)[0].astype(np.int64)
    return pd.factorize(numbers, use_na_sentinel=False)[0].astype(np.int64)


def _as_numbers(values: pd.Series, kind: ColumnKind) -> Floats | None:
    if kind is ColumnKind.NUMERIC_TEXT:
        return numbers_in(values).to_numpy()
    if values.dtype.kind in "iuf":
        return values.to_numpy(dtype="float64")
    if values.dtype.kind in "mM":
        return values.astype("int64").astype("float64").where(values.notna()).to_numpy()
    return None
