"""The session that local backends share, where the machine or the caller misbehaves."""

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from open_autoglm.errors import SandboxError, SandboxUnavailable
from open_autoglm.sandbox.backends import bubblewrap
from open_autoglm.sandbox.backends.process import ProcessLauncher, ProcessSandbox
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.contracts.conformance import DAEMON, Bench, alive
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.report import Status
from open_autoglm.sandbox.supervision import execution
from open_autoglm.sandbox.supervision.cancellation import Cancellation
from open_autoglm.sandbox.supervision.cgroup import Cgroup
from open_autoglm.sandbox.supervision.server import ForkServer
from open_autoglm.sandbox.supervision.session import SupervisedSession

BOMB = "x = []\nwhile True: x.append(bytearray(b'1' * 4_000_000)); time.sleep(.001)"
FORKS = "for _ in range(60):\n    if os.fork() == 0: time.sleep(30); os._exit(0)\ntime.sleep(30)"


def test_without_control_groups_the_tree_is_watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Memory and processes are held from outside."""
    monkeypatch.setattr(Cgroup, "make", lambda: None)
    session = ProcessSandbox(imports=()).open(cpus=1)
    bench = Bench(session, tmp_path)

    bomb = bench.run(BOMB, memory_bytes=100 << 20)
    forks = bench.run(FORKS, processes=20)
    session.close()

    assert (bomb.status, "memory" in bomb.detail) == (Status.STATUS_OUT_OF_MEMORY, True)
    assert bomb.resources.peak_memory_bytes > 90 << 20
    assert (forks.status, forks.violations[0].kind) == (Status.STATUS_VIOLATION, "process_limit")


def test_without_control_groups_isolated_code_is_held_by_rlimits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A count of processes that is its own, in namespaces of its own."""
    monkeypatch.setattr(Cgroup, "make", lambda: None)
    sandbox = bubblewrap.BubblewrapSandbox(imports=())
    demand(there=sandbox.probe().ready, reason=sandbox.probe().reason)
    session = sandbox.open(cpus=1)
    report = Bench(session, tmp_path).run(
        "import resource\nprint(resource.getrlimit(resource.RLIMIT_NPROC)[0], resource.getrlimit(resource.RLIMIT_DATA)[0] >> 30)",
        processes=40, memory_bytes=1 << 30,
    )  # fmt: skip
    session.close()

    assert report.stdout.head == "40 2\n", report.stderr.head


def test_without_proc_the_process_group_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on systems that are not Linux; a closed session refuses."""
    monkeypatch.setattr(execution.tree, "HAS_PROC", False)
    monkeypatch.setattr(Cgroup, "make", lambda: None)
    tag = uuid.uuid4().hex
    session = ProcessSandbox(imports=()).open(cpus=1)
    bench = Bench(session, tmp_path)
    child = f"subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)', '{tag}'])\n"
    late = bench.run(child + "print('up', flush=True)\ntime.sleep(60)", wall_seconds=0.5)

    assert (late.status, late.stdout.head) == (Status.STATUS_TIMEOUT, "up\n")
    gone_by = time.monotonic() + 5
    while alive(tag) and time.monotonic() < gone_by:
        time.sleep(0.01)
    assert alive(tag) == []
    session.close()
    with pytest.raises(SandboxError, match="closed"):
        bench.run("pass")


def test_a_claimed_lack_of_memory_is_one(tmp_path: Path) -> None:
    """An rlimit makes the code raise before anything is killed."""
    session = ProcessSandbox(imports=()).open(cpus=1)
    report = Bench(session, tmp_path).run("raise MemoryError")
    session.close()

    assert (report.status, report.detail) == (Status.STATUS_OUT_OF_MEMORY, "the code ran into the limit on memory")


def test_the_disk_limit_may_change_between_jobs(tmp_path: Path) -> None:
    """What was forked ahead for another limit is not used."""
    session = ProcessSandbox(imports=()).open(cpus=1)
    bench = Bench(session, tmp_path)
    sizes = [
        bench.run("import resource\nprint(resource.getrlimit(resource.RLIMIT_FSIZE)[0])", disk_bytes=size << 20)
        for size in (3, 4, 4)
    ]
    session.close()

    assert [report.stdout.head for report in sizes] == ["3145728\n", "4194304\n", "4194304\n"]


@pytest.mark.parametrize("backend", [ProcessSandbox, bubblewrap.BubblewrapSandbox], ids=["process", "bubblewrap"])
def test_who_is_in_a_hurry_does_not_wait_for_imports(backend: Callable[..., Sandbox], tmp_path: Path) -> None:
    """The first execution imports what it needs by itself; the next ones find everything, and are charged for none of it."""
    sandbox = backend(imports=("wave", "no_such_library", "numpy", "sndhdr"))
    demand(there=sandbox.probe().ready, reason=sandbox.probe().reason)
    session = sandbox.open(cpus=1)
    bench = Bench(session, tmp_path)
    reports = [bench.run("print('numpy' in sys.modules)", memory_bytes=60 << 20) for _ in range(2)]
    session.close()

    assert [report.stdout.head for report in reports] == ["False\n", "True\n"]
    assert reports[1].resources.peak_memory_bytes < 60 << 20


def test_an_interrupt_of_the_caller_leaves_nothing_running(tmp_path: Path) -> None:
    """Ctrl-C in the thread that runs a job kills the tree, and the session goes on."""
    tag = uuid.uuid4().hex
    session = SupervisedSession(ProcessLauncher(), cpus=1, imports=())

    class Interrupted(Cancellation):
        """Behaves as if Ctrl-C came once the daemon is up."""

        def is_set(self) -> bool:
            if alive(tag):
                raise KeyboardInterrupt
            return False

    calm, session._cancelled = session._cancelled, Interrupted()
    with pytest.raises(KeyboardInterrupt):
        Bench(session, tmp_path).run(DAEMON + f"daemon('{tag}')\ntime.sleep(60)")

    assert alive(tag) == []
    session._cancelled = calm
    assert Bench(session, tmp_path).run("pass").status == Status.STATUS_OK
    session.close()


def test_cancel_also_ends_the_wait_for_a_fork_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A job that never started is cancelled, not lost."""
    session = SupervisedSession(ProcessLauncher(), cpus=1, imports=())
    waiting = threading.Event()

    def wait(_: ForkServer, interrupted: threading.Event) -> bool:
        waiting.set()
        while not interrupted():  # type: ignore[operator]  # the method that tells
            pass
        return False

    monkeypatch.setattr(ForkServer, "wait", wait)
    reports = []
    thread = threading.Thread(target=lambda: reports.append(Bench(session, tmp_path).run("pass")))
    thread.start()
    waiting.wait()
    session.cancel()
    thread.join()
    session.close()

    assert (reports[0].status, reports[0].detail) == (Status.STATUS_CANCELLED, "cancelled before it started")


class Broken(ProcessLauncher):
    """Starts a program that says something and ends."""

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit('no \\x1b[31mluck')"], stderr=log, cwd=base)


class Missing(ProcessLauncher):
    """Starts a program that is not there."""

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([str(base / "nothing")])


def test_a_fork_server_that_cannot_start_is_the_sandboxs_failure(tmp_path: Path) -> None:
    """The message holds its last words, made harmless."""
    session = SupervisedSession(Broken(), cpus=1)
    with pytest.raises(SandboxUnavailable, match=r"ended while it started\. no �luck"):
        Bench(session, tmp_path).run("pass")
    session.close()
    with pytest.raises(SandboxUnavailable, match="cannot be started"):
        SupervisedSession(Missing(), cpus=1)


def test_bubblewrap_says_why_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """On another system, without the program, with one that fails."""
    for platform, programs, reason in (
        ("darwin", [Path("/bin/false")], "needs Linux"),
        ("linux", [], "no bwrap program"),
        ("linux", [Path("/bin/false")], "does not work here"),
    ):
        monkeypatch.setattr(bubblewrap.sys, "platform", platform)
        monkeypatch.setattr(bubblewrap, "programs", lambda found=programs: found)
        bubblewrap._working.cache_clear()
        readiness = bubblewrap.BubblewrapSandbox().probe()
        assert not readiness.ready
        assert reason in readiness.reason
        with pytest.raises(SandboxUnavailable, match=reason):
            bubblewrap.BubblewrapSandbox().open()
    bubblewrap._working.cache_clear()


@pytest.mark.parametrize("backend", [ProcessSandbox, bubblewrap.BubblewrapSandbox], ids=["process", "bubblewrap"])
def test_private_files_reach_the_inside_whatever_the_umask(backend: Callable[..., Sandbox], tmp_path: Path) -> None:
    """A sandbox started by root runs as another user: what is handed over must be readable, the original unchanged."""
    sandbox = backend(imports=())
    demand(there=sandbox.probe().ready, reason=sandbox.probe().reason)
    secret = tmp_path / "private"
    secret.write_text("seen")
    secret.chmod(0o600)
    session = sandbox.open(cpus=1)
    report = Bench(session, tmp_path / "out").run("print((IN / 'x').read_text())", {"x": secret}, cpus=3)
    session.close()

    assert report.stdout.head == "seen\n", report.stderr.head
    assert secret.stat().st_mode & 0o777 == 0o600
