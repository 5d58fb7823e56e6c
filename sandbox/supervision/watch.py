"""The supervisor's side of the filter of system calls: answers the calls that the policy refuses, and notes who tried what.

The kernel holds the calling thread until it is answered (seccomp_unotify(2)). Some calls are looked at for the report alone: whom an
address names, which path is written. What they can reach is up to the namespaces and mounts, so that a lie told to this module costs a line in
the report and nothing else.
"""

import errno
import fcntl
import ipaddress
import os
import platform
import posixpath
import select
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.sandbox.policy import FAMILY_NUMBERS, IOCTL_NUMBERS, Policy, Refusal, Severity, error_number
from open_autoglm.sandbox.policy.syscall_numbers import NUMBERS
from open_autoglm.sandbox.policy.syscalls import ADDRESSED, BY_DESCRIPTOR, NODES, ON_OTHERS, OPENED, PATHS, refusals
from open_autoglm.sandbox.report_pb2 import Violation
from open_autoglm.sandbox.supervision.streams import sanitise

KIND = "system_call"
_RECEIVE, _SEND, _STILL_WAITS = 0xC0502100, 0xC0182101, 0x40082102
_REQUEST = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_GO_ON = 1
MOST_ALIKE = 16
"""Different attempts by one system call that a report names; the rest is counted. Noise of one kind hides no other."""
LISTING_BYTES = 64 << 10
"""So much of the list of Unix sockets is looked through: code can make it as long as it likes."""
LONGEST_ADDRESS = 128
UNIX, INET, INET6 = 1, 2, 10
LONGEST_PATH = 256
LONGEST_NAME = 4096
WRITABLE = ("/tmp", "/dev", "/autoglm/work", "/autoglm/out", "/proc/self/fd")  # noqa: S108 - places inside, where writing is nobody's business
NAME_SERVICE = (b"/var/run/nscd/socket",)
"""Asked by the C library whenever a user's name is looked up."""
UNLIMITED = (1 << 64) - 1
_HERE = 0xFFFFFFFF - 99
"""What stands for the work folder in place of a descriptor."""
_NUMBER = 0xFFFFFFFF
"""Bits that count of an argument that is a process, a group or a user."""


@dataclass(frozen=True, slots=True)
class NotedCall:
    """A system call that is told of: what it was about, and why it is refused or worth a line."""

    subject: str
    why: str
    severity: Severity
    error: int | None = None
    """What the code gets for an answer, 0 for a success that is none; None where the call goes on."""


@dataclass(slots=True)
class Watch:
    """Listens to one execution."""

    listener: int
    policy: Policy
    machine: str = field(default_factory=platform.machine)
    namespaces: bool = True
    """Whether the execution has its own."""
    writable: tuple[str, ...] = WRITABLE
    """Places where writing is nobody's business."""
    _seen: Counter[NotedCall] = field(default_factory=Counter)
    _alike: Counter[str] = field(default_factory=Counter)
    _names: dict[int, str] = field(init=False)
    _rules: dict[str, Refusal] = field(init=False)

    def __post_init__(self) -> None:
        """Know the calls by their numbers, and the rules by their calls."""
        self._names = {number: name for name, number in NUMBERS[self.machine].items()}
        rules = refusals(self.policy.system_calls, namespaces=self.namespaces)
        self._rules = {name: rule for rule in rules for name in rule.calls}

    def go_on(self) -> bool:
        """Answer the call that waits, if it still does; return whether there is anybody left to listen to."""
        poller = select.poll()
        poller.register(self.listener, select.POLLIN)
        events = sum(event for _, event in poller.poll(0))
        if not events & select.POLLIN:
            return not events
        request = bytearray(_REQUEST.size)
        try:
            fcntl.ioctl(self.listener, _RECEIVE, request)
        except OSError:  # the caller was killed in the meantime
            return True
        identity, pid, _, number, _, _, *arguments = _REQUEST.unpack(request)
        name = self._names.get(number, f"call {number}")
        attempt = self._look(pid, name, arguments)
        if name in _LOOKS and not self._still_waits(identity):
            return True  # killed meanwhile: what was read may be of another process that got its number
        error = self._error(pid, name, arguments, attempt)
        if attempt is not None:
            self._note(attempt)
        with suppress(OSError):  # killed while it waited
            fcntl.ioctl(self.listener, _SEND, _ANSWER.pack(identity, 0, -(error or 0), _GO_ON if error is None else 0))
        return True

    def _still_waits(self, identity: int) -> bool:
        try:
            fcntl.ioctl(self.listener, _STILL_WAITS, struct.pack("=Q", identity))
        except OSError:
            return False
        return True

    def violations(self) -> list[Violation]:
        """Return what was tried, the most serious first."""
        ordered = sorted(self._seen.items(), key=lambda item: (item[0].severity is Severity.LOW, item[0].subject))
        return [
            Violation(kind=KIND, subject=tried.subject, detail=tried.why, severity=tried.severity.value, count=count)
            for tried, count in ordered
        ]

    def _look(self, pid: int, name: str, arguments: list[int]) -> NotedCall | None:
        """Return what a call is about, None where there is nothing to tell."""
        rule, look = self._rules.get(name), _LOOKS.get(name)
        if not self.namespaces and any(arguments[index] & _NUMBER for index in ON_OTHERS.get(name, ())):
            return NotedCall(name, "changing another process", Severity.LOW, errno.EPERM)
        if look is not None:
            return look(self, pid, name, arguments)
        if rule is not None:
            return NotedCall(name, rule.why, rule.severity, error_number(rule.answer))
        return _refused_by_arguments(name, arguments, namespaces=self.namespaces)

    def _error(self, pid: int, name: str, arguments: list[int], attempt: NotedCall | None) -> int | None:
        """Return the error number of the answer, 0 for a success that is none, None for letting the call through."""
        rule = self._rules.get(name)
        if rule is None or (attempt is not None and rule.answer.startswith("DONE")):
            return None if attempt is None else attempt.error
        if rule.answer == "DONE_IF_THERE":
            return 0 if _is_there(pid, name, arguments) else errno.ENOENT
        return error_number(rule.answer)  # what was looked at for its subject is refused all the same

    def is_writable(self, path: str) -> bool:
        """Whether a path is relative, as seen from the work folder, or lies in a folder where writing is nobody's business."""
        place = posixpath.normpath(path)
        inside = any(place == folder or place.startswith(f"{folder}/") for folder in self.writable)
        return inside or not place.startswith("/")

    def _note(self, attempt: NotedCall) -> None:
        verb = attempt.subject.partition(" ")[0]
        if attempt not in self._seen:
            self._alike[verb] += 1
            if self._alike[verb] > MOST_ALIKE:
                attempt = NotedCall(f"{verb} others", "more attempts of this kind", attempt.severity)
        self._seen[attempt] += 1


def _refused_by_arguments(name: str, arguments: Sequence[int], *, namespaces: bool) -> NotedCall:
    """Return what a call that the filter refuses by its arguments was about."""
    if name in ("socket", "socketpair"):
        family = _family(arguments[0])
        if arguments[1] & 0xF == socket.SOCK_RAW and arguments[0] in (INET, INET6):
            return NotedCall(f"{name} {family} raw", "packets made by hand", Severity.HIGH, errno.EPERM)
        if family == "netlink" and arguments[2]:
            told = f"{name} netlink {arguments[2]}"
            return NotedCall(told, "asking parts of the kernel", Severity.HIGH, errno.EAFNOSUPPORT)
        why = "a socket that leaves the sandbox's network"
        if family in FAMILY_NUMBERS and not namespaces:
            why = "a socket, where no namespace keeps it in"
            return NotedCall(f"{name} {family}", why, Severity.LOW, errno.EAFNOSUPPORT)
        return NotedCall(f"{name} {family}", why, Severity.HIGH, errno.EAFNOSUPPORT)
    if name == "ioctl":
        request = arguments[1] & 0xFFFFFFFF
        told = next((known for known, value in IOCTL_NUMBERS.items() if value == request), hex(request))
        return NotedCall(f"ioctl {told}", "typing into a terminal", Severity.HIGH, errno.EPERM)
    why = "making a device" if name in NODES else "making or entering namespaces"
    return NotedCall(name, why, Severity.HIGH, errno.EPERM)


# --- calls that are let through ----------------------------------------------------------------------------------


def _look_at_address(watch: Watch, pid: int, name: str, arguments: Sequence[int]) -> NotedCall | None:
    pointer = ADDRESSED[name]
    content = _memory(pid, arguments[pointer], min(arguments[pointer + 1], LONGEST_ADDRESS))
    why = "reaching out of the sandbox"
    if (address := _address(content)) is not None:
        return NotedCall(f"{name} {address}", why, Severity.LOW, errno.ENETUNREACH)
    if (address := _unix_address(watch, pid, content)) is not None:
        return NotedCall(f"{name} {address}", why, Severity.LOW)
    return None


def _look_at_path(watch: Watch, pid: int, name: str, arguments: Sequence[int]) -> NotedCall | None:
    content = _memory(pid, arguments[PATHS[name]], LONGEST_PATH)
    path = sanitise(content.partition(b"\0")[0].decode("utf-8", "backslashreplace"))
    if watch.is_writable(path):
        return None
    verb = "open" if name in (*OPENED, "creat") else name.replace("unlinkat", "unlink")
    refused = errno.EPERM if not watch.namespaces and verb not in ("open", "unlink") else None
    return NotedCall(f"{verb} {path}", "changing what can only be read", Severity.LOW, refused)


def _is_there(pid: int, name: str, arguments: Sequence[int]) -> bool:
    """Whether the file that a call names is there; one that is open already is."""
    pointer = PATHS[name]
    if not arguments[pointer]:
        return True
    path = _memory(pid, arguments[pointer], LONGEST_NAME).partition(b"\0")[0]
    folder = arguments[0] & _NUMBER if pointer else _HERE
    start = f"/proc/{pid}/cwd" if folder == _HERE else f"/proc/{pid}/fd/{folder}"
    return os.path.lexists(os.path.join(start.encode(), path))  # noqa: PTH118 - bytes, which need not be text


def _look_at_signal(_: Watch, __: int, name: str, arguments: Sequence[int]) -> NotedCall:
    target = "everybody" if arguments[0] & 0xFFFFFFFF == 0xFFFFFFFF else "the first process"
    return NotedCall(f"{name} {target}", "ending processes that are not its own", Severity.LOW)


def _look_at_limit(_: Watch, pid: int, __: str, arguments: Sequence[int]) -> NotedCall | None:
    content = _memory(pid, arguments[2], 16)
    if len(content) < 16:
        return None
    wanted, allowed = struct.unpack("=QQ", content)[1], _hard_limit(pid, arguments[1])
    return NotedCall("setrlimit", "raising its own limits", Severity.LOW) if wanted > allowed else None


_LOOKS: Mapping[str, Callable[[Watch, int, str, Sequence[int]], NotedCall | None]] = {
    **dict.fromkeys(ADDRESSED, _look_at_address),
    **dict.fromkeys(PATHS, _look_at_path),
    "kill": _look_at_signal,
    "prlimit64": _look_at_limit,
    **dict.fromkeys(BY_DESCRIPTOR, lambda *_: None),
    "sched_setscheduler": lambda _, __, name, ___: NotedCall(name, "asking for processors in real time", Severity.LOW),
}


def _hard_limit(pid: int, resource: int) -> int:
    """Return the hard limit of a process: the lines of /proc/PID/limits are in the order of their numbers."""
    try:
        line = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()[1 + resource]
    except (OSError, IndexError):
        return UNLIMITED
    number = line[47:68].strip()
    return int(number) if number.isdigit() else UNLIMITED


def _memory(pid: int, address: int, size: int) -> bytes:
    """Return what lies in the memory of a process; nothing where it cannot be read, less at the end of what it has."""
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            return os.pread(memory.fileno(), size, address)
    except (OSError, OverflowError):
        return b""


def _address(content: bytes) -> str | None:
    """Return an address outside of the sandbox's network in words; None for one inside, or of another kind."""
    if len(content) < 2:
        return None
    family = struct.unpack_from("=H", content)[0]
    if family == INET and len(content) >= 8:
        host: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.IPv4Address(content[4:8])
    elif family == INET6 and len(content) >= 24:
        host = ipaddress.IPv6Address(content[8:24])
    else:
        return None
    if host.is_loopback or host.is_unspecified:
        return None
    port = struct.unpack_from("!H", content, 2)[0]
    return f"{host}:{port}" if host.version == 4 else f"[{host}]:{port}"


def _unix_address(watch: Watch, pid: int, content: bytes) -> str | None:
    """Return the name of a Unix socket that nobody in the sandbox listens at; None for others, or another kind."""
    if len(content) < 3 or struct.unpack_from("=H", content)[0] != UNIX:
        return None
    abstract = content[2] == 0
    name = (b"@" + content[3:].rstrip(b"\0")) if abstract else content[2:].partition(b"\0")[0]
    try:
        with Path(f"/proc/{pid}/net/unix").open("rb") as file:
            listed = file.read(LISTING_BYTES)
    except OSError:
        return None
    own = not abstract and watch.is_writable(name.decode("utf-8", "backslashreplace"))  # its listener may come later
    if own or name in NAME_SERVICE or any(line.endswith(b" " + name) for line in listed.splitlines()):
        return None
    return f"unix:{sanitise(name.decode('utf-8', 'backslashreplace'))}"


def _family(number: int) -> str:
    """Return the name of a family of sockets."""
    known = {value: name for name, value in FAMILY_NUMBERS.items()}
    if number in known:
        return known[number]
    try:
        return sanitise(socket.AddressFamily(number).name.removeprefix("AF_").lower())
    except ValueError:
        return str(number)
