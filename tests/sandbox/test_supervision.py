"""Parts of the supervisor that hostile code and odd machines reach only by chance: streams, claims, groups, leftovers."""

import io
import json
import os
import random
import select
import selectors
import signal
import socket
import string
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from open_autoglm.errors import SandboxError, SandboxUnavailable
from open_autoglm.sandbox.base import Limits
from open_autoglm.sandbox.launch import Inside, Seclusion
from open_autoglm.sandbox.policy import default_policy
from open_autoglm.sandbox.supervision import cgroup, execution, tree
from open_autoglm.sandbox.supervision.cancellation import Cancellation
from open_autoglm.sandbox.supervision.cgroup import Cgroup
from open_autoglm.sandbox.supervision.claims import ClaimReader
from open_autoglm.sandbox.supervision.execution import Execution
from open_autoglm.sandbox.supervision.owner import owner
from open_autoglm.sandbox.supervision.server import ForkServer, receive, send
from open_autoglm.sandbox.supervision.streams import BoundedStream, sanitise


def test_a_stream_keeps_its_two_ends() -> None:
    """And counts and hashes everything in between; short output is whole in `head`."""
    short, long = BoundedStream(), BoundedStream()
    short.add(b"x" * 30_000)
    for number in range(20_000):
        long.add(b"%6d\n" % number)

    assert (len(short.as_message().head), short.as_message().tail) == (30_000, "")
    message = long.as_message()
    assert message.total_bytes == 140_000
    assert message.head.startswith("     0\n     1\n")
    assert message.tail.endswith(" 19998\n 19999\n")
    assert len(message.head) + len(message.tail) == 32 << 10


def test_sanitised_text_holds_nothing_that_moves_a_cursor() -> None:
    """Whatever the input; ordinary text in any script stays as it is."""
    draw = random.Random(0)
    letters = string.ascii_letters + "\x1b\x9b\x07\r\n\t[]();0123456789\u202e\u200b\x00\x7f\x90\\"
    for _ in range(2_000):
        text = sanitise("".join(draw.choices(letters, k=40)))
        assert not set(text) & set("\x1b\x9b\x07\r\u202e\u200b\x00\x7f\x90")
    assert sanitise("naïve 预测 नमस्ते\u200d 👍\n\tx") == "naïve 预测 नमस्ते\u200d 👍\n\tx"


def test_claims_of_any_shape_are_survived() -> None:
    """Wrong types are left out, texts are cut, numbers that are none are dropped."""
    reader = ClaimReader()
    lines: list[object] = [
        1, None, [], {"progress": 3}, {"progress": [1, True, 2]}, {"progress": [1, 1e999, 2]}, {"seconds": {"read": 1, "x": "y"}},
        {"exception": {"type": "T" * 999, "message": 5, "frames": [{"file": "a\x1b", "line": -1}, 4, {"line": 1 << 40}]}},
    ]  # fmt: skip
    reader.add("\n".join(map(json.dumps, lines)).encode() + b"\n" + b"[" * 100_000)
    reader.read()

    assert reader.progress == []
    assert reader.seconds == {"read": 1.0}
    assert reader.exception is not None
    assert (len(reader.exception.type), reader.exception.message) == (200, "")
    assert [(f.file, f.line) for f in reader.exception.frames] == [("a�", 0), ("", 0)]


def fake_hierarchy(root: Path, version: int) -> Path:
    root.mkdir()
    if version == 2:
        (root / "cgroup.controllers").write_text("memory pids")
    for folder in ("memory", "pids", "cpu") if version == 1 else ():
        (root / folder).mkdir()
    return root


@pytest.mark.parametrize("version", [1, 2])
def test_groups_are_made_limited_and_removed(tmp_path: Path, version: int) -> None:
    """In the layout of either version; files of a plain folder stand in for the kernel's."""
    group = Cgroup.make(root=fake_hierarchy(tmp_path / "cg", version))
    assert group is not None
    group.limit(memory_bytes=1000, processes=7, cpus=3)
    group.add(4321)
    memory = group.folders["memory"]

    assert (memory / ("memory.max" if version == 2 else "memory.limit_in_bytes")).read_text() == "1000"
    assert (group.folders["pids"] / "pids.max").read_text() == "7"
    assert group.members() == [4321]
    (memory / ("memory.events" if version == 2 else "memory.oom_control")).write_text("low 0\noom_kill 2\n")
    assert (group.counters().oom_kills, group.counters().process_limit_hits) == (2, 0)
    if version == 1:
        assert (group.folders["cpu"] / "cpu.cfs_quota_us").read_text() == "300000"
        (group.folders["cpu"] / "cpu.stat").write_text("nr_throttled 1\nthrottled_time 2500000000\n")
        assert group.counters().throttled_seconds == 2.5


def test_processors_are_shared_by_the_host_where_the_controller_is_missing(tmp_path: Path) -> None:
    """On version 2 it has to be delegated; memory and processes are what a group must have."""
    root = fake_hierarchy(tmp_path / "cg", 2)
    group = Cgroup.make(root=root)
    assert group is not None
    group.limit(memory_bytes=1000, processes=7, cpus=3)
    assert (set(group.folders), group.counters().throttled_seconds) == ({"memory", "pids"}, 0.0)

    delegated = Cgroup(folders=dict.fromkeys(("memory", "pids", "cpu"), group.folders["memory"]), version=2)
    delegated.limit(memory_bytes=1000, processes=7, cpus=3)
    (group.folders["memory"] / "cpu.stat").write_text("throttled_usec 1500000\n")
    assert (group.folders["memory"] / "cpu.max").read_text() == "300000 100000"
    assert delegated.counters().throttled_seconds == 1.5


def test_without_the_right_there_is_no_group(tmp_path: Path) -> None:
    """The supervisor then watches from outside."""
    assert Cgroup.make(root=tmp_path / "nothing") is None


def test_groups_outlive_neither_their_members_nor_their_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What still has members is tried again for a moment; what a killed host left is swept; what is gone is no problem."""
    root = fake_hierarchy(tmp_path / "cg", 2)
    gone = owner().rpartition("/")[0].replace("/", "_")
    for name in (f"999999999-{gone}_0-old", f"{os.getpid()}-mine"):
        (root / "open-autoglm" / name).mkdir(parents=True)
    group = Cgroup(folders={"memory": root / "open-autoglm" / f"{os.getpid()}-mine"}, version=2)
    group.folders["pids"] = group.folders["memory"]
    kept = group.folders["memory"] / "member"
    kept.touch()
    monkeypatch.setattr(cgroup.time, "sleep", lambda _: kept.unlink(missing_ok=True))
    assert group.members() == []
    group.remove()
    group.remove()
    cgroup.sweep(root)
    Cgroup.make(root=root)

    left = [folder.name for folder in (root / "open-autoglm").iterdir() if folder.is_dir()]
    assert [name.endswith(("-old", "-mine")) for name in left] == [False]
    monkeypatch.setattr(Cgroup, "make", lambda: None)
    assert not cgroup.is_possible()


def server(process: Any = None, **values: Any) -> tuple[ForkServer, socket.socket]:
    """Return a handle on a fork server that this test plays."""
    host, guest = socket.socketpair()
    inside = Inside(job="", out="", work="", tmp="")
    values = {"mark": "none", "inside": inside, "log": io.BytesIO(b"last words"), "plain": False, **values}
    return ForkServer(process=process or subprocess.Popen(["sleep", "60"]), control=host, **values), guest


def supervised(**values: Any) -> Execution:
    limits = Limits(wall_seconds=1, memory_bytes=1 << 20)
    given = {
        "limits": limits,
        "seclusion": Seclusion.NONE,
        "cgroup": None,
        "watched_folders": (),
        "policy": default_policy(),
    }
    return Execution(**{"server": None, "cancelled": Cancellation(), **given, **values})


def test_a_fork_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time; a wait that is interrupted ends at once; nonsense is no message."""
    silent, guest = server()
    with pytest.raises(SandboxUnavailable, match="not ready after 0 seconds"):
        silent.wait(lambda: False, seconds=0)
    assert not silent.wait(lambda: True)
    guest.sendall(b"no json\n")
    assert receive(silent.control) == ({}, [])
    monkeypatch.setattr(Cgroup, "make", lambda: Cgroup(folders={"pids": Path("/nowhere")}, version=1))
    send(guest, {"python": "3"}, [])
    with pytest.raises(SandboxUnavailable, match="under its limits"):
        silent.wait(lambda: False)
    silent.process.kill()
    silent.process.wait()
    assert not silent.is_alive()
    guest.close()
    silent.prepare({"space": {}})
    ends = socket.socketpair()
    with pytest.raises(SandboxError, match="The sandbox is gone"):
        supervised(server=silent)._submit({}, ends[1])
    ends[0].close()
    silent.stop()


def test_a_birth_that_fails_closes_what_came_with_it() -> None:
    """The reason of the inside reaches the message."""
    midwife, guest = server()
    host, keeper = socket.socketpair()
    reader, writer = os.pipe()
    send(keeper, {"failed": "OSError: no room"}, [writer])
    os.close(writer)
    with pytest.raises(SandboxError, match=r"No process was started\. OSError: no room"):
        supervised(server=midwife)._await_birth(host)

    assert os.read(reader, 1) == b""  # nobody holds the other end any more
    os.close(reader)
    for end in (host, keeper, guest):
        end.close()
    midwife.stop()


def test_limits_that_cannot_be_set_are_the_sandboxs_failure(tmp_path: Path) -> None:
    """Nothing runs without them."""
    missing = Cgroup(folders=dict.fromkeys(("memory", "pids"), tmp_path / "nothing"), version=2)
    midwife, guest = server()
    with pytest.raises(SandboxError, match="limits could not be set"):
        supervised(server=midwife, cgroup=missing)._set_limits()
    guest.close()
    midwife.stop()


def test_measuring_what_was_written_costs_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the time; folders that vanish meanwhile, and whole file systems, are counted as they are."""
    midwife, guest = server(writable=[os.open("/dev/shm", os.O_RDONLY)])
    (tmp_path / "f").write_bytes(b"1" * 10_000)
    watcher = supervised(server=midwife, watched_folders=(tmp_path, tmp_path / "vanished"))

    assert watcher._written() >= 10_000
    watcher._next_walk = time.monotonic() + 60
    assert watcher._written() == 0
    guest.close()
    midwife.stop()


def test_processes_that_end_while_we_look_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what cannot be killed is told."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    handle = os.pidfd_open(gone.pid)
    gone.wait()
    assert tree.measure([gone.pid]).pids == ()
    assert tree.proportional_bytes([gone.pid]) == 0
    assert tree.pid_of(handle) == -1
    tree.kill_and_wait(handle)
    os.close(handle)
    assert not tree.kill_marked("x", spare=-1, seconds=-1)

    sleeper = subprocess.Popen(["sleep", "60"])
    handle = os.pidfd_open(sleeper.pid)
    monkeypatch.setattr(tree.signal, "pidfd_send_signal", lambda *_: None)
    monkeypatch.setattr(tree, "DEATH_SECONDS", 0.01)
    with pytest.raises(SandboxError, match="still lives"):
        tree.kill_and_wait(handle)
    os.close(handle)
    sleeper.kill()
    sleeper.wait()


def test_who_may_not_kill_asks_somebody_who_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a container belongs to another user; without anybody to ask the refusal is told."""
    sleeper = subprocess.Popen(["sleep", "60"])
    handle = os.pidfd_open(sleeper.pid)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(tree.signal, "pidfd_send_signal", refuse)
    with pytest.raises(PermissionError):
        tree.kill_and_wait(handle)
    tree.kill_and_wait(handle, ask=sleeper.kill)
    assert sleeper.wait() == -9
    os.close(handle)


def test_what_a_fork_server_has_made_so_far_dies_with_it() -> None:
    """Before it has said a word: bubblewrap's first process in its namespaces does not die with the one outside at first."""
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-I', '-S', '-c', 'input()']).pid, flush=True); input()"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code], **pipes) as outer:
        assert outer.stdout is not None
        inner = os.pidfd_open(int(outer.stdout.readline()))
        starting, guest = server(outer)
        starting.stop()
        guest.close()

        assert outer.returncode == -signal.SIGKILL
        assert select.select([inner], [], [], 0)[0]  # dead by now, not soon
        os.close(inner)


def test_what_cannot_be_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session must not go on beside it."""
    monkeypatch.setattr(execution.tree, "kill_marked", lambda *_, **__: False)
    midwife, guest = server()
    with pytest.raises(SandboxError, match="could not be killed"):
        supervised(server=midwife)._end_tree()
    guest.close()
    midwife.stop()


def test_a_cancellation_wakes_a_selector_until_it_is_cleared() -> None:
    """However often it was wished."""
    wish = Cancellation()
    with selectors.DefaultSelector() as selector:
        selector.register(wish, selectors.EVENT_READ)
        assert not selector.select(0)
        for _ in range(3_000):
            wish.set()
        assert wish.is_set()
        assert selector.select(0)
        wish.clear()
        assert not wish.is_set()
        assert not selector.select(0)
    wish.close()


def test_who_is_gone_need_not_be_killed() -> None:
    """It ended between a look and the signal."""
    ended = subprocess.Popen([sys.executable, "-I", "-S", "-c", ""])
    ended.wait()
    tree.kill_all([ended.pid, 1 << 30])


def test_a_disk_without_names_left_is_told_like_a_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty files take no bytes; once is enough."""
    monkeypatch.setattr(execution, "used", lambda _: 0)
    monkeypatch.setattr(execution, "is_out_of_names", lambda _: True)
    watched = supervised(seclusion=Seclusion.NAMESPACES, out=3, server=SimpleNamespace(writable=[]))
    watched._note_full_disk()
    watched._note_full_disk()

    (violation,) = watched.verdict.violations
    assert (violation.kind, violation.detail) == ("disk_limit", "more than 200,000 files and folders")
