"""Process trees as /proc shows them: who belongs to an execution, what it uses, how it is killed without its help."""

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from open_autoglm.errors import SandboxError

HAS_PROC = sys.platform == "linux"
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
DEATH_SECONDS = 10.0
MARK = "AUTOGLM_SESSION_MARK"
"""Environment variable whose value names the session that a process belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeUsage:
    """What a tree uses at one moment. `resident_bytes` counts shared pages once for each process."""

    pids: tuple[int, ...] = ()
    resident_bytes: int = 0
    user_seconds: float = 0.0
    system_seconds: float = 0.0


def descendants(root: int) -> list[int]:
    """Return the live processes below `root`, parents first, without `root`."""
    found, todo = [], [root]
    while todo:
        parent = todo.pop()
        try:
            for thread in Path(f"/proc/{parent}/task").iterdir():
                children = (thread / "children").read_text(encoding="ascii").split()
                found += [int(child) for child in children]
                todo += [int(child) for child in children]
        except OSError:  # it ended while we looked
            continue
    return found


def measure(pids: Iterable[int]) -> TreeUsage:
    """Add up what these processes use."""
    seen, pages, user, system = [], 0, 0, 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        seen.append(pid)
        user, system, pages = user + int(fields[11]), system + int(fields[12]), pages + int(fields[21])
    return TreeUsage(
        pids=tuple(seen), resident_bytes=pages * _PAGE, user_seconds=user / _TICK, system_seconds=system / _TICK
    )


def proportional_bytes(pids: Iterable[int]) -> int:
    """Return the memory of these processes with shared pages divided among those who share them."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:"))
    return total


def marked(token: str) -> list[int]:
    """Return the live processes whose environment carries the mark of this session, zombies left out."""
    wanted = f"{MARK}={token}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if wanted in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def owned_by(user: int) -> list[int]:
    """Return the live processes of a user, by its number."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):  # it ended while we looked
            if folder.name.isdigit() and str(user) in _users(
                (folder / "status").read_text(encoding="utf-8", errors="replace")
            ):
                found.append(int(folder.name))
    return found


def _users(status: str) -> list[str]:
    """Return the users that a process runs as; the owner of its folder would be root's where it forbids being looked at."""
    return next((line.split()[1:] for line in status.splitlines() if line.startswith("Uid:")), [])


def kill_marked(token: str, *, spare: int, members: Callable[[], list[int]] = list, seconds: float = 5.0) -> bool:
    """Kill everything that belongs to a session but its fork server `spare`; return whether nothing is left.

    Looks at the members of its control group and at the descendants of the fork server, to whom every orphan comes back;
    where the fork server is dead, at the mark in the environment. What leaves all of them cannot be found: a backend
    without isolation cannot prevent that.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        orphans = marked(token) if _is_zombie(spare) else []
        left = {pid for pid in [*members(), *descendants(spare), *orphans] if not _is_zombie(pid)} - {spare}
        if not left:
            return True
        kill_all(left)
        time.sleep(0.002)
    return False


def kill_all(pids: Iterable[int]) -> None:
    """Send the signal that nobody survives to each of these that is there and may be sent one."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue


def kill_and_wait(handle: int, *, ask: Callable[[], None] | None = None) -> None:
    """Kill the first process of a PID namespace and wait: the kernel lets it end only after everything in there is dead.

    `ask` has somebody kill it who may, where this user may not.

    Raises:
        SandboxError: It does not die.
    """
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        if ask is None:
            raise
        ask()
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        if not selector.select(DEATH_SECONDS):
            raise SandboxError(f"An execution was killed and still lives after {DEATH_SECONDS:.0f} seconds.")


def _is_zombie(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] == "Z"
        )
    except OSError:
        return True


def pid_of(descriptor: int) -> int:
    """Return the process that a pidfd refers to, by its number here; -1 where it is gone."""
    lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))
