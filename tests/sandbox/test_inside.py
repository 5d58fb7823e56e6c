"""What runs only inside: the fork server, its namespaces, and how root gives up being root. Measured there, see `measured`."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox import measured

from open_autoglm.sandbox.backends import bubblewrap
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.landlock import OLDEST_FOR_ONE_USER
from open_autoglm.sandbox.inside import confine
from open_autoglm.sandbox.launch import INSIDE
from open_autoglm.sandbox.policy import default_policy
from open_autoglm.sandbox.policy.syscalls import filters
from open_autoglm.sandbox.supervision.server import receive, send
from open_autoglm.sandbox.supervision.watch import Watch

SPACE: dict[str, Any] = {
    "namespaces": False, "disk_bytes": 1 << 20, "inodes": 1000, "devices": ["pts"], "keep": [], "calls": None, "confine": None, "proxy": None,
}  # fmt: skip
VERSION = confine.version()
LOWER = Path(bubblewrap.__file__).with_name("lower.py")
START = f"import socket, subprocess, sys\nsys.path[:0] = [{str(INSIDE)!r}, {str(LOWER.parent)!r}]\n"
"""The standard library first: one of the modules beside the fork server has the name of one of its own."""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that can import the modules of the inside."""
    command = [sys.executable, "-c", START + program, *arguments]
    return subprocess.run(
        command, env={**os.environ, **measured.environment()}, check=False, capture_output=True, text=True
    )


def _answer_all(listener: int) -> None:
    watch = Watch(listener, default_policy())
    while watch.go_on():
        time.sleep(0.001)
    os.close(listener)


class Host:
    """Plays the host of one fork server."""

    def __init__(self, folder: Path, *program: str) -> None:
        self.folder = folder
        self.control, guest = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, "-P", *(program or [str(INSIDE / "forkserver.py")]), str(guest.fileno())],
            env={"PATH": "/usr/bin:/bin", **measured.environment()},
            pass_fds=(guest.fileno(),),
            stderr=subprocess.PIPE,
        )
        guest.close()
        send(self.control, {"imports": ["no_such_library"], "ring": True, "writable": [str(folder)]}, [])
        self.ready, handles = receive(self.control)
        self.handles = len(handles)
        for handle in handles:
            os.close(handle)

    def order(self, space: dict[str, Any], *, go: bool = True) -> Sequence[dict[str, Any]]:
        """Give an order and return what the keeper says, with what comes out of the cell."""
        reader, writer = os.pipe()
        channel, guest = socket.socketpair()
        with closing(channel), closing(guest):
            request = {"space": space, "rlimits": {"CORE": 0, "NO_SUCH": 1}, "cpus": 1}
            request["paths"] = dict.fromkeys(("job", "out", "work"), str(self.folder))
            send(self.control, request, [writer, writer, writer, guest.fileno()])
            os.close(writer)
            guest.close()
            first, descriptors = receive(channel)
            handles = dict(zip(first.get("handles", []), descriptors, strict=True))
            if "listener" in handles:  # somebody has to answer: even to lower a limit is asked about
                threading.Thread(target=_answer_all, args=(handles.pop("listener"),)).start()
            for descriptor in handles.values():
                os.close(descriptor)
            if go and "born" in first:
                send(channel, {"go": 1}, [])
            else:
                channel.shutdown(socket.SHUT_WR)
            second = receive(channel)[0]
        with os.fdopen(reader, encoding="utf-8") as output:
            return first, second, {"output": output.read()}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    played = Host(tmp_path)
    yield played
    played.control.close()
    assert played.process.wait(20) == 0  # it ends with its host, in peace
    assert played.process.stderr is not None
    played.process.stderr.close()


def test_a_fork_server_lives_through_everything_that_fails(host: Host) -> None:
    """A job that cannot be read, a host that goes before it says go, a space that cannot be made."""
    assert (host.ready["missing"], host.handles) == (["no_such_library"], 2)
    born, ended, said = host.order(SPACE)
    assert (born["born"] > 0, ended["exit"]) == (True, 70)
    assert "job.json" in said["output"]
    assert host.order(SPACE, go=False)[1]["exit"] == 70
    failed = host.order({**SPACE, "namespaces": True, "keep": ["/no/such/folder"]})
    assert "Error" in failed[0]["failed"]
    broken = {**SPACE, "namespaces": True, "keep": ["/no/such/folder"]}
    send(host.control, {"space": broken}, [])  # one ahead that cannot be made ready, and another that cannot either
    assert "Error" in host.order(broken)[0]["failed"]
    send(host.control, {"space": SPACE}, [])  # one ahead, for an order that comes as another
    (host.folder / "job.json").write_text(json.dumps({"call": "nothing", "context": {}}))
    assert host.order({**SPACE, "disk_bytes": 1 << 21})[1]["exit"] == 0
    send(host.control, {"space": SPACE}, [])
    assert host.order(SPACE)[1]["exit"] == 0


ELSEWHERE = """
import os, namespaces
folder = sys.argv[1]
namespaces.STAGE = folder + "/stage"
namespaces.FOLDERS = {"out": folder + "/out", "tmp": folder + "/tmp"}
"""
NAMESPACES = """
out = namespaces.prepare(1 << 20, 1000, ["pts"], [folder + "/tmp/kept"])
if os.fork() == 0:
    namespaces.settle()
    try:
        namespaces.prepare(1 << 20, 1000, [], [])
    except OSError as error:
        print(error.strerror)
    print(os.getpid(), os.listdir(out), os.listdir(folder + "/tmp/kept"), os.statvfs(folder + "/out").f_blocks * 4096, flush=True)
    os._exit(0)
os.wait()
os._exit(0)
"""


@pytest.mark.needs(BubblewrapSandbox().probe().ready, "namespaces cannot be made here")
def test_an_execution_gets_namespaces_of_its_own(tmp_path: Path) -> None:
    """With its own folders over the old ones, what must be kept shown again, and no way to further ones."""
    for name in ("stage", "out", "tmp/kept"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "out" / "old").touch()
    (tmp_path / "tmp" / "kept" / "library").touch()
    ran = run(ELSEWHERE + NAMESPACES, str(tmp_path))

    lines = ran.stdout.splitlines()
    assert lines[0].startswith("unshare"), ran.stderr
    assert lines[1] == f"1 [] ['library'] {1 << 20}"


@pytest.mark.needs(BubblewrapSandbox().probe().ready, "namespaces cannot be made here")
def test_a_cell_is_the_first_process_of_its_namespaces(tmp_path: Path) -> None:
    """The fork server stays outside of them, and goes on."""
    for name in ("stage", "out", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "job.json").write_text(json.dumps({"call": "nothing", "context": {}}))
    main = "import forkserver\nforkserver.main(socket.socket(fileno=int(sys.argv[2])))"
    played = Host(tmp_path, "-c", START + ELSEWHERE + main, str(tmp_path))
    ends = [played.order({**SPACE, "namespaces": True, "proxy": 3128}) for _ in range(2)]
    played.control.close()

    assert played.process.wait(20) == 0
    assert [end[1]["exit"] for end in ends] == [0, 0], ends
    assert played.process.stderr is not None
    played.process.stderr.close()


ORPHANS = """
import forkserver, os
for _ in range(3):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
for apart in (True, False):
    forkserver._reap_orphans({"namespaces": apart})
    try:
        print(os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None)
    except ChildProcessError:
        print("nobody")
"""


def test_what_came_back_dead_is_reaped_before_the_next_fork() -> None:
    """Else it would count against the next execution's limit. In namespaces the kernel has done it: a keeper is waited for by its number alone."""
    ran = run(ORPHANS)

    assert ran.stdout.splitlines() == ["True", "nobody"], ran.stderr


CALLS = filters(default_policy())
needs_filter = pytest.mark.needs(CALLS is not None, "the system calls of this machine have unknown numbers")
needs_rules = pytest.mark.needs(
    VERSION >= OLDEST_FOR_ONE_USER,
    f"the kernel's Landlock is {VERSION}, and {OLDEST_FOR_ONE_USER} is needed (Linux 6.12)",
)
RULES = default_policy().system_calls.model_copy(update={"reported": ()})
UNASKED = filters(default_policy().model_copy(update={"system_calls": RULES}))
"""Asks about nothing that innocent code does: nobody answers the program below."""
FILTERED = """
import base64, ctypes, json, os, namespaces
calls = json.loads(sys.argv[1])
watched, plain = (base64.b64decode(calls[name]) for name in ("watched", "plain"))
libc = ctypes.CDLL(None, use_errno=True)
try:
    namespaces.filter_calls(calls["seccomp"], b"", b"")
except OSError as error:
    print(error.strerror)
libc.prctl(38, 1, 0, 0, 0)
print(namespaces.filter_calls(calls["seccomp"], watched, plain) is not None)
print(namespaces.filter_calls(calls["seccomp"], watched, plain))
print(libc.ptrace(0, 0, 0, 0), ctypes.get_errno())
"""


@needs_filter
def test_calls_fail_where_nobody_can_be_asked() -> None:
    """A second listener is refused by the kernel: then the calls are refused at once, and innocent ones go on."""
    ran = run(FILTERED, json.dumps(UNASKED))

    assert ran.stdout.splitlines() == ["seccomp: Invalid argument", "True", "None", "-1 1"], ran.stderr


@needs_filter
def test_a_cell_is_born_with_somebody_to_ask(host: Host) -> None:
    """The keeper hands the descriptor over with the cell's own."""
    (host.folder / "job.json").write_text(json.dumps({"call": "nothing", "context": {}}))
    born = host.order({**SPACE, "calls": CALLS})[0]

    assert born["handles"] == ["listener", "cell"]


def _rules(folder: Path) -> dict[str, Any]:
    """Return rules by which everything can be read, and written what the test and its measuring need."""
    places = {str(folder), *measured.folders()}
    return {"version": VERSION, "user": None, "shown": ["/"], "writable": sorted(places), "devices": ["/dev/null"]}


@needs_rules
def test_a_cell_lays_rules_on_itself(host: Host) -> None:
    """And is never forked ahead, where others of the same user could end it; what cannot be laid down ends it."""
    space = {**SPACE, "confine": _rules(host.folder)}
    (host.folder / "job.json").write_text(json.dumps({"call": "nothing", "context": {}}))
    send(host.control, {"space": space}, [])

    assert host.order(space)[1]["exit"] == 0
    broken = {**space, "confine": {**_rules(host.folder), "shown": ["/no/such/folder"]}}
    assert host.order(broken)[1]["exit"] == 70


CONFINED = """
import confine, json, os
rules = json.loads(sys.argv[1])
confine.become(os.getuid() if os.getuid() == 0 else None)
try:
    confine._make_ruleset(rules["version"], 1 << 60)
except OSError as error:
    print(error)
import namespaces
namespaces.give_up_rights()
held = confine.hold(os.getpid())
confine.restrict(rules)
print(len(held) == len(confine.own_entries(os.getpid())) > 9, os.path.exists("/proc/self/stat"))
for path, mode in ((sys.argv[2], "a"), (sys.argv[3], "a"), (sys.argv[3], "r")):
    try:
        open(path, mode).close()
        print("opened")
    except OSError as error:
        print(error.strerror)
"""


@needs_rules
def test_rules_hold_for_the_process_that_lays_them_on_itself(tmp_path: Path) -> None:
    """What they name as writable can be written, the rest is read at the most; an unknown right is an error."""
    (tmp_path / "writable").mkdir()
    (tmp_path / "file").touch()
    ran = run(
        CONFINED, json.dumps(_rules(tmp_path / "writable")), str(tmp_path / "writable" / "new"), str(tmp_path / "file")
    )

    assert ran.stdout.splitlines() == [
        "[Errno 22] landlock_create_ruleset: Invalid argument", "True True", "opened", "Permission denied", "opened",
    ], ran.stderr  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")
def test_root_shows_what_is_needed_and_becomes_somebody_else(tmp_path: Path) -> None:
    """Folders and files, at their numbers, in a view that nobody else sees; a refused step ends it."""
    (tmp_path / "stage").mkdir()
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private" / "in").touch()
    (tmp_path / "file").write_text("seen")
    program = (
        "import lower, os\nlower.STAGE = sys.argv[1]\nlower.main(sys.argv[2:4], 0, [sys.executable, '-c', sys.argv[4]])"
    )
    look = f"import os\nprint(os.listdir({str(tmp_path / 'stage')!r} + '/0'), open({str(tmp_path / 'stage')!r} + '/1').read(), os.getgroups())"
    ran = run(program, str(tmp_path / "stage"), str(tmp_path / "private"), str(tmp_path / "file"), look)

    assert ran.stdout == "['in'] seen []\n", ran.stderr
    assert list((tmp_path / "stage").iterdir()) == []
    assert "mount /tmp" in run(program, str(tmp_path / "no"), "/", "/", "").stderr
    steps = json.dumps({"sources": ["/no/such/source"], "user": 65_100, "command": []})
    refused = subprocess.run(
        [sys.executable, str(LOWER), steps], env=measured.environment(), check=False, capture_output=True
    )
    assert b"/no/such/source" in refused.stderr
