"""What the journal of a run holds, read without taking part in it: while the run works, and where nothing can be written."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from open_autoglm.agents.connections import CONNECTIONS, Connected, connected_from
from open_autoglm.agents.violations import VIOLATIONS, Tried, tried_by_attempt
from open_autoglm.events import Json
from open_autoglm.tools.places import short

_ATTEMPTS = """
SELECT id AS attempt, operator, parents, status, title, mean, standard_error,
       json_extract(detail, '$.fit_seconds') AS fit_seconds, lesson, failure
FROM attempts WHERE status != 'empty' ORDER BY number
"""
_HOSTS = "SELECT coalesce(json_extract(result, '$.allowed_hosts'), '[]') FROM stages WHERE name = 'sandbox'"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One line of the leaderboard."""

    attempt: str
    operator: str
    parents: tuple[str, ...]
    status: str
    """running, scored, failed or stopped (it never competes)."""
    title: str
    mean: float | None
    """Mean score over all folds."""
    standard_error: float | None
    fit_seconds: float | None
    """Mean wall time of one fold's fit."""
    lesson: str
    failure: str
    violations: tuple[dict[str, Json], ...]
    """What its code tried and may not: `what`, `why`, `count`; those of high severity, and limits that were met."""
    low_violations: int
    """How many of low severity, such as innocent libraries cause, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is shown of a journal."""

    attempts: tuple[AttemptRow, ...] = ()
    """In the order in which they began."""
    connections: tuple[Connected, ...] = ()
    allowed_hosts: tuple[str, ...] = ()


def read_journal(path: Path, problems: list[str]) -> Recorded:
    """Read a journal; what is wrong with it is added to `problems`, one sentence each."""
    if not path.exists():
        return Recorded()
    failure: sqlite3.DatabaseError | None = None
    for mode in ("mode=ro", "immutable=1"):  # the second also works where the folder cannot be written
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=5)) as database:
                database.row_factory = sqlite3.Row
                return _recorded(database)
        except sqlite3.DatabaseError as error:
            failure = error
        except (ValueError, TypeError) as error:
            problems.append(f"{path} holds what this version cannot read ({error}).")
            return Recorded()
    problems.append(f"{short(path)} cannot be read ({failure}).")
    return Recorded()


def _recorded(database: sqlite3.Connection) -> Recorded:
    (hosts,) = database.execute(_HOSTS).fetchone() or ("[]",)
    tried = tried_by_attempt(database.execute(VIOLATIONS))
    return Recorded(
        attempts=tuple(_row(record, tried.get(record["attempt"], Tried())) for record in database.execute(_ATTEMPTS)),
        connections=tuple(connected_from(record) for record in database.execute(CONNECTIONS)),
        allowed_hosts=tuple(json.loads(hosts)),
    )


def _row(record: sqlite3.Row, tried: Tried) -> AttemptRow:
    known = {**dict(record), "parents": tuple(json.loads(record["parents"]))}
    return AttemptRow(**known, violations=tried.violations, low_violations=tried.low_violations)
