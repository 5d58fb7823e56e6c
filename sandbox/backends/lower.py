"""Started by root: gives up being root, then becomes bubblewrap.

A sandbox of a user who owns nothing could not reach what lies in root's private folders, such as a Python in /root. So
the sources are first shown in a mount namespace of this program's own, below a /tmp that nobody else sees; bubblewrap
then builds its view from there. Run as a program; knows only the standard library. Linux only.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

NEW_MOUNT, BIND, RECURSIVE, PRIVATE, NO_SUID, NO_DEV = 0x00020000, 4096, 16384, 1 << 18, 2, 4
STAGE = "/tmp"  # noqa: S108 - a mount point: it is there on every Linux, and everybody may enter it


def main(sources: Sequence[str], user: int, command: Sequence[str]) -> None:
    """Show the i-th source as `/tmp/i`, become `user`, run `command`.

    Raises:
        OSError: A step was refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def check(outcome: int, what: str) -> None:
        if outcome != 0:
            raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")

    check(libc.unshare(NEW_MOUNT), "unshare")
    check(libc.mount(b"none", b"/", None, ctypes.c_ulong(RECURSIVE | PRIVATE), None), "make mounts private")
    handles = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources]  # before /tmp is covered
    check(libc.mount(b"tmpfs", STAGE.encode(), b"tmpfs", ctypes.c_ulong(NO_SUID | NO_DEV), b"mode=0755"), "mount /tmp")
    for number, (source, handle) in enumerate(zip(sources, handles, strict=True)):
        target = Path(STAGE) / str(number)
        if Path(f"/proc/self/fd/{handle}").is_dir():
            target.mkdir()
        else:
            target.touch()
        seen = f"/proc/self/fd/{handle}".encode()
        check(libc.mount(seen, str(target).encode(), None, ctypes.c_ulong(BIND | RECURSIVE), None), f"show {source}")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.chdir("/")
    os.execv(command[0], list(command))  # noqa: S606 - becoming bubblewrap is what this program is for


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
