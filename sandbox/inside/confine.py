"""Inside: puts one execution under Landlock rules, and makes it another user, after the fork and before any of its code runs.

Landlock (landlock(7)) lets a process give up access to files, to TCP ports, and to signals and abstract sockets of processes that are not
under the same rules, for itself and for all that come of it. It also keeps it from tracing processes outside of its rules. It needs no
rights. What it does not look at (what files are called, their rights and times, sockets that are files) is up to the filter of system calls.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Mapping, Sequence
from typing import Any

CREATE, ADD, RESTRICT = 444, 445, 446
"""Numbers of the system calls, the same on every machine."""
ASK_VERSION, BENEATH_PATH = 1, 1
EXECUTE, WRITE, READ, LIST = 1, 2, 4, 8
REMOVE, MAKE, REFER, TRUNCATE, TELL_DEVICE = 0x30, 0x1780, 0x2000, 0x4000, 0x8000
"""Removing; making folders, files, sockets, pipes and links (never devices); moving between folders; cutting; ioctl of devices."""
ON_FILES = EXECUTE | WRITE | READ | TRUNCATE | TELL_DEVICE
RIGHTS = {3: 0x7FFF, 4: 0x7FFF}
"""What a version of Landlock knows of files; later ones all of it."""
ALL_RIGHTS, ALL_PORTS, ALL_SCOPES = 0xFFFF, 3, 3
SHOWN, WRITABLE, DEVICE = (
    EXECUTE | READ | LIST,
    EXECUTE | WRITE | READ | LIST | REMOVE | MAKE | REFER | TRUNCATE,
    WRITE | READ,
)
DROP_BOUND = 24
OWN = (
    "fd",
    "fdinfo",
    "stat",
    "status",
    "statm",
    "maps",
    "smaps",
    "cmdline",
    "environ",
    "limits",
    "io",
    "comm",
    "cgroup",
    "oom_score_adj",
)
"""Of what /proc shows of its own process: not the network, whose tables are the host's."""

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 where there is none."""
    return max(0, int(_libc.syscall(CREATE, None, ctypes.c_size_t(0), ASK_VERSION)))


def own_entries(pid: int) -> list[str]:
    """Return the paths of what a process may see of itself in /proc."""
    return [path for name in OWN if os.path.exists(path := f"/proc/{pid}/{name}")]  # noqa: PTH110 - paths are told as text


def hold(pid: int) -> list[int]:
    """Return handles on the entries of a process in /proc: while they are open, the kernel does not forget these, and rules that name them."""
    return [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in own_entries(pid)]


def become(user: int | None) -> None:
    """Be another user where one is given; what the capabilities of root would come back from is dropped before that.

    Raises:
        OSError: The kernel refuses a step.
    """
    for capability in range(64):
        _libc.prctl(DROP_BOUND, capability, 0, 0, 0)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def restrict(rules: Mapping[str, Any]) -> None:
    """Give up everything that the rules do not name: `version` of Landlock, and paths that are `shown`, `writable` or `devices`.

    The process must have given up the way to new rights.

    Raises:
        OSError: The kernel refuses a step, or a path is not there.
    """
    known = RIGHTS.get(rules["version"], ALL_RIGHTS)
    ruleset = _make_ruleset(rules["version"], known)
    for name, rights in (("shown", SHOWN), ("writable", WRITABLE), ("devices", DEVICE)):
        _allow(ruleset, rules[name], rights & known)
    _allow(ruleset, own_entries(os.getpid()), SHOWN)
    _check(_libc.syscall(RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _make_ruleset(number: int, known: int) -> int:
    parts = [known, *([ALL_PORTS] if number >= 4 else []), *([ALL_SCOPES] if number >= 6 else [])]
    what = struct.pack(f"={len(parts)}Q", *parts)
    ruleset = int(_libc.syscall(CREATE, what, ctypes.c_size_t(len(what)), 0))
    _check(ruleset, "landlock_create_ruleset")
    return ruleset


def _allow(ruleset: int, paths: Sequence[str], rights: int) -> None:
    for path in paths:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if stat.S_ISDIR(os.fstat(place).st_mode) else rights & ON_FILES
        rule = struct.pack("=Qi", allowed, place)
        _check(_libc.syscall(ADD, ruleset, BENEATH_PATH, rule, 0), f"landlock_add_rule {path}")
        os.close(place)


def _check(outcome: int, what: str) -> None:
    if outcome < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
