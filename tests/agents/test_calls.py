"""The journal's record of what was asked of a language model."""

import sqlite3
from pathlib import Path

from open_autoglm.agents.calls import CallRecord, Calls, Spent
from open_autoglm.agents.glm.wire import Finish, Purpose, Usage
from open_autoglm.agents.journal import Journal


def a_record(**fields: object) -> CallRecord:
    usage = Usage(prompt=100, cached=80, output=20, reasoning=5)
    given = {
        "started_at": 5.0,
        "purpose": Purpose.DRAFT,
        "attempt": "a0001",
        "model": "glm",
        "usage": usage,
        "seconds": 2.0,
    }
    return CallRecord(**{**given, "first_token_seconds": 0.5, "money": 0.25, "finish": Finish.STOP, **fields})  # type: ignore[arg-type]  # fmt: skip


def test_calls_are_kept_and_added_up(tmp_path: Path) -> None:
    """One by one, by attempt, by purpose and together, also after the run was opened again."""
    first, failed = a_record(), a_record(purpose=Purpose.PLAN, attempt="", finish=None, error="gone", usage=Usage(), money=0.0)  # fmt: skip
    journal = Journal(tmp_path / "journal.sqlite")
    assert [Calls(journal).record(each) for each in (first, failed)] == [1, 2]
    journal.close()
    journal = Journal(tmp_path / "journal.sqlite")
    calls = Calls(journal)

    together = Spent().plus(first).plus(failed)
    assert (together.calls, together.failed, together.tokens, together.money) == (2, 1, 120, 0.25)
    assert calls.spent() == together
    assert [(call.number, call.usage, call.finish) for call in calls.of_attempt("a0001")] == [
        (1, first.usage, Finish.STOP)
    ]
    assert [(call.error, call.finish) for call in calls.recent(1)] == [("gone", None)]
    assert calls.spent_by_purpose() == {Purpose.DRAFT: Spent().plus(first), Purpose.PLAN: Spent().plus(failed)}
    journal.close()


def test_a_run_of_before_there_were_calls_is_read(tmp_path: Path) -> None:
    """It gets the table when it is opened."""
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE calls")
    database.close()
    journal = Journal(path)

    assert Calls(journal).spent() == Spent()
    journal.close()
