"""What a data card says of columns: one line each, one line for many that are alike, and few words where there are thousands."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from open_autoglm.agents.glm.sharing.cleaning import quoted
from open_autoglm.agents.glm.sharing.disclosure import Disclosure, names_rows
from open_autoglm.agents.glm.sharing.numbers import about, percent, rounded, shown_quantiles
from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.data.profile import ColumnProfile

ALIKE = 4
"""So many numbered columns of one kind are told in one line."""
NAMED_SHARE = 0.6
"""Share of the room that full lines may take before the rest is only named."""
_GAPS = 4
"""Columns that lack up to a quarter of their values come before those that lack up to a half, and so on."""
_NUMBERED = re.compile(r"(.*?)(\d{1,9})")
_FIRST = ("target", "time", "group", "series", "id", "weight")
_USELESS = (ColumnKind.EMPTY, ColumnKind.CONSTANT)
Run = Sequence[ColumnProfile]


def column_lines(shown: Disclosure, room: int) -> list[str]:
    """Tell of all columns in at most about `room` characters, the ones that matter first."""
    runs = sorted(_runs(shown.profile.columns), key=lambda run: _rank(run, shown))
    lines: list[str] = []
    for number, run in enumerate(runs):
        line = _line(run, shown)
        if sum(map(len, lines)) + len(line) > NAMED_SHARE * room and number:
            return [*lines, *_named(runs[number:], room - sum(map(len, lines)))]
        lines.append(line)
    return lines


def _rank(run: Run, shown: Disclosure) -> tuple[int, int]:
    column = run[0]
    if column.role in _FIRST:
        return 0, _FIRST.index(column.role)
    if shown.share != "schema" and column.name in shown.suspected:  # their place would tell it
        return 1, 0
    if column.kind in _USELESS or column.role == "dropped":
        return 3, 0
    gaps = 0 if shown.share == "schema" else int(_GAPS * column.missing_fraction)
    return 2, gaps + (len(run) == 1)  # one line for many first, what is hardly ever filled last


def _runs(columns: Sequence[ColumnProfile]) -> Iterator[Run]:
    """Cut the columns into runs of neighbours that are numbered and alike, and single ones."""
    run: list[ColumnProfile] = []
    for column in columns:
        if run and _alike(run[-1], column):
            run.append(column)
            continue
        yield from _as_one(run)
        run = [column]
    yield from _as_one(run)


def _as_one(run: list[ColumnProfile]) -> Iterator[Run]:
    if len(run) >= ALIKE:
        yield run
    else:
        yield from ([column] for column in run)


def _alike(left: ColumnProfile, right: ColumnProfile) -> bool:
    if (left.kind, left.dtype, left.role) != (right.kind, right.dtype, right.role) or left.role != "feature":
        return False
    one, other = _NUMBERED.fullmatch(left.name), _NUMBERED.fullmatch(right.name)
    return one is not None and other is not None and one[1] == other[1]


def _line(run: Run, shown: Disclosure) -> str:
    if len(run) == 1:
        return _column(run[0], shown)
    first, last = run[0], run[-1]
    told = [f"{quoted(first.name)} to {quoted(last.name)}: {len(run)} columns, each {_type(first)}"]
    if shown.share != "schema":
        least, most = min(c.missing_fraction for c in run), max(c.missing_fraction for c in run)
        told.append(f"{percent(least)} to {percent(most)} missing" if most else "nothing missing")
    return ", ".join(told)


def _column(column: ColumnProfile, shown: Disclosure) -> str:
    role = "" if column.role == "feature" else f" [{column.role}]"
    also = [name for name in shown.task.columns.roles_of(column.name) if name in ("text", "image", "known_ahead")]
    told = [f"{quoted(column.name)}{role}: {_type(column)}", *(f"role {name}" for name in also)]
    if shown.share != "schema":
        told += _aggregates(column, shown)
    return ", ".join(told)


def _type(column: ColumnProfile) -> str:
    return f"{column.kind.value} ({column.dtype})"


def _aggregates(column: ColumnProfile, shown: Disclosure) -> Iterator[str]:
    filled = shown.profile.sampled_rows * (1 - column.missing_fraction)
    if column.missing_fraction:
        yield f"{percent(column.missing_fraction)} missing"
    levels = shown.levels(column)
    if column.kind not in _USELESS and column.role != "target":
        yield f"{about(column.distinct)} values"
    if levels:
        named = (f"{shown.class_name(level.value)} ({percent(level.count / filled)})" for level in levels)
        yield f"levels {', '.join(named)}"
    elif not names_rows(column) and (quantiles := shown_quantiles(column.quantiles, filled)):
        yield f"quantiles {quantiles}"
    if column.infinite:
        yield "infinite values among them"
    if column.date_format is not None:
        yield f"dates written {quoted(column.date_format)}"
    if column.text is not None and column.kind is ColumnKind.TEXT:
        yield f"{rounded(column.text.mean_words)} words on average{', Chinese' if column.text.chinese else ''}"


def _named(runs: Sequence[Run], room: int) -> Iterator[str]:
    """Name the columns there is no room to describe, by their types, then count those there is no room to name."""
    names: dict[str, list[str]] = {}
    left: Counter[str] = Counter()
    for run in runs:
        written = quoted(run[0].name) if len(run) == 1 else f"{quoted(run[0].name)} to {quoted(run[-1].name)}"
        room -= len(written) + 2
        if room > 0:
            names.setdefault(_type(run[0]), []).append(written)
        else:
            left[_type(run[0])] += len(run)
    for kind, found in names.items():
        yield f"also {kind}: {', '.join(found)}"
    if left:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in left.most_common(6))
        yield f"and {left.total():,} more columns that are not named here: {kinds}"
