"""The fake: it must fail loudly when a test asks too much of it."""

from pathlib import Path

import pytest

from open_autoglm.errors import SandboxError, ScriptExhausted
from open_autoglm.sandbox.base import Job, Limits, Sandbox, Session
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.scripted import ScriptedSandbox


def job(folder: Path, name: str = "a1-fit") -> Job:
    limits = Limits(wall_seconds=1, memory_bytes=1 << 20)
    return Job(
        execution_id=name, phase="fit", call="fit", code={}, context={}, inputs={}, limits=limits, collect=folder / name
    )  # fmt: skip


def test_answers_come_in_order_and_then_no_more(tmp_path: Path) -> None:
    """The message names the job that had no answer."""
    sandbox: Sandbox = ScriptedSandbox([ExecutionReport(status=Status.STATUS_OK), SandboxError("lost")])
    session: Session = sandbox.open()

    report = session.run(job(tmp_path))
    assert (report.status, report.execution_id, report.phase, report.isolation.backend) == (
        Status.STATUS_OK,
        "a1-fit",
        "fit",
        "scripted",
    )
    with pytest.raises(SandboxError, match="lost"):
        session.run(job(tmp_path))
    with pytest.raises(ScriptExhausted, match="no report left for job 3: fit 'a1-fit'"):
        session.run(job(tmp_path))


def test_a_function_may_write_artefacts(tmp_path: Path) -> None:
    """It is asked again and again, by every session."""

    def answer(asked: Job) -> ExecutionReport:
        (asked.collect / "model").mkdir()
        return ExecutionReport(status=Status.STATUS_OK)

    sandbox = ScriptedSandbox(answer)
    sandbox.open().run(job(tmp_path, "one"))
    sandbox.open().run(job(tmp_path, "two"))

    assert (tmp_path / "two" / "model").is_dir()
    assert [asked.execution_id for asked in sandbox.jobs] == ["one", "two"]


def test_a_closed_session_refuses(tmp_path: Path) -> None:
    """As a real one does; cancelling an idle one is fine."""
    session = ScriptedSandbox([ExecutionReport()]).open()
    session.cancel()
    assert session.cancelled == 1
    session.close()
    with pytest.raises(SandboxError, match="closed"):
        session.run(job(tmp_path))
    assert ScriptedSandbox([]).probe().ready
