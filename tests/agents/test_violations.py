"""What the executions of an attempt tried is added up for readers."""

from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import Execution
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.strategist import Operator
from open_autoglm.agents.violations import MOST_SHOWN, Tried
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.report_pb2 import Violation

TRACE = Violation(kind="system_call", subject="ptrace", detail="reading another process", severity="high", count=2)
WRITE = Violation(kind="system_call", subject="open /x", detail="read-only", severity="low", count=5)
FULL = Violation(kind="disk_limit", detail="more than 5 bytes written", count=1)


def record(journal: Journal, attempt: str, fold: int, *violations: Violation) -> None:
    report = ExecutionReport(violations=violations)
    journal.seal.sign(report)
    journal.record(Execution(attempt=attempt, phase="fold.fit", fold=fold, report=report, ok=True))


def test_the_serious_is_named_and_the_rest_counted(tmp_path: Path) -> None:
    """Over all executions, also those that a repair forgets; a limit that was met has no severity and is named, too."""
    journal = Journal(tmp_path / "journal.sqlite")
    name = journal.reserve(worker=0, operator=Operator.DRAFT, slot=0, parents=[], seed=1).id
    journal.save_bundle(name, engine.bundle(0.5))
    record(journal, name, 0, TRACE, WRITE)
    journal.save_bundle(name, engine.bundle(0.6), repairs=1)
    record(journal, name, 0, TRACE, FULL, WRITE)
    record(journal, "innocent", 0)

    assert journal.violations() == {
        name: Tried(
            violations=(
                {"what": "ptrace", "why": "reading another process", "count": 4},
                {"what": "disk limit", "why": "more than 5 bytes written", "count": 1},
            ),
            low_violations=10,
        )
    }


def test_the_most_frequent_are_named(tmp_path: Path) -> None:
    """Code can try any number of things."""
    journal = Journal(tmp_path / "journal.sqlite")
    many = [Violation(subject=f"call {n}", detail="no", severity="high", count=n + 1) for n in range(50)]
    record(journal, "a1", 0, *many)

    shown = journal.violations()["a1"].violations

    assert [item["count"] for item in shown] == [50 - n for n in range(MOST_SHOWN)]


def trying(job: Job, report: ExecutionReport) -> None:
    """Do what it may not."""
    report.violations.append(TRACE)


@pytest.mark.slow
def test_what_is_tried_after_the_search_is_on_the_page(tmp_path: Path) -> None:
    """Such as by the fit on all rows."""
    engine.go(tmp_path, engine.Tampered("scored.fit", trying))

    page = (tmp_path / "run" / "deliverable" / "report.html").read_text(encoding="utf-8")
    assert "ptrace" in page
    assert "reading another process" in page
