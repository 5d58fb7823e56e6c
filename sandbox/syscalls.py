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

from open_autoglm.sandbox.policy import FAMILY_NUMBERS, IOCTL_NUMBERS, Policy, SystemCalls, error_number
from open_autoglm.sandbox.syscall_numbers import NUMBERS

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
PATHS = {"open": 0, "openat": 1, "creat": 0, "unlink": 0, "unlinkat": 1}
"""Calls whose paths are reported, and the argument that points to the path."""
_KIND_OF_NODE, _DEVICES = 0xF000, (0x2000, 0x6000)
_FOR_WRITING = 0o103
"""Bits of the flags of open(2): to write only, to read and write, to make it."""
_KIND_OF_SOCKET, _RAW, _NETLINK = 0xF, 3, 16
_EVERYBODY, _FIRST = 0xFFFFFFFF, 1
_SCHEDULER, _REAL_TIME = 0xFF, (1, 2, 6)
"""First in, first out; round robin; deadline. ZeroMQ asks for the ordinary one and gives up where that is refused."""


def syscall_filter(policy: Policy, *, watched: bool, machine: str = platform.machine()) -> bytes | None:
    """Return the program, or None for a machine whose numbers are not known here.

    Args:
        policy: What is refused.
        watched: Whether refused calls are put to the supervisor, which answers and reports them; otherwise they fail at once.
        machine: Name of the processor, as `platform.machine` gives it.
    """
    if machine not in _MACHINES:
        return None
    return b"".join(_program(policy.system_calls, NUMBERS[machine], _MACHINES[machine], watched=watched))


def filters(policy: Policy) -> dict[str, str | int] | None:
    """Return what an execution needs to put itself under the filter, as plain JSON; None for a machine that is not known here."""
    machine = platform.machine()
    watched, plain = (syscall_filter(policy, watched=asked, machine=machine) for asked in (True, False))
    if watched is None or plain is None:
        return None
    programs = {"watched": base64.b64encode(watched).decode(), "plain": base64.b64encode(plain).decode()}
    return {**programs, "seccomp": NUMBERS[machine]["seccomp"]}


def _program(rules: SystemCalls, numbers: Mapping[str, int], machine: int, *, watched: bool) -> Iterator[bytes]:
    """Yield the instructions: code, what to skip where it holds, what to skip where not, operand."""

    def fail(number: int) -> bytes:
        return _step(_RETURN, _ASK if watched else _FAIL | number)

    allowed, missing = _step(_RETURN, _ALLOW), _step(_RETURN, _FAIL | errno.ENOSYS)
    yield _step(_LOAD, _MACHINE)
    yield _step(_EQUAL, machine, then=1)
    yield _step(_RETURN, _KILL)  # another machine's calls have other numbers
    yield _step(_LOAD, _NUMBER)
    yield _step(_AT_LEAST, _X32, otherwise=1)
    yield missing
    yield from _when(numbers["clone3"], [missing])
    for rule in rules.refused:
        for name in rule.calls:
            if name in numbers:
                yield from _when(numbers[name], [fail(error_number(rule.answer))])
    yield from _when(
        numbers["clone"], [_argument(0), _step(_ANY_BIT, NAMESPACES, otherwise=1), fail(errno.EPERM), allowed]
    )
    requests = [IOCTL_NUMBERS[name] for name in rules.refused_ioctls]
    yield from _when(numbers["ioctl"], [_argument(1), *_one_of(requests, fail(errno.EPERM)), allowed])
    for name, kind in NODES.items():
        if name in numbers:
            yield from _when(
                numbers[name], [_argument(kind), _masked(_KIND_OF_NODE), *_one_of(_DEVICES, fail(errno.EPERM)), allowed]
            )
    families = [FAMILY_NUMBERS[name] for name in rules.socket_families]
    raw = [_argument(0), *_one_of([_NETLINK], allowed), fail(errno.EPERM)]
    any_kind = [_argument(0), *_one_of(families, allowed), fail(errno.EAFNOSUPPORT)]
    for name in ("socket", "socketpair"):
        is_raw = [_argument(1), _masked(_KIND_OF_SOCKET), _step(_EQUAL, _RAW, otherwise=len(raw))]
        yield from _when(numbers[name], [*is_raw, *raw, *any_kind])
    if watched:
        yield from _reported(rules, numbers)
    yield allowed


def _reported(rules: SystemCalls, numbers: Mapping[str, int]) -> Iterator[bytes]:
    """Yield what asks about calls that are let through: they are for the report alone."""
    allowed, ask = _step(_RETURN, _ALLOW), _step(_RETURN, _ASK)
    blocks: dict[str, list[bytes]] = {}
    if "addresses" in rules.reported:
        blocks |= {name: [*_unless_null(pointer, ask), allowed] for name, pointer in ADDRESSED.items()}
    if "writes" in rules.reported:
        blocks |= {
            name: [_argument(flags), _step(_ANY_BIT, _FOR_WRITING, otherwise=1), ask, allowed]
            for name, flags in OPENED.items()
        }
        blocks |= {name: [ask] for name in ("creat", "unlink", "unlinkat")}
    if "signals" in rules.reported:
        blocks["kill"] = [_argument(0), *_one_of((_EVERYBODY, _FIRST), ask), allowed]
    if "limits" in rules.reported:
        blocks["prlimit64"] = [*_unless_null(2, ask), allowed]
        blocks["sched_setscheduler"] = [_argument(1), _masked(_SCHEDULER), *_one_of(_REAL_TIME, ask), allowed]
    for name, block in blocks.items():
        if name in numbers:
            yield from _when(numbers[name], block)


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
