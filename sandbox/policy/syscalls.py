"""The policy's rules on system calls, as the program that seccomp(2) runs for each call of an execution.

Namespaces leave ways out that no namespace covers: sockets of the family VSOCK reach a virtual machine's host, io_uring makes sockets
without the call `socket`, keys and BPF programs are where a kernel's holes are. What the policy refuses fails; and where the
kernel can ask (`watched`), the supervisor is asked first, so that every attempt is in the report (see `watch`).
"""

import base64
import errno
import platform
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from open_autoglm.sandbox.policy import FAMILY_NUMBERS, IOCTL_NUMBERS, Policy, Refusal, SystemCalls, error_number
from open_autoglm.sandbox.policy.syscall_numbers import NUMBERS

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _FAIL, _ASK = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FC00000
NAMESPACES = 0x7E020000
"""Flags of clone(2) that make namespaces: mount, cgroup, UTS, IPC, user, PID, network."""
ADDRESSED = {"connect": 1, "sendto": 4}
"""Calls that name whom to reach, and the argument that points to the address."""
NODES = {"mknod": 1, "mknodat": 2}
"""Calls that make nodes, and the argument with their kind."""
OPENED = {"open": 1, "openat": 2}
"""Calls that open files, and the argument that says for what."""
PATHS = {
    "open": 0, "openat": 1, "creat": 0, "unlink": 0, "unlinkat": 1, "chmod": 0, "fchmodat": 1, "fchmodat2": 1, "chown": 0, "lchown": 0,
    "fchownat": 1, "utime": 0, "utimes": 0, "futimesat": 1, "utimensat": 1, "setxattr": 0, "lsetxattr": 0, "removexattr": 0, "lremovexattr": 0,
}  # fmt: skip
"""Calls whose paths are reported, and the argument that points to the path."""
BY_DESCRIPTOR = ("fchmod", "fchown", "fsetxattr", "fremovexattr")
"""The same for files that are open: what they are was decided when they were opened."""
ON_OTHERS = {
    "prlimit64": (0,), "sched_setaffinity": (0,), "sched_setattr": (0,), "sched_setparam": (0,), "sched_setscheduler": (0,),
    "setpriority": (0, 1),
}  # fmt: skip
"""Calls that may be about another process, and the arguments that are 0 where they are about the caller itself."""
_TERMINAL_REQUESTS, _KIND_OF_REQUEST = 0x5400, 0xFFFFFF00
_LEASE, _TELL_OF_CHANGES = 1024, 1026
_UNIX, _PAIRED = 1, (1, 5)
"""Streams and their like in records: a pair of them is closed; a pair for datagrams can send to any name."""
_KIND_OF_NODE, _DEVICES = 0xF000, (0x2000, 0x6000)
_FOR_WRITING = 0o103
"""Bits of the flags of open(2): to write only, to read and write, to make it."""
_KIND_OF_SOCKET, _RAW, _NETLINK = 0xF, 3, 16
_ROUTES = 0
"""The one protocol of netlink that libraries ask, for interfaces; behind the others lie parts of the kernel that no solution needs."""
_EVERYBODY, _FIRST = 0xFFFFFFFF, 1
_SCHEDULER, _REAL_TIME = 0xFF, (1, 2, 6)
"""First in, first out; round robin; deadline. ZeroMQ asks for the ordinary one and gives up where that is refused."""


def syscall_filter(
    policy: Policy, *, watched: bool, machine: str = platform.machine(), namespaces: bool = True
) -> bytes | None:
    """Return the program, or None for a machine whose numbers are not known here.

    Args:
        policy: What is refused.
        watched: Whether refused calls are put to the supervisor, which answers and reports them; otherwise they fail at once.
        machine: Name of the processor, as `platform.machine` gives it.
        namespaces: Whether an execution has its own; otherwise more is refused.
    """
    if machine not in _MACHINES:
        return None
    plan = _Plan(policy.system_calls, NUMBERS[machine], watched=watched, namespaces=namespaces)
    return b"".join(plan.program(_MACHINES[machine]))


def filters(policy: Policy, *, namespaces: bool = True) -> dict[str, str | int] | None:
    """Return what an execution needs to put itself under the filter, as plain JSON; None for a machine that is not known here."""
    machine = platform.machine()
    watched, plain = (
        syscall_filter(policy, watched=asked, machine=machine, namespaces=namespaces) for asked in (True, False)
    )
    if watched is None or plain is None:
        return None
    programs = {"watched": base64.b64encode(watched).decode(), "plain": base64.b64encode(plain).decode()}
    return {**programs, "seccomp": NUMBERS[machine]["seccomp"]}


def refusals(rules: SystemCalls, *, namespaces: bool) -> tuple[Refusal, ...]:
    """Return what the policy refuses by name to an execution with namespaces of its own, or without."""
    return rules.refused if namespaces else (*rules.refused, *rules.refused_without_namespaces)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Yields instructions: code, what to skip where it holds, what to skip where not, operand."""

    rules: SystemCalls
    numbers: Mapping[str, int]
    watched: bool = field(kw_only=True)
    namespaces: bool = field(kw_only=True)

    def program(self, machine: int) -> Iterator[bytes]:
        """Yield all of it."""
        numbers = self.numbers
        yield _step(_LOAD, _MACHINE)
        yield _step(_EQUAL, machine, then=1)
        yield _step(_RETURN, _KILL)  # another machine's calls have other numbers
        yield _step(_LOAD, _NUMBER)
        yield _step(_AT_LEAST, _X32, otherwise=1)
        yield _error(errno.ENOSYS)
        yield from _when(numbers["clone3"], [_error(errno.ENOSYS)])
        for rule in refusals(self.rules, namespaces=self.namespaces):
            for name in rule.calls:
                if name in numbers:
                    yield from _when(numbers[name], [self._fail(error_number(rule.answer))])
        made = [_argument(0), _step(_ANY_BIT, NAMESPACES, otherwise=1), self._fail(errno.EPERM), _ALLOWED]
        yield from _when(numbers["clone"], made)
        for name, kind in NODES.items():
            if name in numbers:
                devices = _one_of(_DEVICES, self._fail(errno.EPERM))
                yield from _when(numbers[name], [_argument(kind), _masked(_KIND_OF_NODE), *devices, _ALLOWED])
        yield from self._sockets() if self.namespaces else self._pairs()
        yield from self._requests()
        yield from self._looked_at()
        yield _ALLOWED

    def _fail(self, number: int) -> bytes:
        return _step(_RETURN, _ASK if self.watched else _FAIL | number)

    def _sockets(self) -> Iterator[bytes]:
        families = [FAMILY_NUMBERS[name] for name in self.rules.socket_families]
        raw = [_argument(0), *_one_of([_NETLINK], _ALLOWED), self._fail(errno.EPERM)]
        any_kind = [_argument(0), *_one_of(families, _ALLOWED), self._fail(errno.EAFNOSUPPORT)]
        of_netlink = [_argument(0), _step(_EQUAL, _NETLINK, otherwise=3), _argument(2), _step(_EQUAL, _ROUTES, then=1)]
        of_netlink.append(self._fail(errno.EAFNOSUPPORT))
        for name in ("socket", "socketpair"):
            is_raw = [_argument(1), _masked(_KIND_OF_SOCKET), _step(_EQUAL, _RAW, otherwise=len(raw))]
            yield from _when(self.numbers[name], [*of_netlink, *is_raw, *raw, *any_kind])

    def _pairs(self) -> Iterator[bytes]:
        """Yield what lets nobody have a socket but closed pairs."""
        fail = self._fail(errno.EAFNOSUPPORT)
        kinds = [_argument(1), _masked(_KIND_OF_SOCKET), *_one_of(_PAIRED, _ALLOWED), fail]
        yield from _when(self.numbers["socket"], [fail])
        yield from _when(self.numbers["socketpair"], [_argument(0), _step(_EQUAL, _UNIX, then=1), fail, *kinds])

    def _requests(self) -> Iterator[bytes]:
        """Yield what refuses requests of ioctl, and of fcntl those that hold up or watch who else uses a file."""
        requests = [IOCTL_NUMBERS[name] for name in self.rules.refused_ioctls]
        only_terminals = [
            _argument(1),
            _masked(_KIND_OF_REQUEST),
            _step(_EQUAL, _TERMINAL_REQUESTS, then=1),
            _error(errno.ENOTTY),
        ]
        block = [_argument(1), *_one_of(requests, self._fail(errno.EPERM)), _ALLOWED]
        yield from _when(self.numbers["ioctl"], block if self.namespaces else [*only_terminals, *block])
        if not self.namespaces:
            held = _one_of((_LEASE, _TELL_OF_CHANGES), _error(errno.EPERM))
            yield from _when(self.numbers["fcntl"], [_argument(1), *held, _ALLOWED])

    def _looked_at(self) -> Iterator[bytes]:
        """Yield what depends on arguments: calls that may be about others, and what is asked for the report alone."""
        blocks = dict(_reported(self.rules)) if self.watched else {}
        if not self.namespaces:
            for name, arguments in ON_OTHERS.items():
                fail = [self._fail(errno.EPERM)]
                own = [step for index in arguments for step in (_argument(index), _step(_EQUAL, 0, then=1), *fail)]
                blocks[name] = [*own, *blocks.get(name, [_ALLOWED])]
        for name, block in blocks.items():
            if name in self.numbers:
                yield from _when(self.numbers[name], block)


def _reported(rules: SystemCalls) -> Iterator[tuple[str, list[bytes]]]:
    """Yield calls and what asks about them although they are let through: they are for the report alone."""
    ask = _step(_RETURN, _ASK)
    if "addresses" in rules.reported:
        yield from ((name, [*_unless_null(pointer, ask), _ALLOWED]) for name, pointer in ADDRESSED.items())
    if "writes" in rules.reported:
        for name, flags in OPENED.items():
            yield name, [_argument(flags), _step(_ANY_BIT, _FOR_WRITING, otherwise=1), ask, _ALLOWED]
        yield from ((name, [ask]) for name in ("creat", "unlink", "unlinkat"))
    if "signals" in rules.reported:
        yield "kill", [_argument(0), *_one_of((_EVERYBODY, _FIRST), ask), _ALLOWED]
    if "limits" in rules.reported:
        yield "prlimit64", [*_unless_null(2, ask), _ALLOWED]
        yield "sched_setscheduler", [_argument(1), _masked(_SCHEDULER), *_one_of(_REAL_TIME, ask), _ALLOWED]


def _when(number: int, block: list[bytes]) -> Iterator[bytes]:
    """Yield a block that is entered for one call only; it ends with a return."""
    yield _step(_EQUAL, number, otherwise=len(block))
    yield from block


def _masked(bits: int) -> bytes:
    """Return the instruction that keeps these bits of what was loaded."""
    return _step(_AND, bits)


def _one_of(values: Sequence[int], then: bytes) -> Iterator[bytes]:
    for value in values:
        yield _step(_EQUAL, value, otherwise=1)
        yield then


def _unless_null(pointer: int, then: bytes) -> Iterator[bytes]:
    """Yield what is done where a 64-bit argument is not zero: both its halves are looked at."""
    for half in (0, 4):
        yield _argument(pointer, half)
        yield _step(_EQUAL, 0, then=1)
        yield then


def _argument(index: int, half: int = 0) -> bytes:
    """Return the instruction that loads half an argument, the low one first: both machines are little-endian."""
    return _step(_LOAD, _ARGUMENTS + 8 * index + half)


def _step(code: int, operand: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, operand)


def _error(number: int) -> bytes:
    """Return the instruction that has the call fail with nobody asked."""
    return _step(_RETURN, _FAIL | number)


_ALLOWED = _step(_RETURN, _ALLOW)
