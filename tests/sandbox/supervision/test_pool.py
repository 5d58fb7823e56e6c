"""Sessions that are used again, and those that must not be."""

import threading
import time
from pathlib import Path

import pytest

from open_autoglm.errors import SandboxError, SandboxUnavailable
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Job, Limits, Profile
from open_autoglm.sandbox.contracts.conformance import Bench
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.scripted import ScriptedSandbox, ScriptedSession
from open_autoglm.sandbox.supervision.pool import Kind, PooledSandbox

SMALL = Kind(cpus=1)


def job(folder: Path) -> Job:
    limits = Limits(wall_seconds=1, memory_bytes=1 << 20)
    return Job(
        execution_id="1", phase="test", call="script", code={}, context={}, inputs={}, limits=limits, collect=folder
    )


def test_a_session_opened_ahead_goes_to_the_first_who_asks_for_its_kind() -> None:
    """As many processors and the same libraries; what waits at the end is closed with the pool."""
    scripted = ScriptedSandbox([])
    pool = PooledSandbox(scripted, first=Kind(cpus=3))
    assert (pool.name, pool.isolating, pool.probe().ready) == ("scripted", True, True)
    for cpus, profile, opened in ((2, Profile.TABULAR, 2), (3, Profile.TORCH, 3), (3, Profile.TABULAR, 3)):
        pool.open(cpus=cpus, profile=profile)
        assert len(scripted.sessions) == opened
    left = PooledSandbox(scripted)
    left.close()
    left.close()
    assert scripted.sessions[-1].closed


def test_what_was_closed_waits_for_the_next(tmp_path: Path) -> None:
    """The session lent out refuses from then on; the one behind it goes on, until the pool is closed."""
    scripted = ScriptedSandbox([ExecutionReport(status=Status.STATUS_OK), ExecutionReport(status=Status.STATUS_ERROR)])
    pool = PooledSandbox(scripted, first=SMALL)
    for _ in range(2):
        lent = pool.open(cpus=1)
        lent.run(job(tmp_path))
        lent.close()
        lent.close()
        with pytest.raises(SandboxError, match="closed"):
            lent.run(job(tmp_path))
    late = pool.open(cpus=1)
    pool.close()
    assert [session.closed for session in scripted.sessions] == [False]
    late.close()
    assert [session.closed for session in scripted.sessions] == [True]


@pytest.mark.parametrize(
    "answer", [*(ExecutionReport(status=status) for status in Status.values()[3:]), SandboxError("lost")], ids=str
)
def test_after_a_bad_verdict_a_session_is_never_used_again(
    answer: ExecutionReport | SandboxError, tmp_path: Path
) -> None:
    """Neither by the one who had it nor by another; a fresh one is on its way before anybody asks."""
    scripted = ScriptedSandbox([answer, *[ExecutionReport(status=Status.STATUS_OK)] * 2])
    pool = PooledSandbox(scripted, first=SMALL)
    lent = pool.open(cpus=1)
    if isinstance(answer, SandboxError):
        with pytest.raises(SandboxError):
            lent.run(job(tmp_path))
    else:
        lent.run(job(tmp_path))
    assert [session.closed for session in scripted.sessions] == [True, False]
    lent.cancel()
    lent.run(job(tmp_path))
    lent.cancel()
    lent.close()
    pool.open(cpus=1).run(job(tmp_path))
    assert [(len(session.jobs), session.cancelled) for session in scripted.sessions] == [(1, 0), (2, 2)]


class OnlyOne(ScriptedSandbox):
    """Opens one session and no more."""

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> ScriptedSession:
        if self.sessions:
            raise SandboxUnavailable("No more.")
        return super().open(cpus=cpus, profile=profile)


def test_what_cannot_be_replaced_is_told_to_who_asks_for_it(tmp_path: Path) -> None:
    """The report of the last job is still given."""
    pool = PooledSandbox(OnlyOne([ExecutionReport(status=Status.STATUS_TIMEOUT)]), first=SMALL)
    lent = pool.open(cpus=1)
    assert lent.run(job(tmp_path)).status == Status.STATUS_TIMEOUT
    with pytest.raises(SandboxUnavailable, match="No more"):
        lent.run(job(tmp_path))
    lent.close()


def test_what_waits_too_long_is_closed() -> None:
    """Also if nobody ever asks again; what came back later waits on."""
    scripted = ScriptedSandbox([])
    pool = PooledSandbox(scripted, first=SMALL, idle_seconds=0.05)
    end = time.monotonic() + 10
    while not scripted.sessions[0].closed and time.monotonic() < end:
        time.sleep(0.01)
    assert scripted.sessions[0].closed
    pool.idle_seconds = 60.0
    pool.open(cpus=1).close()
    pool._close_old()
    assert not scripted.sessions[1].closed
    pool.close()


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    """A cancelled session is not kept."""
    pool = PooledSandbox(ProcessSandbox(imports=()), first=SMALL)
    lent = pool.open(cpus=1)
    reports = []
    thread = threading.Thread(target=lambda: reports.append(Bench(lent, tmp_path).run("time.sleep(60)")))
    thread.start()
    while lent._session is None or lent._session._idle.is_set():  # type: ignore[attr-defined]  # a supervised session
        time.sleep(0.01)
    lent.close()
    thread.join()
    pool.close()

    assert reports[0].status == Status.STATUS_CANCELLED
