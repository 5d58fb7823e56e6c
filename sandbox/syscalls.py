"""A second line of defence in bubblewrap: a filter of system calls, as the program that seccomp(2) runs for each of them.

Namespaces leave ways out that no namespace covers. A virtual machine's guest reaches its host by sockets of the family VSOCK; io_uring
makes sockets without the call `socket`; keys, BPF programs and the like are where a kernel's holes are. So sockets are of the
four families that Python's libraries use, and the rest of these calls fail as on a kernel that does not have them.
"""

import errno
import platform
import struct
from collections.abc import Iterator

FAMILIES = (1, 2, 10, 16)
"""Unix, IPv4, IPv6, netlink (the list of interfaces, which libraries ask for)."""
_MACHINES = {
    "x86_64": (0xC000003E, {"socket": (41, 53), "refused": (250, 248, 249, 298, 321, 323, 425, 426, 427)}),
    "aarch64": (0xC00000B7, {"socket": (198, 199), "refused": (219, 217, 218, 241, 280, 282, 425, 426, 427)}),
}
"""Name of the machine to its number, and its numbers of: socket, socketpair; keyctl, add_key, request_key, perf_event_open, bpf, userfaultfd,
io_uring_setup, io_uring_enter, io_uring_register."""
_X32 = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000


def syscall_filter(machine: str = platform.machine()) -> bytes | None:
    """Return the filter for bubblewrap's `--seccomp`, or None for a machine whose numbers are not known here."""
    if machine not in _MACHINES:
        return None
    number, calls = _MACHINES[machine]
    return b"".join(_program(number, calls["socket"], calls["refused"]))


def _program(machine: int, sockets: tuple[int, ...], refused: tuple[int, ...]) -> Iterator[bytes]:
    """Yield the instructions: code, what to skip where it holds, what to skip where not, operand."""
    missing, allowed = _step(_RETURN, _FAIL | errno.ENOSYS), _step(_RETURN, _ALLOW)
    yield _step(_LOAD, _MACHINE)
    yield _step(_EQUAL, machine, then=1)
    yield _step(_RETURN, _KILL)  # another machine's calls have other numbers
    yield _step(_LOAD, _NUMBER)
    yield _step(_AT_LEAST, _X32, otherwise=1)
    yield missing
    for number in refused:
        yield _step(_EQUAL, number, otherwise=1)
        yield missing
    yield _step(_EQUAL, sockets[0], then=2)
    yield _step(_EQUAL, sockets[1], then=1)
    yield allowed
    yield _step(_LOAD, _FIRST_ARGUMENT)
    for family in FAMILIES:
        yield _step(_EQUAL, family, otherwise=1)
        yield allowed
    yield _step(_RETURN, _FAIL | errno.EAFNOSUPPORT)


def _step(code: int, operand: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, operand)
