"""Inside the sandbox: puts one execution into namespaces of its own, after the fork and before any of its code runs.

User, mount, PID and IPC namespaces are new for every execution, with one size-capped tmpfs behind the folders for output and
work, /tmp and /dev/shm: when the first process of the PID namespace ends, the kernel kills everything in it and frees every file.
The network namespace is the sandbox's own, which has a loopback device and nothing else. Linux only; see unshare(2),
user_namespaces(7), pid_namespaces(7).
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

NEW_USER, NEW_PID, NEW_MOUNT, NEW_IPC = 0x10000000, 0x20000000, 0x00020000, 0x08000000
NO_SUID, NO_DEV, NO_EXEC, BIND, RECURSIVE, PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
DETACH = 2
SET_DEATH_SIGNAL, SET_DUMPABLE, DROP_BOUND, SET_NO_NEW_RIGHTS, AMBIENT, AMBIENT_CLEAR = 1, 4, 24, 38, 47, 4
CAPABILITY_VERSION = 0x20080522
KEYCTL = {"x86_64": 250, "aarch64": 219}
JOIN_SESSION_KEYRING = 1
INODES = 200_000
STAGE = "/mnt"
FOLDERS = {"out": "/autoglm/out", "work": "/autoglm/work", "tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108 - mount points, not files

_libc = ctypes.CDLL(None, use_errno=True)


def enter(request: Mapping[str, Any]) -> list[int]:
    """Move into new namespaces. Returns in their first process: a handle on it, and one on the output folder.

    Raises:
        OSError: The kernel refuses a step.
    """
    uid, gid = os.geteuid(), os.getegid()
    _libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)  # else the files below belong to root
    _check(_libc.unshare(NEW_USER | NEW_PID | NEW_MOUNT | NEW_IPC), "unshare")
    for name, value in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path(f"/proc/self/{name}").write_text(value, encoding="ascii")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    first = os.fork()
    if first:
        _hand_over(first, ours)
    ours.close()
    _libc.prctl(SET_DEATH_SIGNAL, 9, 0, 0, 0)
    _libc.prctl(SET_DUMPABLE, 0, 0, 0, 0)  # what runs beside this process may not trace it
    _, handles, _, _ = socket.recv_fds(theirs, 1, 1)
    theirs.close()
    _mount_all(int(request["disk_bytes"]), request["keep"])
    _new_keyring()
    return [*handles, os.open(FOLDERS["out"], os.O_RDONLY | os.O_DIRECTORY)]


def _hand_over(first: int, ours: socket.socket) -> NoReturn:
    """Give the first process a handle on itself, by which the host can kill it, and wait for its end."""
    handle = os.pidfd_open(first)
    socket.send_fds(ours, [b"."], [handle])
    os.close(handle)
    os.closerange(3, 1 << 16)
    os.waitpid(first, 0)
    os._exit(0)


def _mount_all(disk_bytes: int, keep: Sequence[str]) -> None:
    kept = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in keep}  # would be covered by the new /tmp
    _mount("none", "/", None, RECURSIVE | PRIVATE)
    _mount("proc", "/proc", "proc", NO_SUID | NO_DEV | NO_EXEC)
    _mount("tmpfs", STAGE, "tmpfs", NO_SUID | NO_DEV, f"size={disk_bytes},nr_inodes={INODES},mode=0755")
    for name, target in FOLDERS.items():
        (Path(STAGE) / name).mkdir(mode=0o700)
        _mount(f"{STAGE}/{name}", target, None, BIND)
    for path, handle in kept.items():
        Path(path).mkdir(parents=True)
        _mount(f"/proc/self/fd/{handle}", path, None, BIND | RECURSIVE)
        os.close(handle)
    _check(_libc.umount2(STAGE.encode(), DETACH), "umount")
    # No further user namespaces: they are where most of a kernel's holes are reached from.
    Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")


def _new_keyring() -> None:
    """Leave the session keyring that all executions would share, where there is one."""
    number = KEYCTL.get(platform.machine())
    if number is not None:
        _libc.syscall(number, JOIN_SESSION_KEYRING, None)


def drop_rights() -> None:
    """Give up every capability for good.

    Raises:
        OSError: The kernel refuses.
    """
    for capability in range(64):
        _libc.prctl(DROP_BOUND, capability, 0, 0, 0)
    _libc.prctl(AMBIENT, AMBIENT_CLEAR, 0, 0, 0)
    _check(_libc.prctl(SET_NO_NEW_RIGHTS, 1, 0, 0, 0), "prctl")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    _libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)  # its own /proc/self is readable again, as libraries expect


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    kind_bytes = kind.encode() if kind else None
    outcome = _libc.mount(source.encode(), target.encode(), kind_bytes, ctypes.c_ulong(flags), options.encode())
    _check(outcome, f"mount {target}")


def _check(outcome: int, what: str) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
