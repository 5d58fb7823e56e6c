"""bubblewrap: the shared contracts in both of its ways to keep executions apart, and what is its own."""

import json
import os
import platform
import time
from pathlib import Path

import pytest

from open_autoglm.sandbox.backends import bubblewrap
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapLauncher, BubblewrapSandbox, Mounts
from open_autoglm.sandbox.backends.trial import problem_with
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.contracts.conformance import Bench, Contract, SandboxContract
from open_autoglm.sandbox.contracts.isolation_contract import IsolationContract
from open_autoglm.sandbox.contracts.packages_contract import PackagesContract
from open_autoglm.sandbox.launch import Seclusion
from open_autoglm.sandbox.report import Status
from open_autoglm.sandbox.supervision import cgroup
from open_autoglm.sandbox.supervision.orphans import started_by

ready = BubblewrapSandbox().probe()
# A user's machine may lack it; where CI runs, tests of isolation that are left out would prove nothing.
pytestmark = pytest.mark.needs(ready.ready, ready.reason)

STARTS_WITHIN = {"root": 0.1, "others": 0.01}
"""Seconds in which bubblewrap has made its namespaces on a machine that is not busy; root starts it by a Python."""

FOREIGN_CALL = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
"""


class TellsWhatWasTried(Contract):
    """A limit or a filter that held is told in the report."""

    @pytest.mark.needs(cgroup.is_possible() or os.geteuid() != 0, "root can make no control groups here")
    @pytest.mark.skipif(not cgroup.is_possible(), reason="nobody counts here how often forking was refused")
    def test_forking_past_the_limit_is_told(self, bench: Bench) -> None:
        """Also where the code takes the refusal quietly and ends well."""
        code = "try:\n    while os.fork(): pass\n    time.sleep(30)\nexcept OSError: pass"
        report = bench.run(code, processes=20)

        assert report.status == Status.STATUS_OK, report
        assert [violation.kind for violation in report.violations] == ["process_limit"]
        assert report.resources.process_limit_hits > 0

    def test_a_disk_that_is_full_at_the_end_is_told(self, bench: Bench) -> None:
        """Also where the code takes the refusal quietly, and too fast to be watched."""
        code = "try:\n    with open('/tmp/full', 'wb') as file:\n        for _ in range(99): file.write(b'1' * 1_000_000)\nexcept OSError: pass"
        report = bench.run(code, disk_bytes=20 << 20)

        assert report.status == Status.STATUS_OK, report
        assert [violation.kind for violation in report.violations] == ["disk_limit"]

    @pytest.mark.skipif(platform.machine() != "x86_64", reason="the program is written for x86_64")
    def test_what_the_filter_kills_is_a_violation(self, bench: Bench) -> None:
        """Calls by the numbers of another machine."""
        report = bench.run(FOREIGN_CALL)

        assert (report.status, report.signal) == (Status.STATUS_VIOLATION, 31)
        assert [violation.kind for violation in report.violations] == ["system_call"]


class LeavesNothing(Contract):
    """Whenever a session is closed."""

    @pytest.mark.slow
    def test_a_session_that_is_closed_while_it_starts_leaves_no_process(self) -> None:
        """Not even one that waits for the next step of one that was killed between two of its own."""
        sandbox = self.make_sandbox()
        before = started_by()
        seconds = STARTS_WITHIN["root" if os.geteuid() == 0 else "others"]
        for number in range(100):
            session = sandbox.open(cpus=1)
            time.sleep(seconds * number / 100)
            session.close()

        assert started_by() <= before


class TestNamespaces(LeavesNothing, TellsWhatWasTried, SandboxContract, PackagesContract, IsolationContract):
    """A fork server whose executions have namespaces of their own."""

    def make_sandbox(self) -> Sandbox:
        return BubblewrapSandbox(imports=(), seclusion=Seclusion.NAMESPACES)


@pytest.mark.slow
class TestSingleUse(LeavesNothing, TellsWhatWasTried, SandboxContract, PackagesContract, IsolationContract):
    """A bubblewrap for every execution, as where nested namespaces are refused."""

    def make_sandbox(self) -> Sandbox:
        return BubblewrapSandbox(imports=(), seclusion=Seclusion.SINGLE_USE)


def test_root_and_others_start_it_in_their_ways(tmp_path: Path) -> None:
    """Root by the program that gives up being root, with the sources told to that; others as it is, with the paths themselves."""
    launcher = BubblewrapLauncher(Path("/usr/bin/bwrap"), Seclusion.SINGLE_USE)
    with Mounts(as_root=False) as mounts:
        plain = launcher.command(mounts, tmp_path, 3, {"A": "b"})
    with Mounts(as_root=True) as mounts:
        root = launcher.command(mounts, tmp_path, 3, {"A": "b"})

    assert plain[0] == "/usr/bin/bwrap"
    assert "--disable-userns" in plain
    assert plain[plain.index(str(tmp_path)) - 1] == "--ro-bind"
    assert "lower.py" in root[3]
    assert str(tmp_path) in json.loads(root[-1])["sources"]
    assert str(tmp_path) not in json.loads(root[-1])["command"]


def test_a_home_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Python is installed into it, only its own folders are."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / ".local" / "lib").mkdir(parents=True)
    (tmp_path / "venv").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))

    assert [path.name for path in bubblewrap._shown(tmp_path)] == ["bin", "lib"]
    assert tmp_path not in bubblewrap._shown(Path("/"))
    assert list(bubblewrap._shown(tmp_path / ".local")) == [tmp_path / ".local" / "lib"]
    assert list(bubblewrap._shown(tmp_path / "venv")) == [tmp_path / "venv"]


def test_what_cannot_even_start_is_a_reason(tmp_path: Path) -> None:
    """A probe never raises."""
    missing = BubblewrapLauncher(tmp_path / "bwrap", Seclusion.NAMESPACES)

    assert problem_with(missing)


@pytest.mark.slow
def test_libraries_may_start_processes_inside(tmp_path: Path) -> None:
    """Joblib looks when it is imported whether semaphores work, and would silently do everything one by one."""
    session = BubblewrapSandbox(imports=("joblib",)).open(cpus=2)
    code = "import joblib\nprint(len(set(joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(4))) - {os.getpid()}) > 0)"
    report = Bench(session, tmp_path).run(code)
    session.close()

    assert report.stdout.head == "True\n", report.stderr.head
