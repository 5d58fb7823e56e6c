"""The supervisor's side of the filter of system calls: answers the calls that the policy refuses, and notes who tried what.

The kernel holds the calling thread until it is answered (seccomp_unotify(2)). A call that names an address is let through where the address
is within the sandbox; whether it could be reached is up to the namespaces, so that a lie told to this module costs a line in the
report and nothing else.
"""

import errno
import fcntl
import ipaddress
import os
import platform
import select
import socket
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.sandbox.policy import FAMILY_NUMBERS, IOCTL_NUMBERS, Policy, Severity, error_number
from open_autoglm.sandbox.report_pb2 import Violation
from open_autoglm.sandbox.streams import sanitise
from open_autoglm.sandbox.syscall_numbers import NUMBERS
from open_autoglm.sandbox.syscalls import ADDRESSED

KIND = "system_call"
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_REQUEST = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_GO_ON = 1
MOST_SUBJECTS = 64
"""Different attempts that a report names; the rest is counted."""
LONGEST_ADDRESS = 128
UNIX, INET, INET6 = 1, 2, 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried, and why it is refused."""

    subject: str
    why: str
    severity: Severity


@dataclass(slots=True)
class Watch:
    """Listens to one execution."""

    listener: int
    policy: Policy
    machine: str = field(default_factory=platform.machine)
    _seen: Counter[Attempt] = field(default_factory=Counter)
    _names: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        """Know the calls by their numbers."""
        self._names = {number: name for name, number in NUMBERS[self.machine].items()}

    def answer(self) -> bool:
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
        error = self._judge(pid, self._names.get(number, f"call {number}"), arguments)
        with suppress(OSError):  # killed while it waited
            fcntl.ioctl(self.listener, _SEND, _ANSWER.pack(identity, 0, -error, 0 if error else _GO_ON))
        return True

    def violations(self) -> list[Violation]:
        """Return what was tried, the most serious first."""
        ordered = sorted(self._seen.items(), key=lambda item: (item[0].severity is Severity.LOW, item[0].subject))
        return [
            Violation(kind=KIND, subject=tried.subject, detail=tried.why, severity=tried.severity.value, count=count)
            for tried, count in ordered
        ]

    def _judge(self, pid: int, name: str, arguments: list[int]) -> int:
        """Return the error number of the answer, 0 for letting it through."""
        if name in ADDRESSED:
            return self._judge_address(pid, name, arguments)
        rules = self.policy.system_calls
        for rule in rules.refused:
            if name in rule.calls:
                self._note(Attempt(name, rule.why, rule.severity))
                return error_number(rule.answer)
        if name in ("socket", "socketpair"):
            self._note(
                Attempt(f"{name} {_family(arguments[0])}", "a socket that leaves the sandbox's network", Severity.HIGH)
            )
            return errno.EAFNOSUPPORT
        if name == "ioctl":
            request = arguments[1] & 0xFFFFFFFF
            told = next((known for known, value in IOCTL_NUMBERS.items() if value == request), hex(request))
            self._note(Attempt(f"ioctl {told}", "typing into a terminal", Severity.HIGH))
        else:
            self._note(Attempt(name, "making or entering namespaces", Severity.HIGH))
        return errno.EPERM

    def _judge_address(self, pid: int, name: str, arguments: list[int]) -> int:
        pointer = ADDRESSED[name]
        address = _address(_memory(pid, arguments[pointer], min(arguments[pointer + 1], LONGEST_ADDRESS)))
        if address is None:
            return 0
        self._note(Attempt(f"{name} {address}", "reaching out of the sandbox", Severity.LOW))
        return errno.ENETUNREACH

    def _note(self, attempt: Attempt) -> None:
        if attempt in self._seen or len(self._seen) < MOST_SUBJECTS:
            self._seen[attempt] += 1
        else:
            self._seen[Attempt("others", "more attempts of other kinds", attempt.severity)] += 1


def _memory(pid: int, address: int, size: int) -> bytes:
    """Return what lies in the memory of a process; nothing where it cannot be read."""
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            return os.pread(memory.fileno(), size, address)
    except (OSError, OverflowError):
        return b""


def _address(content: bytes) -> str | None:
    """Return an address outside of the sandbox in words; None for one inside, or none at all."""
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


def _family(number: int) -> str:
    """Return the name of a family of sockets."""
    known = {value: name for name, value in FAMILY_NUMBERS.items()}
    if number in known:
        return known[number]
    try:
        return sanitise(socket.AddressFamily(number).name.removeprefix("AF_").lower())
    except ValueError:
        return str(number)
