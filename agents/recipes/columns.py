"""Which column is treated as what, decided from the profile."""

from collections.abc import Mapping, Sequence

from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.data.profile import ColumnProfile, DataProfile
from open_autoglm.tools.task import TaskSpec

MANY_LEVELS = 20
"""Categories with more levels than this may be replaced by what the target was for them."""
MOST_NUMBERS = 10_000
MOST_CATEGORIES = 500
MOST_DATES = 20
MOST_TEXTS = 5
"""Beyond these a table is cut to its fullest columns, so that one fold stays a matter of seconds."""
NUMBERS = (ColumnKind.NUMERIC, ColumnKind.NUMERIC_TEXT, ColumnKind.BOOLEAN)


def plan_columns(task: TaskSpec, profile: DataProfile) -> dict[str, list[str]]:
    """Return feature columns by what they hold: numbers, categories, dates, texts; empty kinds are left out.

    `encoded` lists the categories of many levels. Names of rows, constants and what the user dropped are no features;
    where nothing else is there, names of rows serve as categories rather than nothing at all.
    """
    aside = set(_not_features(task))
    usable = [column for column in profile.columns if column.name not in aside]
    text = set(task.columns.text)
    found = {
        "numbers": _fullest([c for c in usable if c.kind in NUMBERS and c.name not in text], MOST_NUMBERS),
        "categories": _fullest(
            [c for c in usable if c.kind is ColumnKind.CATEGORICAL and c.name not in text], MOST_CATEGORIES
        ),
        "dates": _fullest([c for c in usable if c.kind is ColumnKind.DATETIME and c.name not in text], MOST_DATES),
        "texts": _fullest([c for c in usable if c.kind is ColumnKind.TEXT or c.name in text], MOST_TEXTS),
    }
    if not any(found.values()):
        found["categories"] = _fullest(usable, 1)
    many = {column.name for column in usable if column.distinct > MANY_LEVELS}
    found["encoded"] = [name for name in found["categories"] if name in many]
    return {kind: names for kind, names in found.items() if names}


def role_columns(task: TaskSpec) -> dict[str, str]:
    """Return the columns that divide or weigh the rows: group, time, weight; those not named are left out."""
    roles = {"group": task.columns.group, "time": task.columns.time, "weight": task.columns.weight}
    return {role: name for role, name in roles.items() if name is not None}


def _not_features(task: TaskSpec) -> list[str]:
    columns = task.columns
    named = [task.target, *columns.id, *columns.dropped, *columns.image]
    return [*named, *(name for name in (columns.group, columns.weight) if name is not None)]


def _fullest(columns: Sequence[ColumnProfile], most: int) -> list[str]:
    """Return the names, in the order of the table; of too many, those with the fewest gaps."""
    if len(columns) > most:
        kept = sorted(columns, key=lambda column: column.missing_fraction)[:most]
        names = {column.name for column in kept}
        columns = [column for column in columns if column.name in names]
    return [column.name for column in columns]


def count_of(columns: Mapping[str, Sequence[str]]) -> int:
    """Return how many feature columns a plan uses."""
    return sum(len(names) for kind, names in columns.items() if kind in ("numbers", "categories", "dates", "texts"))
