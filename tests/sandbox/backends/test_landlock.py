"""Landlock: the shared contracts as far as rules reach, with a user of its own and without, and what is its own."""

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat import read, write
from nbformat.v4 import new_code_cell, new_notebook

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends import landlock
from open_autoglm.sandbox.backends.landlock import (
    OLDEST,
    OLDEST_FOR_ONE_USER,
    LandlockSandbox,
    free_user,
    hindrance,
    missing,
)
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.contracts.conformance import Bench, SandboxContract
from open_autoglm.sandbox.contracts.packages_contract import PackagesContract
from open_autoglm.sandbox.contracts.rules_contract import RulesContract
from open_autoglm.sandbox.inside import confine
from open_autoglm.sandbox.policy import default_policy, read_policy
from open_autoglm.sandbox.report import Status, failure_line
from open_autoglm.sandbox.supervision import tree
from open_autoglm.sandbox.supervision.exchange import Exchange

ready = LandlockSandbox().probe()
pytestmark = pytest.mark.needs(ready.ready, ready.reason)
own_user = LandlockSandbox(own_user=True).probe()
same_user = LandlockSandbox(own_user=False).probe()


@pytest.mark.slow
@pytest.mark.needs(same_user.ready, same_user.reason)
class TestSameUser(SandboxContract, RulesContract, PackagesContract):
    """Rules alone."""

    def make_sandbox(self) -> Sandbox:
        return LandlockSandbox(imports=(), own_user=False)


# Where Python lies in root's home, `tests/sandbox/test_ordinary_user.py` runs them in a view in which others can reach it, and leaves none out.
@pytest.mark.slow
@pytest.mark.skipif(not own_user.ready, reason=own_user.reason)
class TestOwnUser(SandboxContract, RulesContract, PackagesContract):
    """Rules, and a user that nothing else runs as."""

    def make_sandbox(self) -> Sandbox:
        return LandlockSandbox(imports=(), own_user=True)

    def test_it_is_somebody_else(self, bench: Bench) -> None:
        """With a group of its own and no others; what it writes is its own, and its folder is closed to everybody else."""
        code = "print(os.getuid() == os.getgid() > 61_000, os.getgroups(), oct(os.stat(OUT.parent).st_mode), os.stat(OUT).st_uid == os.getuid())"

        assert bench.run(code).stdout.head == "True [] 0o40710 True\n"


def test_a_policy_of_ones_own_holds(tmp_path: Path) -> None:
    """In what is shown, in limits, and by its hash in the report."""
    (tmp_path / "policy.yaml").write_text(
        "filesystem: {settings: [passwd]}\nlimits: {open_files: 64}\nnetwork: {access: none}\n"
    )
    policy = read_policy(tmp_path / "policy.yaml")
    session = LandlockSandbox(imports=(), policy=policy).open(cpus=1)
    code = "import resource\nprint(open('/etc/passwd').read(4), resource.getrlimit(resource.RLIMIT_NOFILE)[1])"
    report = Bench(session, tmp_path).run(code)
    session.close()

    assert report.stdout.head == "root 64\n", report.stderr.head
    assert report.isolation.policy_sha256 == policy.digest != default_policy().digest


POOLS = (
    "import multiprocessing\nmultiprocessing.Pool(2)",
    "import multiprocessing\nmultiprocessing.Manager()",
    "from joblib.externals.loky import get_reusable_executor\nget_reusable_executor(2)",
    "import zmq\nzmq.Context().socket(zmq.REP)",
)


@pytest.mark.slow
def test_what_processes_would_share_is_named_where_it_is_missed(tmp_path: Path) -> None:
    """Not the number of an error or a signal alone; joblib needs none of it, and a notebook is executed all the same."""
    session = LandlockSandbox(imports=()).open(cpus=2)
    bench = Bench(session, tmp_path)
    for code in POOLS:
        assert "install bubblewrap or Docker" in failure_line(bench.run(code))
    joblib = bench.run(
        "from joblib import Parallel, delayed\nprint(Parallel(n_jobs=2)(delayed(abs)(i) for i in (1, -2)))"
    )
    book = new_notebook(cells=[new_code_cell("import runtime, os\nprint(6 * 7, os.listdir('.'))")])
    write(book, tmp_path / "n.ipynb")
    job = replace(bench.job(""), call="notebook", inputs={"notebook": tmp_path / "n.ipynb"})
    report = session.run(job)
    session.close()

    assert joblib.stdout.head == "[1, 2]\n", joblib.stderr.head
    assert report.status == Status.STATUS_OK, failure_line(report)
    shown = read(job.collect / "notebook.ipynb", as_version=4).cells[0].outputs[0].text
    assert shown.startswith("42 ")
    assert "notebook" in shown


def test_a_full_disk_that_is_emptied_again_is_told(tmp_path: Path) -> None:
    """The call that makes room is held until the host has looked; past the limit, such looks end the execution, too."""
    session = LandlockSandbox(imports=()).open(cpus=1)
    bench = Bench(session, tmp_path)
    quiet = "try:\n    with open('full', 'wb') as file:\n        for _ in range(99): file.write(b'1' * 1_000_000)\nexcept OSError: pass\nos.unlink('full')"
    many = "for n in range(10_000):\n    with open(f'part-{n}', 'wb') as file: file.write(b'1' * 1_000_000)"
    full, past = bench.run(quiet, disk_bytes=20 << 20), bench.run(many, disk_bytes=20 << 20)
    session.close()

    assert (full.status, [violation.kind for violation in full.violations]) == (Status.STATUS_OK, ["disk_limit"])
    assert (past.status, past.detail) == (Status.STATUS_VIOLATION, "more than 20,971,520 bytes written")


def test_an_old_kernel_is_refused_with_the_reason() -> None:
    """Rules that do not hold everything are no isolation; for executions as the same user it takes a newer one."""
    for version in (1, OLDEST - 1):
        assert "too old" in str(hindrance(own_user=True, version=version))
        assert "too old" in str(hindrance(own_user=False, version=version))
    assert "Linux 6.12" in str(hindrance(own_user=False, version=OLDEST_FOR_ONE_USER - 1))
    assert hindrance(own_user=False, version=OLDEST_FOR_ONE_USER) is None


def test_a_system_without_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system, another processor, a kernel that was built or started without."""
    assert "virtual machine" in str(missing("darwin"))
    monkeypatch.setattr(landlock, "_version", lambda: 0)
    assert "no Landlock" in str(missing())
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert "processor" in str(missing())


def test_a_user_is_one_sessions_alone() -> None:
    """Until its claim is closed; where all are taken, that is said."""
    users = [free_user() for _ in range(3)]
    assert len({user for user, _ in users}) == 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landlock, "USERS", (users[0][0], users[0][0] + 1))
        patch.setattr(landlock, "TRIES", 1)
        with pytest.raises(SandboxUnavailable, match="No user is free"):
            free_user()
    for _, claim in users:
        claim.close()


def test_only_root_gives_a_user_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To where Python can be reached, in a container that has such users."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "Only root" in str(hindrance(own_user=True, version=7))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(landlock, "_needed", lambda: [Path("/usr/lib")])
    assert hindrance(own_user=True, version=7) is None
    tmp_path.chmod(0o700)
    monkeypatch.setattr(landlock, "_needed", lambda: [tmp_path])
    assert "cannot be reached" in str(hindrance(own_user=True, version=7))
    monkeypatch.setattr(landlock, "_mapped", lambda: [["0", "0", "60000"]])
    assert "do not exist" in str(hindrance(own_user=True, version=7))


def test_root_needs_something_that_counts_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rlimit holds for root itself."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(landlock.cgroup, "is_possible", lambda: False)
    assert "without control groups" in str(hindrance(own_user=False, version=7))


def test_what_does_not_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness and opening say the same."""
    landlock._working.cache_clear()
    monkeypatch.setattr(landlock, "hindrance", lambda **_: "It is too old.")
    readiness = LandlockSandbox().probe()
    assert (readiness.ready, readiness.tier) == (False, "none")
    assert "It is too old. It is too old." in readiness.reason
    with pytest.raises(SandboxUnavailable, match="too old"):
        LandlockSandbox().open()
    monkeypatch.setattr(landlock, "missing", lambda: "There is none.")
    landlock._working.cache_clear()
    assert LandlockSandbox().probe().reason == "There is none."
    landlock._working.cache_clear()


def test_rules_know_no_more_than_the_kernel() -> None:
    """Rights that a version does not know must not be asked of it."""
    assert confine.RIGHTS[OLDEST] & confine.TELL_DEVICE == 0
    assert confine.version() >= OLDEST


@pytest.mark.skipif("win" in sys.platform, reason="no such user")
def test_the_folder_for_temporary_files_is_among_what_must_be_reached() -> None:
    """A user of its own has to get to its own folders."""
    assert Path(tempfile.gettempdir()).resolve() in landlock._needed()


def test_a_launcher_keeps_its_user_as_long_as_it_lives() -> None:
    """Each session's has another; a server knows by it what belongs to the session."""
    first, second = (landlock._launcher(default_policy(), own_user=True) for _ in range(2))

    assert first.user != second.user
    assert first.tier == "landlock/own_user"
    assert first.user in range(*landlock.USERS)


def test_processes_are_found_by_their_user() -> None:
    """By what they run as, whoever owns their folder in /proc."""
    assert os.getpid() in tree.owned_by(os.geteuid())
    assert tree.owned_by(landlock.USERS[1]) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_folders_are_the_users_own(tmp_path: Path) -> None:
    """And the way to them is open to nobody else."""
    base = tmp_path / "base"
    base.mkdir()
    Exchange(base, copy_inputs=False, folders=("out",), user=landlock.USERS[0]).fill(Bench(None, tmp_path).job("pass"))

    assert (base.stat().st_gid, base.stat().st_mode & 0o777) == (landlock.USERS[0], 0o710)
    assert ((base / "out").stat().st_uid, (base / "out").stat().st_mode & 0o777) == (landlock.USERS[0], 0o700)


def test_a_crowd_that_multiplies_is_stopped_and_killed() -> None:
    """For each that is killed there is another; those that are stopped make none, and all go in the end."""
    crowd: list[subprocess.Popen[bytes]] = []

    def members() -> list[int]:
        if len(crowd) < 2 * tree.ROUNDS_TO_KILL:
            crowd.append(subprocess.Popen(["sleep", "60"]))
        return [each.pid for each in crowd if each.poll() is None]

    assert tree.tasks_of(os.geteuid()) > 0
    assert tree.kill_marked("nobody's", spare=-1, members=members, seconds=60)
    assert all(each.wait() == -9 for each in crowd)
