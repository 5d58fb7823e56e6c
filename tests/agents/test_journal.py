"""The journal: the truth of a run, whatever happens to the process that writes it."""

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus, Execution
from open_autoglm.agents.connections import Connected
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.strategist import Operator
from open_autoglm.errors import RunDirectoryError, SandboxError
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.report_pb2 import Connection


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def reserve(journal: Journal, operator: Operator = Operator.DRAFT, slot: int = 0, parents: tuple[str, ...] = ()) -> str:
    return journal.reserve(worker=0, operator=operator, slot=slot, parents=parents, seed=1).id


def signed(journal: Journal, **fields: Any) -> ExecutionReport:
    report = ExecutionReport(**fields)
    journal.seal.sign(report)
    return report


def scored(journal: Journal, mean: float) -> str:
    name = reserve(journal)
    journal.update(replace(journal.attempt(name), status=AttemptStatus.SCORED, mean=mean, standard_error=0.1))
    return name


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    """Attempts, bundles, executions and stages survive the process."""
    first = Journal(tmp_path / "journal.sqlite")
    name = reserve(first, parents=("a9",))
    digest = first.save_bundle(name, engine.bundle(0.5))
    report = signed(first, execution_id="e", status=Status.STATUS_TIMEOUT, wall_seconds=1.5)
    first.record(Execution(attempt=name, phase="fold.fit", fold=2, report=report, ok=False, outputs={"model": "m"}))
    first.record_stage("understand", {"warnings": ["ä"]})
    first.record_clock("p", 4.0)
    first.close()

    again = Journal(tmp_path / "journal.sqlite")
    assert again.attempt(name).parents == ("a9",)
    assert again.bundle(digest) == engine.bundle(0.5)
    assert again.execution(name, "fold.fit", 2) == Execution(
        attempt=name, phase="fold.fit", fold=2, report=report, ok=False, outputs={"model": "m"}
    )
    assert again.execution(name, "fold.fit", 3) is None
    assert again.stage("understand") == {"warnings": ["ä"]}
    assert again.seconds_spent() == 4.0


def test_whom_code_reached_is_remembered_once(journal: Journal) -> None:
    """Added up over executions, kept when a repair forgets them, and not counted again with the score."""
    name = reserve(journal)
    journal.save_bundle(name, engine.bundle(0.5))
    made = [Connection(host="b.example", port=1, refused="no", count=1), Connection(host="a.example", count=2, bytes=9)]
    for fold in range(2):
        report = signed(journal, execution_id=f"e{fold}", connections=made)
        execution = Execution(attempt=name, phase="fold.predict", fold=fold, report=report, ok=True)
        journal.record(execution)
        journal.record_score(execution, 0.5)
    journal.save_bundle(name, engine.bundle(0.6), repairs=1)

    assert journal.executions(name) == []
    assert journal.connections() == [
        Connected(attempt=name, host="a.example", port=0, refused="", count=4, size_bytes=18),
        Connected(attempt=name, host="b.example", port=1, refused="no", count=2, size_bytes=0),
    ]


def test_a_transaction_that_was_cut_leaves_nothing(journal: Journal) -> None:
    """A kill inside a write leaves the state before it."""
    reserve(journal)

    def cut() -> None:
        with journal.transaction() as db:
            db.execute("DELETE FROM attempts")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cut()

    assert len(journal.attempts()) == 1


def test_two_workers_never_reserve_the_same(journal: Journal) -> None:
    """Reservations from many threads all differ."""
    threads = [threading.Thread(target=reserve, args=(journal,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({attempt.id for attempt in journal.attempts()}) == 20


def test_best_attempts_know_the_direction(journal: Journal) -> None:
    """Greater or smaller is better as the metric says; only scored attempts compete."""
    low, high = scored(journal, 0.1), scored(journal, 0.9)
    reserve(journal)

    assert [a.id for a in journal.best_attempts(greater_is_better=True, count=5)] == [high, low]
    assert [a.id for a in journal.best_attempts(greater_is_better=False, count=1)] == [low]


def test_a_repair_forgets_what_the_broken_code_did(journal: Journal) -> None:
    """New code starts without executions."""
    name = reserve(journal)
    journal.save_bundle(name, engine.bundle(1.0))
    journal.record(Execution(attempt=name, phase="smoke.fit", fold=0, report=signed(journal), ok=False))
    journal.save_bundle(name, engine.bundle(2.0), repairs=1)

    assert journal.executions(name) == []
    assert journal.attempt(name).repairs == 1


def test_attempts_cut_by_the_budget_go_on_with_more(journal: Journal) -> None:
    """More time reopens what the end of the budget cut, and only that."""
    cut, hopeless = reserve(journal), reserve(journal)
    for name, detail in ((cut, {"cut": True}), (hopeless, {})):
        journal.update(replace(journal.attempt(name), status=AttemptStatus.STOPPED, detail=detail))

    assert journal.reopen_cut() == 1
    assert journal.attempt(cut).status is AttemptStatus.RUNNING
    assert journal.attempt(hopeless).status is AttemptStatus.STOPPED


def test_a_damaged_file_is_said_in_one_line(tmp_path: Path) -> None:
    """Garbage, and a file cut short, are refused with what to do."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"this is no database" * 100)

    with pytest.raises(RunDirectoryError, match="cannot be read"):
        Journal(path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A journal of another schema is not touched."""
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value='99' WHERE key='schema'")

    with pytest.raises(RunDirectoryError, match="schema 99"):
        Journal(path)


def test_unknown_attempts_and_bundles_are_refused(journal: Journal) -> None:
    """A reference into nothing is a damaged journal."""
    with pytest.raises(RunDirectoryError):
        journal.attempt("a9999")
    with pytest.raises(RunDirectoryError):
        journal.bundle("0" * 64)


def test_a_record_of_another_run_is_refused(tmp_path: Path) -> None:
    """A row that is copied from elsewhere, or read with another run's key, is not this run's."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        journal = Journal(tmp_path / name / "journal.sqlite")
        attempt = reserve(journal)
        journal.record(Execution(attempt=attempt, phase="fold.fit", fold=0, report=signed(journal), ok=True))
        assert journal.execution(attempt, "fold.fit", 0) is not None
        journal.close()
    key = tmp_path / "one" / "report.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.write_bytes((tmp_path / "other" / "report.key").read_bytes())
    again = Journal(tmp_path / "one" / "journal.sqlite")
    with pytest.raises(RunDirectoryError, match=r"was not written by this run.*report\.key"):
        again.execution(attempt, "fold.fit", 0)
    again.close()


def test_a_report_that_the_run_did_not_sign_is_not_recorded(journal: Journal) -> None:
    """Whoever hands one in: a worker without the key, or somebody who changed it on its way."""
    changed = signed(journal, execution_id="e", status=Status.STATUS_ERROR)
    changed.status = Status.STATUS_OK
    for report in (ExecutionReport(execution_id="e"), changed):
        with pytest.raises(SandboxError, match="'e' was not signed by this run, or changed on its way"):
            journal.record(Execution(attempt="a0001", phase="fold.fit", fold=0, report=report, ok=True))


def test_a_damaged_key_is_said(tmp_path: Path) -> None:
    """Nothing could be checked with it."""
    Journal(tmp_path / "journal.sqlite").close()
    (tmp_path / "report.key").write_bytes(b"short")
    with pytest.raises(RunDirectoryError, match=r"report\.key is damaged"):
        Journal(tmp_path / "journal.sqlite")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE bundles SET bundle = '{broken'",
        "UPDATE bundles SET bundle = replace(bundle, 'def fit', 'def fat')",
        "UPDATE bundles SET bundle = replace(bundle, 'def fit', 'def fit(')",
        "UPDATE bundles SET bundle = replace(bundle, 'Fit nothing', 'Fit all')",
        "UPDATE attempts SET parents = '[['",
        "UPDATE attempts SET status = 'odd'",
        "UPDATE attempts SET operator = 7",
        "UPDATE executions SET report = x'ff00ff'",
        "UPDATE executions SET report = CAST(report || x'3001' AS BLOB)",
        "UPDATE executions SET outputs = 'none'",
        "UPDATE executions SET score = 0.99",
        "UPDATE executions SET fold = 1",
        "UPDATE stages SET result = '{broken'",
    ],
)
def test_a_record_that_was_damaged_is_said_in_one_line(damage: str, tmp_path: Path) -> None:
    """Whatever SQLite can read and we cannot, or would read as other code than was recorded."""
    journal = Journal(tmp_path / "journal.sqlite")
    name = reserve(journal)
    digest = journal.save_bundle(name, engine.bundle(0.5))
    journal.record(Execution(attempt=name, phase="fold.fit", fold=0, report=signed(journal), ok=True))
    journal.record_stage("understand", {})
    journal.close()
    with sqlite3.connect(journal.path) as db:
        db.execute(damage)
    again = Journal(journal.path)

    def read_all() -> None:
        again.stage("understand")
        again.bundle(digest)
        again.attempts()
        again.picks()
        again.executions(name)
        list(again.reports())

    with pytest.raises(RunDirectoryError, match="is damaged") as refused:
        read_all()
    assert "\n" not in str(refused.value)
    again.close()
