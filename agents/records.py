"""The file under the journal: transactions, rows, and what a damaged record is called."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from google.protobuf.message import DecodeError

from open_autoglm.agents.schema import SCHEMA, SCHEMA_VERSION
from open_autoglm.errors import RunDirectoryError, damage
from open_autoglm.sandbox.bundles.bundle import BundleRefused

T = TypeVar("T")

_UNREADABLE = (ValueError, KeyError, TypeError, DecodeError, BundleRefused)
"""What making an object of a damaged record raises."""


class Records:
    """An SQLite file that threads share; every write is one transaction that a kill cannot halve."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
            self._check_version()
        except sqlite3.OperationalError:  # the disk's fault, not the file's
            raise
        except sqlite3.DatabaseError as error:
            raise RunDirectoryError(
                f"The journal {path} cannot be read ({error}). The deliverable beside it, if any, is untouched; "
                "start a new run, or put back a copy of the journal."
            ) from error

    def _check_version(self) -> None:
        version = self.get_meta("schema")
        if version is None:
            self.set_meta("schema", str(SCHEMA_VERSION))
        elif version != str(SCHEMA_VERSION):
            raise RunDirectoryError(
                f"The journal {self.path} has schema {version}, this version of autoglm reads schema {SCHEMA_VERSION}. "
                "Use the version that wrote it, or start a new run."
            )

    def close(self) -> None:
        """Close the file. Idempotent."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction: all of it, or after an error nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def each(self, parse: Callable[[sqlite3.Row], T], rows: Sequence[sqlite3.Row]) -> list[T]:
        """Make what rows stand for.

        Raises:
            RunDirectoryError: One of them is not what was written.
        """
        try:
            return [parse(row) for row in rows]
        except _UNREADABLE as error:
            raise RunDirectoryError(
                f"The journal {self.path} is damaged: a record in it cannot be read ({damage(error)}). Start a new "
                "run, or put back a copy."
            ) from error

    def get_meta(self, key: str) -> str | None:
        """Return a fact, or None."""
        rows = self.rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0]["value"] if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Record a fact."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
