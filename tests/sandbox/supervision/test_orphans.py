"""Processes that outlive the host that started them are found by its name, and ended once it is gone."""

import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from open_autoglm.sandbox.supervision import cgroup, orphans
from open_autoglm.sandbox.supervision.folders import OWNER
from open_autoglm.sandbox.supervision.orphans import clear_away, end_orphans, started_by
from open_autoglm.sandbox.supervision.owner import HAS_PROC, owner

pytestmark = pytest.mark.needs(HAS_PROC, "there is no /proc to tell")


@pytest.fixture(autouse=True)
def variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of this test's own: others may clear away meanwhile."""
    monkeypatch.setattr(orphans, "VARIABLE", f"AUTOGLM_OWNER_{uuid.uuid4().hex}")


@contextmanager
def process(whose: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries the name of its owner, has begun, and waits."""
    code = "print(flush=True); input()"
    command = [sys.executable, "-I", "-S", "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env={orphans.VARIABLE: whose}, **pipes) as started:  # type: ignore[call-overload]  # two of its many
        started.stdout.readline()
        yield started
        started.kill()


def gone() -> str:
    """Return the name of an owner of this machine that is dead."""
    return owner().rpartition("/")[0] + "/0"


def test_orphans_are_ended_and_others_are_left_alone() -> None:
    """Of an owner that lives, of one in another PID namespace, and what carries no proper name."""
    boot, _, pid, began = owner().split("/")
    with (
        process(gone()) as orphan,
        process(owner()) as mine,
        process(f"{boot}/1/{pid}/{began}") as elsewhere,
        process("nobody's") as other,
    ):
        assert orphan.pid in end_orphans()
        assert orphan.wait(10) == -signal.SIGKILL
        assert [living.poll() for living in (mine, elsewhere, other)] == [None] * 3
        assert started_by() == started_by(owner()) == {mine.pid}


def test_a_number_that_is_anothers_by_now_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ended since it was seen, one that carries another name now, and one that may not be killed."""

    def refuse(*_: object) -> None:
        raise PermissionError

    with process(owner()) as mine, process(gone()) as orphan:
        assert not orphans._end(mine.pid, gone())
        monkeypatch.setattr(orphans.signal, "pidfd_send_signal", refuse)
        assert orphan.pid not in end_orphans()
        assert mine.poll() is None
    assert not orphans._end(orphan.pid, gone())


def test_all_that_a_killed_host_left_goes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes, its folders and its control groups, and each is told."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / "autoglm-session-x"
    folder.mkdir()
    (folder / OWNER).write_text(gone())
    group = tmp_path / "open-autoglm" / f"1-{gone().replace('/', '_')}-x"
    group.mkdir(parents=True)
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    with process(gone()) as orphan:
        told = clear_away()
        assert orphan.wait(10) == -signal.SIGKILL

    assert {f"process {orphan.pid}", f"folder {folder}", f"control group {group}"} <= set(told)
    assert not folder.exists()
    assert not group.exists()
