"""The journal: the append-only truth of a run. Every node asks it first whether its result is already there.

SQLite in WAL mode, written by one process. Nothing in it is pickled: JSON, protobuf and references to files that lie
on disk by content hash.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from open_autoglm.agents.attempts import Attempt, AttemptStatus, Execution, attempt_from, execution_from, row_of
from open_autoglm.agents.connections import CONNECTIONS, Connected, add_connections, connected_from
from open_autoglm.agents.schema import SCHEMA, SCHEMA_VERSION
from open_autoglm.agents.seal import FILE_NAME as KEY_FILE
from open_autoglm.agents.seal import seal_of
from open_autoglm.agents.strategist import Operator
from open_autoglm.errors import RunDirectoryError, SandboxError, damage
from open_autoglm.events import Json
from open_autoglm.sandbox.bundles.bundle import BundleRefused, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport

T = TypeVar("T")
OPENED_AFTER = "opened_after"
"""The last attempt before the search was opened again, by number: patience begins anew."""
PARSED_BUNDLES = 256
"""Bundles kept parsed: a brief shows the recent ones again and again."""

_UNREADABLE = (ValueError, KeyError, TypeError, DecodeError, BundleRefused)
"""What making an object of a damaged record raises."""


class Journal:
    """One run's journal. Thread-safe; every write is one transaction that a kill cannot halve."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._bundles: dict[str, CodeBundle] = {}
        self.seal = seal_of(path.parent)
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
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _each(self, parse: Callable[[sqlite3.Row], T], rows: Sequence[sqlite3.Row]) -> list[T]:
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

    # --- facts about the run -------------------------------------------------------------------------------------

    def get_meta(self, key: str) -> str | None:
        """Return a fact, or None."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0]["value"] if rows else None

    def set_meta(self, key: str, value: str) -> None:
        """Record a fact."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def stage(self, name: str) -> Any | None:
        """Return the recorded result of a stage, or None where it has not ended yet."""
        rows = self._rows("SELECT result FROM stages WHERE name = ?", name)
        return self._each(lambda row: json.loads(row["result"]), rows)[0] if rows else None

    def record_stage(self, name: str, result: Mapping[str, Json]) -> None:
        """Record that a stage ended, with its result."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO stages VALUES (?, ?)", (name, json.dumps(result, ensure_ascii=False)))

    def forget_stages(self, names: Sequence[str]) -> None:
        """Forget stages that must be done again."""
        with self._transaction() as db:
            db.executemany("DELETE FROM stages WHERE name = ?", [(name,) for name in names])

    def forget_search(self) -> None:
        """Open a finished search again: what came after it must be done anew, what was executed in it stays."""
        last = self._rows("SELECT COALESCE(MAX(number), 0) AS number FROM attempts")[0]["number"]
        self.set_meta(OPENED_AFTER, str(last))
        self.forget_stages(["search", "finalise", "export", "explain", "report"])

    def record_clock(self, process: str, seconds: float) -> None:
        """Record how many seconds this process has used so far."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO clocks VALUES (?, ?)", (process, seconds))

    def seconds_spent(self, *, without: str = "") -> float:
        """Return the seconds that all processes used, but for the one named."""
        rows = self._rows("SELECT COALESCE(SUM(seconds), 0) AS total FROM clocks WHERE process != ?", without)
        return float(rows[0]["total"])

    # --- attempts ------------------------------------------------------------------------------------------------

    def reserve(self, *, worker: int, operator: Operator, slot: int, parents: Sequence[str], seed: int) -> Attempt:
        """Reserve a pick, so that no other worker makes the same; the attempt starts as running."""
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO attempts (id, worker, operator, slot, parents, seed, status) VALUES ('', ?, ?, ?, ?, ?, ?)",
                (worker, operator, slot, json.dumps(list(parents)), seed, AttemptStatus.RUNNING),
            )
            name = f"a{cursor.lastrowid:04d}"
            db.execute("UPDATE attempts SET id = ? WHERE number = ?", (name, cursor.lastrowid))
        return self.attempt(name)

    def save_bundle(self, attempt: str, bundle: CodeBundle, *, repairs: int = 0) -> str:
        """Give the attempt its code; a repair replaces it and forgets what the broken code did."""
        text = bundle.model_dump_json()
        digest = bundle.content_hash
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO bundles VALUES (?, ?)", (digest, text))
            db.execute(
                "UPDATE attempts SET bundle = ?, title = ?, repairs = ? WHERE id = ?",
                (digest, bundle.title, repairs, attempt),
            )
            db.execute("DELETE FROM executions WHERE attempt = ?", (attempt,))
        return digest

    def bundle(self, digest: str) -> CodeBundle:
        """Return a bundle by its hash."""
        if digest not in self._bundles:
            rows = self._rows("SELECT bundle FROM bundles WHERE hash = ?", digest)
            if not rows:
                raise RunDirectoryError(
                    f"The journal {self.path} misses bundle {digest}: it was damaged. Start a new run."
                )
            if len(self._bundles) >= PARSED_BUNDLES:
                self._bundles.pop(next(iter(self._bundles)))
            (bundle,) = self._each(lambda row: CodeBundle.from_json(row["bundle"]), rows)
            if bundle.content_hash != digest:
                raise RunDirectoryError(
                    f"The journal {self.path} is damaged: bundle {digest} holds other code. Start a new run, or put back a copy."
                )
            self._bundles[digest] = bundle
        return self._bundles[digest]

    def update(self, attempt: Attempt) -> None:
        """Write the attempt's fields back."""
        ended = None if attempt.status is AttemptStatus.RUNNING else time.time()
        with self._transaction() as db:
            db.execute(
                "UPDATE attempts SET status=?, title=?, params=?, detail=?, repairs=?, mean=?, standard_error=?, lesson=?, "
                "failure=?, finished_at=? WHERE id=?",
                (
                    attempt.status, attempt.title, None if attempt.params is None else json.dumps(attempt.params),
                    json.dumps(attempt.detail), attempt.repairs, attempt.mean, attempt.standard_error, attempt.lesson,
                    attempt.failure, ended, attempt.id,
                ),
            )  # fmt: skip

    def attempt(self, attempt_id: str) -> Attempt:
        """Return one attempt."""
        rows = self._rows("SELECT * FROM attempts WHERE id = ?", attempt_id)
        if not rows:
            raise RunDirectoryError(f"The journal {self.path} has no attempt {attempt_id!r}.")
        return self._each(attempt_from, rows)[0]

    def attempts(self, status: AttemptStatus | None = None) -> list[Attempt]:
        """Return all attempts (of one status), oldest first."""
        if status is None:
            return self._each(attempt_from, self._rows("SELECT * FROM attempts ORDER BY number"))
        return self._each(attempt_from, self._rows("SELECT * FROM attempts WHERE status = ? ORDER BY number", status))

    def recent_attempts(self, count: int) -> list[Attempt]:
        """Return the last attempts that were written, oldest first."""
        rows = self._rows(
            "SELECT * FROM attempts WHERE operator != 'rerun' AND status != 'empty' ORDER BY number DESC LIMIT ?", count
        )
        return self._each(attempt_from, rows[::-1])

    def unfinished(self, worker: int) -> Attempt | None:
        """Return the attempt that this worker was in the middle of, if any."""
        rows = self._rows(
            "SELECT * FROM attempts WHERE status='running' AND operator != 'rerun' AND worker=? ORDER BY number LIMIT 1",
            worker,
        )
        return next(iter(self._each(attempt_from, rows)), None)

    def picks(self) -> list[tuple[Operator, AttemptStatus, tuple[str, ...], int]]:
        """Return (operator, status, parents, count) of all picks of the search, grouped."""
        rows = self._rows(
            "SELECT operator, status, parents, COUNT(*) AS n FROM attempts WHERE operator != 'rerun' "
            "GROUP BY operator, status, parents"
        )
        return self._each(
            lambda r: (Operator(r["operator"]), AttemptStatus(r["status"]), tuple(json.loads(r["parents"])), r["n"]),
            rows,
        )

    def since(self, attempt_id: str) -> int:
        """Return how many attempts of the search, since it was last opened, ended without gain after this one was reserved."""
        rows = self._rows(
            "SELECT COUNT(*) AS n FROM attempts WHERE status IN ('scored', 'failed', 'stopped') AND operator != 'rerun' "
            "AND number > MAX((SELECT number FROM attempts WHERE id = ?), ?)",
            attempt_id,
            int(self.get_meta(OPENED_AFTER) or 0),
        )
        return int(rows[0]["n"])

    def twin(self, attempt: Attempt, bundle: str) -> str | None:
        """Return an earlier attempt with the same code, PARAMS and seed-independent pick, if any."""
        params = None if attempt.params is None else json.dumps(attempt.params)
        rows = self._rows(
            "SELECT id FROM attempts WHERE bundle = ? AND params IS ? AND id != ? AND operator != 'rerun' ORDER BY number LIMIT 1",
            bundle, params, attempt.id,
        )  # fmt: skip
        return rows[0]["id"] if rows else None

    def trials_of(self, parent: str) -> list[Attempt]:
        """Return the trials of one bundle, oldest first."""
        rows = self._rows(
            "SELECT * FROM attempts WHERE operator='tune' AND parents=? ORDER BY number", json.dumps([parent])
        )
        return self._each(attempt_from, rows)

    def rerun_of(self, attempt_id: str) -> Attempt | None:
        """Return the rerun of an attempt with another seed, if there is one."""
        rows = self._rows("SELECT * FROM attempts WHERE operator='rerun' AND parents=?", json.dumps([attempt_id]))
        return next(iter(self._each(attempt_from, rows)), None)

    def reopen_cut(self) -> int:
        """Set attempts that the end of the budget cut back to running, since there is more budget now; return how many."""
        with self._transaction() as db:
            cut = [
                r["id"]
                for r in db.execute("SELECT id FROM attempts WHERE status='stopped' AND detail LIKE '%\"cut\": true%'")
            ]
            for attempt in cut:
                db.execute("DELETE FROM executions WHERE attempt = ? AND ok = 0", (attempt,))
                db.execute(
                    "UPDATE attempts SET status='running', failure='', finished_at=NULL WHERE id = ?", (attempt,)
                )
        return len(cut)

    def best_attempts(self, *, greater_is_better: bool, count: int) -> list[Attempt]:
        """Return the best scored attempts, the best first; reruns of one bundle with another seed do not compete."""
        order = "DESC" if greater_is_better else "ASC"
        rows = self._rows(
            f"SELECT * FROM attempts WHERE status = 'scored' AND operator != 'rerun' ORDER BY mean {order}, number LIMIT ?",  # noqa: S608  # one of two constants
            count,
        )
        return self._each(attempt_from, rows)

    def counts(self) -> dict[str, int]:
        """Return how many attempts there are of each status; reruns and empty picks are none."""
        rows = self._rows(
            "SELECT status, COUNT(*) AS n FROM attempts WHERE operator != 'rerun' AND status != 'empty' GROUP BY status"
        )
        return {row["status"]: row["n"] for row in rows}

    # --- executions ----------------------------------------------------------------------------------------------
    def execution(self, attempt: str, phase: str, fold: int) -> Execution | None:
        """Return what an execution left, or None where it has not been made."""
        rows = self._rows("SELECT * FROM executions WHERE attempt=? AND phase=? AND fold=?", attempt, phase, fold)
        return next(iter(self._each(self._genuine, rows)), None)

    def executions(self, attempt: str) -> list[Execution]:
        """Return all executions of one attempt."""
        rows = self._rows("SELECT * FROM executions WHERE attempt=? ORDER BY rowid", attempt)
        return self._each(self._genuine, rows)

    def execution_count(self) -> int:
        """Return how many executions are recorded."""
        return int(self._rows("SELECT COUNT(*) AS n FROM executions")[0]["n"])

    def reports(self) -> Iterator[ExecutionReport]:
        """Return the reports of all executions, some at a time."""
        last = 0
        while rows := self._rows("SELECT rowid, * FROM executions WHERE rowid > ? ORDER BY rowid LIMIT 500", last):
            last = rows[-1]["rowid"]
            yield from (execution.report for execution in self._each(self._genuine, rows))

    def _genuine(self, row: sqlite3.Row) -> Execution:
        """Return the execution of a row that this run wrote.

        Raises:
            RunDirectoryError: It, or its report, does not carry the run's seal.
        """
        execution = execution_from(row, self.seal)
        if execution is None:
            raise RunDirectoryError(
                f"The journal {self.path} is damaged: the record of an execution ({row['attempt']}, {row['phase']}) was not "
                f"written by this run, or {self.path.with_name(KEY_FILE)} is another run's. Put back copies of both, or start a new run."
            )
        return execution

    def record(self, execution: Execution) -> None:
        """Record an execution. What is recorded is never executed again.

        Raises:
            SandboxError: Its report does not carry the signature of this run.
        """
        with self._transaction() as db:
            add_connections(db, execution.attempt, execution.report)
            self._write(db, execution)

    def _write(self, db: sqlite3.Connection, execution: Execution) -> None:
        if not self.seal.is_signed(execution.report):
            raise SandboxError(
                f"The report of {execution.report.execution_id!r} was not signed by this run, or changed on its way; it is not recorded."
            )
        row = row_of(execution, self.seal)
        db.execute("INSERT OR REPLACE INTO executions VALUES (:attempt, :phase, :fold, :ok, :report, :score, :outputs, :seal)", row)  # fmt: skip

    def record_score(self, execution: Execution, score: float) -> Execution:
        """Record the host's score of an execution."""
        scored = replace(execution, score=score)
        with self._transaction() as db:
            self._write(db, scored)
        return scored

    def connections(self) -> list[Connected]:
        """Return what left the sandboxes and what was not let out, in the order of the first, by attempt."""
        return self._each(connected_from, self._rows(CONNECTIONS))
