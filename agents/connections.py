"""What left a run's sandboxes by the way that its policy opens, added up for readers.

Kept beside the executions, not in them: a repair forgets what the broken code did, but not whom it reached.
"""

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from open_autoglm.sandbox.report import ExecutionReport  # `show` needs none

CONNECTIONS = "SELECT attempt, host, port, refused, count, size_bytes FROM connections ORDER BY refused != '', rowid"
_ADD = """
INSERT INTO connections VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET count = count + excluded.count, size_bytes = size_bytes + excluded.size_bytes
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What the executions of one attempt said to one host, or wished to."""

    attempt: str
    host: str
    """As the code named it: any text. `others` where one execution named too many."""
    port: int
    """0 where none was named."""
    refused: str
    """Why it was not let out; empty where it was."""
    count: int
    size_bytes: int
    """What went either way."""


def add_connections(database: sqlite3.Connection, attempt: str, report: "ExecutionReport") -> None:
    """Add what a new report lists to the journal."""
    database.executemany(_ADD, [(attempt, c.host, c.port, c.refused, c.count, c.bytes) for c in report.connections])


def connected_from(row: sqlite3.Row) -> Connected:
    """Return the connection of a row of `CONNECTIONS`."""
    return Connected(**row)
