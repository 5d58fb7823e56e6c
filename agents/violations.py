"""What the executions of an attempt tried and may not, added up for readers; the reports themselves stay in the journal.

Kept beside the executions, as connections are: a repair forgets what the broken code did, but not what it tried.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from open_autoglm.events import Json

if TYPE_CHECKING:
    from open_autoglm.sandbox.report import ExecutionReport  # `show` needs none

MOST_SHOWN = 20
"""Different ones of an attempt that are named."""
VIOLATIONS = "SELECT attempt, what, why, low, count FROM violations ORDER BY count DESC, rowid"
_ADD = """
INSERT INTO violations VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET count = count + excluded.count
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What all executions of one attempt tried."""

    violations: tuple[dict[str, Json], ...] = ()
    """`what`, `why` and `count`, the most frequent first: those of high severity, and limits that were met."""
    low_violations: int = 0
    """How many of low severity, such as innocent libraries cause, too."""


def add_violations(database: sqlite3.Connection, attempt: str, report: "ExecutionReport") -> None:
    """Add what a new report lists to the journal; those of low severity without their names. Limits have no severity."""
    from open_autoglm.sandbox.policy import Severity  # noqa: PLC0415 - as above

    for violation in report.violations:
        low = violation.severity == Severity.LOW
        what = violation.subject or violation.kind.replace("_", " ")
        row = ("", "", 1) if low else (what, violation.detail, 0)
        database.execute(_ADD, (attempt, *row, violation.count))


def tried_by_attempt(rows: Iterable[sqlite3.Row]) -> Mapping[str, Tried]:
    """Return what was tried by the attempts that tried something; `rows` are those of `VIOLATIONS`."""
    named: defaultdict[str, list[dict[str, Json]]] = defaultdict(list)
    low: dict[str, int] = {}
    for row in rows:
        if row["low"]:
            low[row["attempt"]] = row["count"]
        else:
            named[row["attempt"]].append({name: row[name] for name in ("what", "why", "count")})
    return {
        attempt: Tried(violations=tuple(named[attempt][:MOST_SHOWN]), low_violations=low.get(attempt, 0))
        for attempt in {**named, **low}
    }
