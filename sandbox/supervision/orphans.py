"""What hosts that were killed leave on a machine, and how the next one clears it away.

Some of their processes say in their environment who started them: bubblewrap's own, which no mark inside reaches. Killed between two of its
steps, it leaves the first process of a namespace waiting for a word that nobody can say any more.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from open_autoglm.sandbox.supervision import cgroup, folders
from open_autoglm.sandbox.supervision.owner import HAS_PROC, is_gone, owner

VARIABLE = "AUTOGLM_OWNER"
"""Environment variable whose value names the process that started one; no code inside can see it."""


def started_by(name: str | None = None) -> set[int]:
    """Return the live processes that carry the name of an owner (None for this process), wherever in the tree of processes they are."""
    wanted = owner() if name is None else name
    return {pid for pid, carried in _carrying() if carried == wanted}


def clear_away() -> list[str]:
    """End and remove what killed hosts of this user left here; return what, a line each. Containers are left to the engine's janitor."""
    return [
        *(f"process {pid}" for pid in end_orphans()),
        *(f"folder {folder}" for folder in folders.sweep()),
        *(f"control group {folder}" for folder in cgroup.sweep()),
    ]


def end_orphans() -> list[int]:
    """Kill the processes whose owner is gone, and return them; looks again until there are no others: one may have made another."""
    ended: list[int] = []
    while found := [pid for pid, name in _carrying() if pid not in ended and is_gone(name) and _end(pid, name)]:
        ended += found
    return ended


def _end(pid: int, name: str) -> bool:
    """Kill a process if it is still one of this owner, and may be killed."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if _owner_of(pid) != name:
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)  # by handle: its number may be another's by now
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _carrying() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").iterdir() if HAS_PROC else ():
        if folder.name.isdigit() and (name := _owner_of(int(folder.name))):
            yield int(folder.name), name


def _owner_of(pid: int) -> str:
    """Return the name that a process carries; nothing for a zombie, and for one that this user may not look at."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    found = (
        value for name, _, value in (variable.partition(b"=") for variable in variables) if name == VARIABLE.encode()
    )
    return next(found, b"").decode("ascii", "replace")
