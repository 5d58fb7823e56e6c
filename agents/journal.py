"""The journal: the append-only truth of a run. Every node asks it first whether its result is already there.

SQLite in WAL mode, written by one process. Nothing in it is pickled: JSON, protobuf and references to files that lie
on disk by content hash.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from open_autoglm.agents.attempts import Attempt, AttemptStatus, Execution, attempt_from, execution_from, row_of
from open_autoglm.agents.connections import CONNECTIONS, Connected, add_connections, connected_from
from open_autoglm.agents.likeness import code_key
from open_autoglm.agents.records import Records
from open_autoglm.agents.seal import FILE_NAME as KEY_FILE
from open_autoglm.agents.seal import seal_of
from open_autoglm.agents.strategist import Operator
from open_autoglm.agents.violations import VIOLATIONS, Tried, add_violations, tried_by_attempt
from open_autoglm.errors import RunDirectoryError, SandboxError
from open_autoglm.events import Json
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport

OPENED_AFTER = "opened_after"
"""The last attempt before the search was opened again, by number: patience begins anew."""
PARSED_BUNDLES = 256
"""Bundles kept parsed: a brief shows the recent ones again and again."""


class Journal(Records):
    """One run's journal. Thread-safe; every write is one transaction that a kill cannot halve."""

    def __init__(self, path: Path) -> None:
        self.seal = seal_of(path.parent)
        super().__init__(path)
        self._bundles: dict[str, CodeBundle] = {}

    # --- facts about the run -------------------------------------------------------------------------------------

    def stage(self, name: str) -> Any | None:
        """Return the recorded result of a stage, or None where it has not ended yet."""
        rows = self.rows("SELECT result FROM stages WHERE name = ?", name)
        return self.each(lambda row: json.loads(row["result"]), rows)[0] if rows else None

    def record_stage(self, name: str, result: Mapping[str, Json]) -> None:
        """Record that a stage ended, with its result."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO stages VALUES (?, ?)", (name, json.dumps(result, ensure_ascii=False)))

    def forget_stages(self, names: Sequence[str]) -> None:
        """Forget stages that must be done again."""
        with self.transaction() as db:
            db.executemany("DELETE FROM stages WHERE name = ?", [(name,) for name in names])

    def forget_search(self) -> None:
        """Open a finished search again: what came after it must be done anew, what was executed in it stays."""
        last = self.rows("SELECT COALESCE(MAX(number), 0) AS number FROM attempts")[0]["number"]
        self.set_meta(OPENED_AFTER, str(last))
        self.forget_stages(["search", "finalise", "export", "explain", "report"])

    def record_clock(self, process: str, seconds: float) -> None:
        """Record how many seconds this process has used so far."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO clocks VALUES (?, ?)", (process, seconds))

    def seconds_spent(self, *, without: str = "") -> float:
        """Return the seconds that all processes used, but for the one named."""
        rows = self.rows("SELECT COALESCE(SUM(seconds), 0) AS total FROM clocks WHERE process != ?", without)
        return float(rows[0]["total"])

    # --- attempts ------------------------------------------------------------------------------------------------

    def reserve(self, *, worker: int, operator: Operator, slot: int, parents: Sequence[str], seed: int) -> Attempt:
        """Reserve a pick, so that no other worker makes the same; the attempt starts as running."""
        with self.transaction() as db:
            cursor = db.execute(
                "INSERT INTO attempts (id, worker, operator, slot, parents, seed, status) VALUES ('', ?, ?, ?, ?, ?, ?)",
                (worker, operator, slot, json.dumps(list(parents)), seed, AttemptStatus.RUNNING),
            )
            name = f"a{cursor.lastrowid:04d}"
            branch = name if operator is Operator.DRAFT else ""
            if operator in (Operator.IMPROVE, Operator.TUNE):
                (branch,) = db.execute("SELECT branch FROM attempts WHERE id = ?", parents[:1]).fetchone() or (name,)
            db.execute("UPDATE attempts SET id = ?, branch = ? WHERE number = ?", (name, branch, cursor.lastrowid))
        return self.attempt(name)

    def save_bundle(
        self, attempt: str, bundle: CodeBundle, *, repairs: int = 0, failure: str = "", edit: str = ""
    ) -> str:
        """Give the attempt its code; a repair replaces it and forgets what the broken code did.

        Args:
            attempt: Whose code it is.
            bundle: The code.
            repairs: How often it was mended by now.
            failure: What was wrong with the code that a repair replaces; kept with both.
            edit: `likeness.edit_key` of the change that made it from its parent, where the loop guard is to know it again.
        """
        text = bundle.model_dump_json()
        digest = bundle.content_hash
        code = "" if bundle.author is Author.RECIPES else code_key(bundle)
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO bundles VALUES (?, ?)", (digest, text))
            if repairs:
                db.execute(
                    "INSERT OR REPLACE INTO mends SELECT id, ?, bundle, code, ?, ? FROM attempts WHERE id = ?",
                    (repairs, failure, digest, attempt),
                )
            db.execute(
                "UPDATE attempts SET bundle = ?, title = ?, repairs = ?, code = ?, edit = ? WHERE id = ?",
                (digest, bundle.title, repairs, code, edit, attempt),
            )
            db.execute("DELETE FROM executions WHERE attempt = ?", (attempt,))
        return digest

    def bundle(self, digest: str) -> CodeBundle:
        """Return a bundle by its hash."""
        if digest not in self._bundles:
            rows = self.rows("SELECT bundle FROM bundles WHERE hash = ?", digest)
            if not rows:
                raise RunDirectoryError(
                    f"The journal {self.path} misses bundle {digest}: it was damaged. Start a new run."
                )
            if len(self._bundles) >= PARSED_BUNDLES:
                self._bundles.pop(next(iter(self._bundles)))
            (bundle,) = self.each(lambda row: CodeBundle.from_json(row["bundle"]), rows)
            if bundle.content_hash != digest:
                raise RunDirectoryError(
                    f"The journal {self.path} is damaged: bundle {digest} holds other code. Start a new run, or put back a copy."
                )
            self._bundles[digest] = bundle
        return self._bundles[digest]

    def update(self, attempt: Attempt) -> None:
        """Write the attempt's fields back."""
        ended = None if attempt.status is AttemptStatus.RUNNING else time.time()
        with self.transaction() as db:
            db.execute(
                "UPDATE attempts SET status=?, title=?, params=?, detail=?, repairs=?, mean=?, standard_error=?, lesson=?, "
                "failure=?, reward=?, finished_at=? WHERE id=?",
                (
                    attempt.status, attempt.title, None if attempt.params is None else json.dumps(attempt.params),
                    json.dumps(attempt.detail), attempt.repairs, attempt.mean, attempt.standard_error, attempt.lesson,
                    attempt.failure, attempt.reward, ended, attempt.id,
                ),
            )  # fmt: skip

    def attempt(self, attempt_id: str) -> Attempt:
        """Return one attempt."""
        rows = self.rows("SELECT * FROM attempts WHERE id = ?", attempt_id)
        if not rows:
            raise RunDirectoryError(f"The journal {self.path} has no attempt {attempt_id!r}.")
        return self.each(attempt_from, rows)[0]

    def attempts(self, status: AttemptStatus | None = None) -> list[Attempt]:
        """Return all attempts (of one status), oldest first."""
        if status is None:
            return self.each(attempt_from, self.rows("SELECT * FROM attempts ORDER BY number"))
        return self.each(attempt_from, self.rows("SELECT * FROM attempts WHERE status = ? ORDER BY number", status))

    def recent_attempts(self, count: int) -> list[Attempt]:
        """Return the last attempts that were written, oldest first."""
        rows = self.rows(
            "SELECT * FROM attempts WHERE operator != 'rerun' AND status != 'empty' ORDER BY number DESC LIMIT ?", count
        )
        return self.each(attempt_from, rows[::-1])

    def unfinished(self, worker: int) -> Attempt | None:
        """Return the attempt that this worker was in the middle of, if any."""
        rows = self.rows(
            "SELECT * FROM attempts WHERE status='running' AND operator != 'rerun' AND worker=? ORDER BY number LIMIT 1",
            worker,
        )
        return next(iter(self.each(attempt_from, rows)), None)

    def picks(self) -> list[tuple[Operator, AttemptStatus, int]]:
        """Return (operator, status, count) of all picks of the search, grouped."""
        rows = self.rows(
            "SELECT operator, status, COUNT(*) AS n FROM attempts WHERE operator != 'rerun' GROUP BY operator, status"
        )
        return self.each(lambda r: (Operator(r["operator"]), AttemptStatus(r["status"]), r["n"]), rows)

    def since(self, attempt_id: str) -> int:
        """Return how many attempts of the search, since it was last opened, ended without gain after this one was reserved."""
        rows = self.rows(
            "SELECT COUNT(*) AS n FROM attempts WHERE status IN ('scored', 'failed', 'stopped') AND operator != 'rerun' "
            "AND number > MAX((SELECT number FROM attempts WHERE id = ?), ?)",
            attempt_id,
            int(self.get_meta(OPENED_AFTER) or 0),
        )
        return int(rows[0]["n"])

    def twin(self, attempt: Attempt, bundle: str) -> str | None:
        """Return an earlier attempt with the same code, PARAMS and seed-independent pick, if any."""
        params = None if attempt.params is None else json.dumps(attempt.params)
        rows = self.rows(
            "SELECT id FROM attempts WHERE bundle = ? AND params IS ? AND id != ? AND operator != 'rerun' ORDER BY number LIMIT 1",
            bundle, params, attempt.id,
        )  # fmt: skip
        return rows[0]["id"] if rows else None

    def trials_of(self, parent: str) -> list[Attempt]:
        """Return the trials of one bundle, oldest first."""
        rows = self.rows(
            "SELECT * FROM attempts WHERE operator='tune' AND parents=? ORDER BY number", json.dumps([parent])
        )
        return self.each(attempt_from, rows)

    def rerun_of(self, attempt_id: str) -> Attempt | None:
        """Return the rerun of an attempt with another seed, if there is one."""
        rows = self.rows("SELECT * FROM attempts WHERE operator='rerun' AND parents=?", json.dumps([attempt_id]))
        return next(iter(self.each(attempt_from, rows)), None)

    def reopen_cut(self) -> int:
        """Set attempts that the end of the budget cut back to running, since there is more budget now; return how many."""
        with self.transaction() as db:
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
        rows = self.rows(
            f"SELECT * FROM attempts WHERE status = 'scored' AND operator != 'rerun' ORDER BY mean {order}, number LIMIT ?",  # noqa: S608  # one of two constants
            count,
        )
        return self.each(attempt_from, rows)

    def counts(self) -> dict[str, int]:
        """Return how many attempts there are of each status; reruns and empty picks are none."""
        rows = self.rows(
            "SELECT status, COUNT(*) AS n FROM attempts WHERE operator != 'rerun' AND status != 'empty' GROUP BY status"
        )
        return {row["status"]: row["n"] for row in rows}

    # --- executions ----------------------------------------------------------------------------------------------
    def execution(self, attempt: str, phase: str, fold: int) -> Execution | None:
        """Return what an execution left, or None where it has not been made."""
        rows = self.rows("SELECT * FROM executions WHERE attempt=? AND phase=? AND fold=?", attempt, phase, fold)
        return next(iter(self.each(self._genuine, rows)), None)

    def executions(self, attempt: str) -> list[Execution]:
        """Return all executions of one attempt."""
        rows = self.rows("SELECT * FROM executions WHERE attempt=? ORDER BY rowid", attempt)
        return self.each(self._genuine, rows)

    def execution_count(self) -> int:
        """Return how many executions are recorded."""
        return int(self.rows("SELECT COUNT(*) AS n FROM executions")[0]["n"])

    def reports(self) -> Iterator[ExecutionReport]:
        """Return the reports of all executions, some at a time."""
        last = 0
        while rows := self.rows("SELECT rowid, * FROM executions WHERE rowid > ? ORDER BY rowid LIMIT 500", last):
            last = rows[-1]["rowid"]
            yield from (execution.report for execution in self.each(self._genuine, rows))

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
        with self.transaction() as db:
            add_connections(db, execution.attempt, execution.report)
            add_violations(db, execution.attempt, execution.report)
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
        with self.transaction() as db:
            self._write(db, scored)
        return scored

    def connections(self) -> list[Connected]:
        """Return what left the sandboxes and what was not let out, in the order of the first, by attempt."""
        return self.each(connected_from, self.rows(CONNECTIONS))

    def violations(self) -> Mapping[str, Tried]:
        """Return what code tried and may not, of the attempts that tried something."""
        return tried_by_attempt(self.rows(VIOLATIONS))
