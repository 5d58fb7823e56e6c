"""Looking at a table before anything is learned from it: types, gaps, the target, duplicates, roles, leaks.

It is given the rows outside the holdout and looks at nothing else.
"""

import re

import numpy as np
import pandas as pd

from open_autoglm.errors import InputError
from open_autoglm.tools.data.column_profile import profile_column, profile_numbers, profile_target
from open_autoglm.tools.data.duplicates import compared_columns, row_keys
from open_autoglm.tools.data.kinds import ColumnKind, looks_like_id
from open_autoglm.tools.data.leakage import leakage_suspects
from open_autoglm.tools.data.numbers import numbers_of
from open_autoglm.tools.data.profile_model import (
    Candidate,
    ColumnProfile,
    DataProfile,
    Duplicates,
    Level,
    Role,
    Suspect,
    SuspectKind,
    TargetProfile,
    TextSummary,
)
from open_autoglm.tools.task import TaskSpec
from open_autoglm.tools.words import Words, listed_names

__all__ = [
    "Candidate", "ColumnKind", "ColumnProfile", "DataProfile", "Duplicates", "Level", "Suspect", "SuspectKind",
    "TargetProfile", "TextSummary", "profile_table",
]  # fmt: skip

SAMPLED_ROWS = 100_000
"""Longer tables are looked at in so many evenly spaced rows, where exactness is not needed."""
_GROUP_NAME = re.compile(
    r"patient|subject|user|customer|client|household|mouse|animal|person|student|group|session|device|site|hospital|store",
    re.IGNORECASE,
)


def profile_table(frame: pd.DataFrame, task: TaskSpec) -> DataProfile:
    """Profile a plain frame (see `cells.plain_frame`): the rows outside the holdout, target present in each.

    Missing fractions, class counts and duplicates are exact; the rest is of `DataProfile.sampled_rows` rows.

    Raises:
        InputError: The target is no column of the frame, or there are no rows.
    """
    if task.target not in frame.columns:
        raise InputError(f"There is no column {task.target!r} in the table.")
    if len(frame) == 0:
        raise InputError("No rows are left to learn from. Give more rows, or a smaller --holdout.")
    with np.errstate(over="ignore", invalid="ignore"):  # numbers at the limits of float64; what has no value is None
        return _profile(frame, task)


def _profile(frame: pd.DataFrame, task: TaskSpec) -> DataProfile:
    looked_at = frame.iloc[:: -(-len(frame) // SAMPLED_ROWS)]
    missing = frame.isna().mean().to_numpy()
    numbers, roles, dtypes = numbers_of(looked_at), _roles(task), list(frame.dtypes)
    columns = [
        profile_numbers(numbers[i], name, str(dtypes[i]), roles.get(name, "feature"), float(missing[i]))
        if i in numbers
        else profile_column(looked_at.iloc[:, i], name, roles.get(name, "feature"), float(missing[i]))
        for i, name in enumerate(map(str, frame.columns))
    ]
    target = profile_target(frame[task.target].dropna(), task)
    duplicates = _duplicates(frame, task)
    suspects, unjudged = leakage_suspects(looked_at, task, columns)
    return DataProfile(
        rows=len(frame),
        sampled_rows=len(looked_at),
        columns=columns,
        target=target,
        duplicates=duplicates,
        time_candidates=_time_candidates(looked_at, columns),
        group_candidates=_group_candidates(looked_at, columns),
        suspects=suspects,
        warnings=[
            *_warnings(columns, target, duplicates, suspects, rows=len(frame), say=Words(language=task.language)),
            *unjudged,
        ],
    )


def _roles(task: TaskSpec) -> dict[str, Role]:
    """Return the role of each column that has one: of several the first that is listed here."""
    roles = task.columns
    listed: list[tuple[Role, list[str]]] = [
        ("target", [task.target]), ("id", roles.id), ("dropped", roles.dropped), ("series", roles.series),
        ("time", [roles.time or ""]), ("group", [roles.group or ""]), ("weight", [roles.weight or ""]),
    ]  # fmt: skip
    return {name: role for role, names in reversed(listed) for name in names}


def _duplicates(frame: pd.DataFrame, task: TaskSpec) -> Duplicates:
    names = compared_columns(frame, task)
    if not names:
        return Duplicates(rows=0, conflicting=0)
    codes, keys = pd.factorize(row_keys(frame, names))
    if len(keys) == len(frame):
        return Duplicates(rows=0, conflicting=0)
    labels = pd.factorize(frame[task.target])[0]
    first = np.zeros(len(keys), dtype=np.int64)
    first[codes[::-1]] = labels[::-1]  # the last write wins: the label of the first row with that key
    differs = np.zeros(len(keys), dtype=bool)
    np.logical_or.at(differs, codes, labels != first[codes])
    return Duplicates(rows=len(frame) - len(keys), conflicting=int(differs[codes].sum()))


def _time_candidates(rows: pd.DataFrame, columns: list[ColumnProfile]) -> list[Candidate]:
    found = []
    for column in columns:
        if column.kind is not ColumnKind.DATETIME or column.role not in ("feature", "time"):
            continue
        texts = rows[column.name].dropna()
        if column.date_format in (None, "ISO8601", "quarter") and texts.is_monotonic_increasing:
            found.append(Candidate(column=column.name, reason="dates, and the rows stand in their order"))
        else:
            found.append(Candidate(column=column.name, reason="dates"))
    return found


def _group_candidates(rows: pd.DataFrame, columns: list[ColumnProfile]) -> list[Candidate]:
    found = []
    for column in columns:
        if column.role not in ("feature", "group", "id") or column.kind in (
            ColumnKind.TEXT,
            ColumnKind.DATETIME,
            ColumnKind.BOOLEAN,
        ):
            continue
        named = bool(_GROUP_NAME.search(column.name)) or looks_like_id(column.name)
        per_value = len(rows) / max(1, column.distinct)
        if (
            named
            and column.distinct >= 10
            and 2 <= per_value <= len(rows) / 10
            and column.kind is not ColumnKind.IDENTIFIER
        ):
            found.append(
                Candidate(column=column.name, reason=f"an id that comes again: about {per_value:.0f} rows each")
            )
        elif column.kind is ColumnKind.IDENTIFIER and (stems := _stems(rows[column.name])):
            found.append(Candidate(column=column.name, reason=f"names of rows that begin with one of {stems} names"))
    return found


def _stems(values: pd.Series) -> int:
    """Return how many different beginnings names such as `309_1, 309_2` have; 0 where they do not repeat."""
    if not isinstance(values.dtype, pd.StringDtype):
        return 0
    stems = values.dropna().str.replace(r"[_\-./: ][^_\-./: ]*$", "", regex=True).nunique()
    return int(stems) if 10 <= stems <= len(values) / 2 else 0


def _warnings(
    columns: list[ColumnProfile],
    target: TargetProfile,
    duplicates: Duplicates,
    suspects: list[Suspect],
    *,
    rows: int,
    say: Words,
) -> list[str]:
    told = [*_told_of_columns(columns, say), *_told_of_target(target, say)]
    if duplicates.rows > 0.01 * rows:
        told.append(
            say(
                "{rows} rows repeat the features of an earlier row; {conflicting} have twins with another target.",
                rows=duplicates.rows, conflicting=duplicates.conflicting,
            )
        )  # fmt: skip
    return told + [suspect.explanation for suspect in suspects if suspect.kind is not SuspectKind.NAME]


def _told_of_columns(columns: list[ColumnProfile], say: Words) -> list[str]:
    features = [c for c in columns if c.role == "feature"]
    told = []
    for words, names in (
        (say("are empty"), [c.name for c in features if c.kind is ColumnKind.EMPTY]),
        (say("have a single value"), [c.name for c in features if c.kind is ColumnKind.CONSTANT]),
        (say("are more than half missing"), [c.name for c in features if 0.5 < c.missing_fraction < 1]),
        (say("hold numbers inside text"), [c.name for c in features if c.kind is ColumnKind.NUMERIC_TEXT]),
        (say("name the rows and teach nothing"), [c.name for c in features if c.kind is ColumnKind.IDENTIFIER]),
        (say("hold infinite values"), [c.name for c in features if c.infinite]),
    ):
        if names:
            told.append(say("Columns that {words}: {names}.", words=words, names=listed_names(names, 8)))
    useless = (ColumnKind.EMPTY, ColumnKind.CONSTANT)
    if not any(c.role in ("feature", "time", "group") and c.kind not in useless for c in columns):
        told.append(say("No column says anything: the model can only guess the usual answer."))
    return told


def _told_of_target(target: TargetProfile, say: Words) -> list[str]:
    told = []
    if target.minority_fraction is not None and target.minority_fraction < 0.2 / max(2, len(target.classes)):
        share = f"{target.minority_fraction:.2%}"
        told.append(say("The classes are very uneven: the rarest has {share} of the rows.", share=share))
    if target.capped_fraction:
        share = f"{target.capped_fraction:.1%}"
        told.append(say("{share} of the targets stand at the largest value, as if it were a limit.", share=share))
    return told
