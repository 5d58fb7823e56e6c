"""The filter of system calls, and the supervisor that answers them."""

import ctypes
import os
import resource
import select
import socket
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest

from open_autoglm.sandbox.policy import Severity, default_policy
from open_autoglm.sandbox.policy.syscall_numbers import NUMBERS
from open_autoglm.sandbox.policy.syscalls import filters, syscall_filter
from open_autoglm.sandbox.supervision import watch
from open_autoglm.sandbox.supervision.folders import temporary
from open_autoglm.sandbox.supervision.watch import Watch

POLICY = default_policy()


def inet(host: bytes, port: int = 80) -> bytes:
    return struct.pack("=H", 2) + struct.pack("!H", port) + host + bytes(8)


def watching() -> Watch:
    return Watch(-1, POLICY, machine="x86_64")


def test_a_filter_is_for_a_known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One instruction has eight bytes; another machine has no filter rather than a wrong one."""
    for machine in NUMBERS:
        for watched in (True, False):
            program = syscall_filter(POLICY, watched=watched, machine=machine)
            assert program
            assert len(program) % 8 == 0
            assert all(struct.unpack_from("=HBBI", program, at)[1] < 200 for at in range(0, len(program), 8))
    assert syscall_filter(POLICY, watched=True, machine="riscv64") is None
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert filters(POLICY) is None


def test_every_call_of_the_policy_has_a_number() -> None:
    """A name that no machine knows would be a rule that holds nowhere."""
    known = set().union(*NUMBERS.values())
    assert {name for rule in POLICY.system_calls.refused for name in rule.calls} <= known


def test_an_address_outside_is_told_and_one_inside_is_not() -> None:
    """Loopback, unix sockets, no address and half an address are nobody's business."""
    inside = [b"", b"\1", inet(b"\x7f\0\0\1"), inet(bytes(4)), struct.pack("=H", 1) + b"/tmp/x", inet(b"\1\1\1\1")[:6]]
    ipv6 = struct.pack("=H", 10) + struct.pack("!H", 53) + bytes(4) + bytes.fromhex("20010db8" + "0" * 23 + "1")
    assert [watch._address(content) for content in inside] == [None] * len(inside)
    assert watch._address(inet(b"\xa9\xfe\xa9\xfe")) == "169.254.169.254:80"
    assert watch._address(ipv6) == "[2001:db8::1]:53"


def test_memory_that_cannot_be_read_is_no_address() -> None:
    """The caller may be dead, or lie about where its address is."""
    assert watch._memory(os.getpid(), 0, 16) == b""
    assert watch._memory(os.getpid(), 1 << 64, 16) == b""
    assert watch._memory(1 << 30, 0, 16) == b""


def judged(told: Watch, pid: int, name: str, arguments: list[int]) -> int | None:
    """Have a call looked at and noted; return the error number of the answer, None where it goes on."""
    attempt = told._look(pid, name, arguments)
    if attempt is not None:
        told._note(attempt)
    return told._error(pid, name, arguments, attempt)


def test_each_rule_has_its_answer() -> None:
    """The error number that the code sees, and what the report says."""
    told = watching()
    answers = [
        judged(told, 1, "ptrace", [0] * 6),
        judged(told, 1, "bpf", [0] * 6),
        judged(told, 1, "socket", [40, 1, 0, 0, 0, 0]),
        judged(told, 1, "socketpair", [2, 1, 0, 0, 0, 0]),
        judged(told, 1, "socket", [4000, 1, 0, 0, 0, 0]),
        judged(told, 1, "socket", [16, 3, 9, 0, 0, 0]),
        judged(told, 1, "ioctl", [0, 0x5412, 0, 0, 0, 0]),
        judged(told, 1, "ioctl", [0, 0x9999, 0, 0, 0, 0]),
        judged(told, 1, "clone", [0x10000000, 0, 0, 0, 0, 0]),
        judged(told, 1, "socket", [2, 3, 0, 0, 0, 0]),
        judged(told, 1, "mknod", [0, 0x2000, 0, 0, 0, 0]),
        judged(told, 1, "kill", [(1 << 64) - 1, 9, 0, 0, 0, 0]),
        judged(told, 1, "kill", [1, 9, 0, 0, 0, 0]),
        judged(told, 1, "sched_setscheduler", [0, 1, 0, 0, 0, 0]),
        judged(told, 1 << 30, "connect", [3, 0, 16, 0, 0, 0]),
    ]

    assert answers == [1, 38, 97, 97, 97, 97, 1, 1, 1, 1, 1, None, None, None, None]
    subjects = [violation.subject for violation in told.violations()]
    assert subjects == [
        "bpf", "clone", "ioctl 0x9999", "ioctl TIOCSTI", "mknod", "ptrace", "socket 4000", "socket inet raw", "socket netlink 9", "socket vsock",
        "socketpair inet", "kill everybody", "kill the first process", "sched_setscheduler",
    ]  # fmt: skip


def looked(name: str, *arguments: int) -> list[str]:
    """Return what is told of a call of this process; `name`'s pointers lead into its own memory."""
    told = watching()
    judged(told, os.getpid(), name, [*arguments, *[0] * (6 - len(arguments))])
    return [violation.subject for violation in told.violations()]


def test_paths_are_told_where_nothing_can_be_written() -> None:
    """Absolute ones, whatever way they are spelled; the sandbox's own folders and relative ones are nobody's business."""
    told = {}
    for path in (b"/etc/passwd", b"/tmp/../usr/x", b"/tmp/x", b"/dev/null", b"relative", b"/tmpfoo", b"/a\x1b[2J"):
        buffer = ctypes.create_string_buffer(path, 300)
        told[path] = looked("openat", 0, ctypes.addressof(buffer), 1)
    removed = ctypes.create_string_buffer(b"/usr/lib/x", 300)

    assert told[b"/etc/passwd"] == ["open /etc/passwd"]
    assert told[b"/tmp/../usr/x"] == ["open /tmp/../usr/x"]
    assert told[b"/tmpfoo"] == ["open /tmpfoo"]
    assert told[b"/tmp/x"] == told[b"/dev/null"] == told[b"relative"] == []
    assert "\x1b" not in told[b"/a\x1b[2J"][0]
    assert looked("unlinkat", 0, ctypes.addressof(removed)) == ["unlink /usr/lib/x"]


def test_only_raised_limits_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that lowers its own, or sets what it has, is innocent; so is one that cannot be looked at."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    same, more = (ctypes.create_string_buffer(struct.pack("=QQ", 1, limit)) for limit in (hard, hard + 1))
    assert looked("prlimit64", 0, resource.RLIMIT_NOFILE, ctypes.addressof(same)) == []
    assert looked("prlimit64", 0, resource.RLIMIT_NOFILE, ctypes.addressof(more)) == ["setrlimit"]
    assert looked("prlimit64", 0, resource.RLIMIT_NOFILE, 0) == []
    assert looked("prlimit64", 0, 4000, ctypes.addressof(more)) == []
    assert watch._hard_limit(os.getpid(), resource.RLIMIT_CPU) in {
        resource.getrlimit(resource.RLIMIT_CPU)[1],
        watch.UNLIMITED,
    }


def test_a_unix_socket_is_told_where_nobody_in_the_sandbox_listens() -> None:
    """By path and by abstract name; the C library's own question is not."""
    with (
        temporary("test", parent=Path("/tmp")) as folder,  # the path of a socket must be short
        socket.socket(socket.AF_UNIX) as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        server.bind(str(folder / "s"))
        abstract.bind(f"\0autoglm-test-{os.getpid()}")
        inside = [str(folder / "s").encode(), f"\0autoglm-test-{os.getpid()}".encode(), b"/var/run/nscd/socket"]
        outside = [b"/var/run/nobody.sock", b"\0somebody-else"]
        told = []
        for name in (*inside, *outside):
            content = struct.pack("=H", 1) + name
            buffer = ctypes.create_string_buffer(content, len(content))
            told += looked("connect", 3, ctypes.addressof(buffer), len(content))

    assert told == ["connect unix:/var/run/nobody.sock", "connect unix:@somebody-else"]
    assert watch._unix_address(watching(), 1 << 30, struct.pack("=H", 1) + b"/x") is None


def test_a_report_names_so_many_attempts_and_counts_the_rest() -> None:
    """Code that tries every address there is fills no journal, and hides nothing else by it."""
    told = watching()
    for number in range(200):
        told._note(watch.NotedCall(f"connect 10.0.0.{number}:80", "reaching out", Severity.LOW))
    told._note(watch.NotedCall("ptrace", "reading", Severity.HIGH))
    found = told.violations()

    assert len(found) == watch.MOST_ALIKE + 2
    assert [violation.subject for violation in found[:1]] == ["ptrace"]
    assert {"connect others"} < {violation.subject for violation in found}
    assert sum(violation.count for violation in found) == 201


def test_whoever_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The end of all filtered processes ends the listening; one that was killed while it waited does not."""
    reader, writer = os.pipe()
    os.write(writer, b"x")
    assert Watch(reader, POLICY, machine="x86_64").go_on()  # readable, but no listener: as after a kill
    os.read(reader, 1)
    assert Watch(reader, POLICY, machine="x86_64").go_on()  # nothing waits
    os.close(writer)
    assert not Watch(reader, POLICY, machine="x86_64").go_on()
    os.close(reader)
    assert select.POLLHUP


def test_without_namespaces_more_is_refused() -> None:
    """Sockets, calls about others, and what changes files of others; what is done to one's own is only told to be."""
    alone = Watch(-1, POLICY, machine="x86_64", namespaces=False, writable=("/mine",))
    here, missing, mine = (ctypes.create_string_buffer(path, 300) for path in (b"/etc", b"/no/such/file", b"/mine/x"))
    pointers = [ctypes.addressof(path) for path in (here, missing, mine)]
    answers = [
        judged(alone, 1, "socket", [2, 1, 0, 0, 0, 0]),
        judged(alone, 1, "setpriority", [0, 7, 0, 0, 0, 0]),
        judged(alone, 1, "prlimit64", [7, 0, 1, 0, 0, 0]),
        judged(alone, 1, "memfd_create", [0] * 6),
        judged(alone, os.getpid(), "chmod", [pointers[0], 0, 0, 0, 0, 0]),
        judged(alone, os.getpid(), "chmod", [pointers[2], 0, 0, 0, 0, 0]),
        judged(alone, os.getpid(), "fchmod", [5, 0, 0, 0, 0, 0]),
        judged(alone, os.getpid(), "utimensat", [5, 0, 0, 0, 0, 0]),
        judged(alone, os.getpid(), "utimensat", [0xFFFFFF9C, pointers[2], 0, 0, 0, 0]),
        watch._is_there(os.getpid(), "utime", [pointers[0]]),
        watch._is_there(os.getpid(), "utime", [pointers[1]]),
    ]

    assert answers == [97, 1, 1, 38, 1, 0, 0, 0, 2, True, False]
    assert {violation.subject for violation in alone.violations()} == {
        "socket inet", "setpriority", "prlimit64", "memfd_create", "chmod /etc",
    }  # fmt: skip


def test_what_was_read_of_a_caller_that_died_meanwhile_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be another process's by then. What a call's own arguments say is told all the same."""
    told, alive = watching(), False

    def waiting(*_: object) -> list[tuple[int, int]]:
        return [(0, select.POLLIN)]

    def control(_: int, request: int, content: bytes) -> int:
        if request == watch._RECEIVE:
            assert isinstance(content, bytearray)
            content[:] = watch._REQUEST.pack(7, os.getpid(), 0, number, 0, 0, *arguments)
        elif not alive:
            raise FileNotFoundError
        return 0

    monkeypatch.setattr(watch.select, "poll", lambda: SimpleNamespace(register=waiting, poll=waiting))
    monkeypatch.setattr(watch.fcntl, "ioctl", control)
    path = ctypes.create_string_buffer(b"/etc/secret-of-another", 300)
    number, arguments = NUMBERS["x86_64"]["openat"], [0, ctypes.addressof(path), 1, 0, 0, 0]
    assert told.go_on()
    assert told.violations() == []
    number, arguments = NUMBERS["x86_64"]["ptrace"], [0] * 6
    assert told.go_on()
    number, arguments, alive = NUMBERS["x86_64"]["openat"], [0, ctypes.addressof(path), 1, 0, 0, 0], True
    assert told.go_on()
    assert [violation.subject for violation in told.violations()] == ["ptrace", "open /etc/secret-of-another"]
