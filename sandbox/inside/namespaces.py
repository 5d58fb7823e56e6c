"""Inside the sandbox: puts one execution into namespaces of its own, after the fork and before any of its code runs.

User, mount, PID, IPC and network namespaces are new for every execution, with one size-capped tmpfs behind the folders for output
and work, /tmp and /dev/shm: when the first process of the PID namespace ends, the kernel kills everything in it and frees every
file. The network has a loopback device and nothing else; a common one would show the next execution which ports were used (closed
connections stay listed for a minute). Linux only; see unshare(2), user_namespaces(7), pid_namespaces(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

NEW_USER, NEW_PID, NEW_MOUNT, NEW_IPC, NEW_NETWORK = 0x10000000, 0x20000000, 0x00020000, 0x08000000, 0x40000000
NEW_GROUPS = 0x02000000
"""Without it /proc/self/cgroup would tell the name of the control group, and so of the host's process."""
NO_SUID, NO_DEV, NO_EXEC, BIND, RECURSIVE, PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
DETACH = 2
SET_DUMPABLE, DROP_BOUND, SET_NO_NEW_RIGHTS, AMBIENT, AMBIENT_CLEAR = 4, 24, 38, 47, 4
CAPABILITY_VERSION = 0x20080522
SET_INTERFACE_FLAGS, IS_UP = 0x8914, 1
STAGE = "/mnt"
READ_ONLY, REMOUNT, RELATIVE_TIMES = 1, 32, 1 << 21
FOLDERS = {"out": "/autoglm/out", "work": "/autoglm/work", "tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108 - mount points, not files

SET_FILTER, NEW_LISTENER = 1, 8

_libc = ctypes.CDLL(None, use_errno=True)


def prepare(disk_bytes: int, inodes: int, devices: Sequence[str], keep: Sequence[str]) -> int:
    """Make the namespaces and mount what is writable; the next fork is their first process.

    Returns a descriptor of the output folder. `keep` are folders that stay visible where a new one covers their parents.
    `devices` are names in /dev.

    Raises:
        OSError: The kernel refuses a step.
    """
    uid, gid = os.geteuid(), os.getegid()
    _libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)  # else the files below belong to root
    _check(_libc.unshare(NEW_USER | NEW_PID | NEW_MOUNT | NEW_IPC | NEW_NETWORK | NEW_GROUPS), "unshare")
    for name, value in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path(f"/proc/self/{name}").write_text(value, encoding="ascii")
    _libc.prctl(SET_DUMPABLE, 0, 0, 0, 0)
    _start_loopback()
    kept = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in keep}
    _mount("none", "/", None, RECURSIVE | PRIVATE)
    _mount("tmpfs", STAGE, "tmpfs", NO_SUID | NO_DEV, f"size={disk_bytes},nr_inodes={inodes},mode=0755")
    for name, target in FOLDERS.items():
        (Path(STAGE) / name).mkdir(mode=0o700)
        _mount(f"{STAGE}/{name}", target, None, BIND)
    for path, handle in kept.items():
        Path(path).mkdir(parents=True)
        _mount(f"/proc/self/fd/{handle}", path, None, BIND | RECURSIVE)
        os.close(handle)
    for name in devices:
        _fix_times(f"/dev/{name}")
    _check(_libc.umount2(STAGE.encode(), DETACH), "umount")
    return os.open(FOLDERS["out"], os.O_RDONLY | os.O_DIRECTORY)


def listen(port: int) -> int:
    """Return a socket that listens at the loopback device of this network, for somebody outside to serve."""
    with socket.create_server(("127.0.0.1", port)) as server:
        return server.detach()


def settle() -> None:
    """In their first process: show its own processes, forbid further namespaces, give up every right for good.

    Raises:
        OSError: The kernel refuses a step.
    """
    _mount("proc", "/proc", "proc", NO_SUID | NO_DEV | NO_EXEC)
    # No user namespaces within: they are where most of a kernel's holes are reached from.
    Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    give_up_rights()


def give_up_rights() -> None:
    """Have no capability and no way to one, in this process and all that come of it.

    Raises:
        OSError: The kernel refuses a step.
    """
    for capability in range(64):
        _libc.prctl(DROP_BOUND, capability, 0, 0, 0)
    _libc.prctl(AMBIENT, AMBIENT_CLEAR, 0, 0, 0)
    _check(_libc.prctl(SET_NO_NEW_RIGHTS, 1, 0, 0, 0), "prctl")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    _libc.prctl(SET_DUMPABLE, 1, 0, 0, 0)  # its own /proc/self is readable again, as libraries expect


def filter_calls(number: int, watched: bytes, plain: bytes) -> int | None:
    """Put this process, and all that come of it, under a filter of system calls; `number` is that of seccomp(2) here.

    Returns a descriptor by which the supervisor is asked about refused calls. Where the kernel lets nobody be asked (one listens already,
    as in some containers) they fail by the `plain` program, and None is returned.

    Raises:
        OSError: The kernel takes no filter.
    """
    listener = _install(number, watched, NEW_LISTENER)
    if listener >= 0:
        return listener
    _check(_install(number, plain, 0), "seccomp")
    return None


def _install(number: int, program: bytes, flags: int) -> int:
    content = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.cast(content, ctypes.c_void_p))
    return int(_libc.syscall(number, SET_FILTER, flags, ctypes.byref(header)))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _fix_times(device: str) -> None:
    """Mount a device read-only: it works as before, but its times and mode carry nothing to another execution."""
    if not os.path.ismount(
        device
    ):  # pragma: no cover - only in a container, where nothing is measured: there it is a file of /dev
        _mount(device, device, None, BIND)
    flags = os.statvfs(device).f_flag
    kept = flags & (NO_SUID | NO_DEV | NO_EXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    kept |= RELATIVE_TIMES if flags & os.ST_RELATIME else 0
    _mount("none", device, None, REMOUNT | BIND | READ_ONLY | kept)


def _start_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_INTERFACE_FLAGS, struct.pack("16sh14x", b"lo", IS_UP))


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    kind_bytes = kind.encode() if kind else None
    outcome = _libc.mount(source.encode(), target.encode(), kind_bytes, ctypes.c_ulong(flags), options.encode())
    _check(outcome, f"mount {target}")


def _check(outcome: int, what: str) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
