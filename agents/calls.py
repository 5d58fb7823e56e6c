"""What was asked of a language model in a run, and what it cost: a table of the journal."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from open_autoglm.agents.glm.wire import Finish, Purpose, Usage
from open_autoglm.agents.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as the journal keeps it. The prompt itself is in the prompt log, under the same number."""

    number: int = 0
    """Counts the calls of the run from 1; 0 before it is recorded."""
    started_at: float
    """Seconds since 1970."""
    purpose: Purpose
    attempt: str = ""
    model: str
    usage: Usage = field(default_factory=Usage)
    seconds: float
    first_token_seconds: float | None = None
    money: float = 0.0
    retries: int = 0
    finish: Finish | None = None
    """None where there was no answer."""
    error: str = ""
    """Why there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What calls cost together."""

    calls: int = 0
    failed: int = 0
    """Of the calls: those without an answer."""
    usage: Usage = field(default_factory=Usage)
    money: float = 0.0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """What counts against a cap."""
        return self.usage.total

    def plus(self, record: CallRecord) -> "Spent":
        """Return what it is with one call more."""
        return Spent(
            calls=self.calls + 1,
            failed=self.failed + (record.finish is None),
            usage=Usage(
                prompt=self.usage.prompt + record.usage.prompt,
                cached=self.usage.cached + record.usage.cached,
                output=self.usage.output + record.usage.output,
                reasoning=self.usage.reasoning + record.usage.reasoning,
            ),
            money=self.money + record.money,
            seconds=self.seconds + record.seconds,
        )


_SUMS = (
    "COUNT(*) AS calls, COALESCE(SUM(finish = ''), 0) AS failed, COALESCE(SUM(prompt_tokens), 0) AS prompt_tokens, "
    "COALESCE(SUM(cached_tokens), 0) AS cached_tokens, COALESCE(SUM(output_tokens), 0) AS output_tokens, "
    "COALESCE(SUM(reasoning_tokens), 0) AS reasoning_tokens, COALESCE(SUM(money), 0.0) AS money, "
    "COALESCE(SUM(seconds), 0.0) AS seconds"
)


class Calls:
    """The calls of a run, in its journal."""

    def __init__(self, journal: Records) -> None:
        self._journal = journal

    def record(self, record: CallRecord) -> int:
        """Add a call; return its number."""
        usage = record.usage
        row = (
            record.started_at, record.purpose, record.attempt, record.model, usage.prompt, usage.cached, usage.output,
            usage.reasoning, record.seconds, record.first_token_seconds, record.money, record.retries, record.finish or "",
            record.error,
        )  # fmt: skip
        with self._journal.transaction() as db:
            cursor = db.execute(
                "INSERT INTO calls (started_at, purpose, attempt, model, prompt_tokens, cached_tokens, output_tokens, "
                "reasoning_tokens, seconds, first_token_seconds, money, retries, finish, error) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        assert cursor.lastrowid is not None  # an INSERT has one
        return cursor.lastrowid

    def of_attempt(self, attempt: str) -> Sequence[CallRecord]:
        """Return the calls that served an attempt, oldest first; the empty name is what came before there was one."""
        rows = self._journal.rows("SELECT * FROM calls WHERE attempt = ? ORDER BY number", attempt)
        return self._journal.each(_record_from, rows)

    def recent(self, count: int) -> Sequence[CallRecord]:
        """Return the last calls, oldest first."""
        rows = self._journal.rows("SELECT * FROM calls ORDER BY number DESC LIMIT ?", count)
        return self._journal.each(_record_from, rows[::-1])

    def spent(self) -> Spent:
        """Return what all calls cost."""
        return self._journal.each(_spent_from, self._journal.rows(f"SELECT {_SUMS} FROM calls"))[0]  # noqa: S608  # a constant

    def spent_by_purpose(self) -> dict[Purpose, Spent]:
        """Return what the calls of each purpose cost."""
        rows = self._journal.rows(f"SELECT purpose, {_SUMS} FROM calls GROUP BY purpose ORDER BY MIN(number)")  # noqa: S608  # a constant
        return dict(self._journal.each(lambda row: (Purpose(row["purpose"]), _spent_from(row)), rows))


def _usage_from(row: sqlite3.Row) -> Usage:
    return Usage(
        prompt=row["prompt_tokens"], cached=row["cached_tokens"], output=row["output_tokens"], reasoning=row["reasoning_tokens"]
    )  # fmt: skip


def _spent_from(row: sqlite3.Row) -> Spent:
    return Spent(
        calls=row["calls"], failed=row["failed"], usage=_usage_from(row), money=row["money"], seconds=row["seconds"]
    )


def _record_from(row: sqlite3.Row) -> CallRecord:
    return CallRecord(
        number=row["number"], started_at=row["started_at"], purpose=Purpose(row["purpose"]), attempt=row["attempt"],
        model=row["model"], usage=_usage_from(row), seconds=row["seconds"], first_token_seconds=row["first_token_seconds"],
        money=row["money"], retries=row["retries"], finish=Finish(row["finish"]) if row["finish"] else None, error=row["error"],
    )  # fmt: skip
