"""The seal: a report carries proof of who wrote it, and loses it when anything in it changes."""

from pathlib import Path

from open_autoglm.sandbox.base import Job, Limits
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.scripted import ScriptedSession
from open_autoglm.sandbox.seal import Seal, SealedSession


def test_a_report_is_checked_wherever_it_is_read() -> None:
    """It goes elsewhere as bytes and comes back; another key or another content does not fit."""
    seal = Seal(b"k" * 32)
    report = ExecutionReport(execution_id="e", claimed_seconds={"b": 1.0, "a": 2.0})
    assert not seal.is_signed(report)
    seal.sign(report)
    assert len(report.signature) == 32

    arrived = ExecutionReport.FromString(report.SerializeToString())
    assert seal.is_signed(arrived)
    assert not Seal(b"l" * 32).is_signed(arrived)
    arrived.claimed_seconds["a"] = 3.0
    assert not seal.is_signed(arrived)
    seal.sign(arrived)
    assert seal.is_signed(arrived)


def test_what_this_version_does_not_know_is_signed_too() -> None:
    """A field of a later version can neither be slipped in nor be taken out."""
    seal = Seal(b"k" * 32)
    report = ExecutionReport(execution_id="e")
    seal.sign(report)
    slipped_in = ExecutionReport.FromString(report.SerializeToString() + b"\xa0\x3f\x01")
    assert not seal.is_signed(slipped_in)


def test_a_session_signs_what_it_returns(tmp_path: Path) -> None:
    """And hands everything else on."""
    beneath, seal = ScriptedSession([ExecutionReport(status=Status.STATUS_OK)]), Seal(b"k" * 32)
    session = SealedSession(session=beneath, seal=seal)
    limits = Limits(wall_seconds=1, memory_bytes=1)
    job = Job(
        execution_id="e", phase="p", call="fit", code={}, context={}, inputs={}, limits=limits, collect=tmp_path / "o"
    )

    report = session.run(job)
    session.cancel()
    session.close()

    assert seal.is_signed(report)
    assert report.execution_id == "e"
    assert (beneath.cancelled, beneath.closed) == (1, True)
