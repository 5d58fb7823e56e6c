"""Process trees as /proc shows them: who belongs to an execution, what it uses, how it is killed without its help."""

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from open_autoglm.errors import SandboxError

HAS_PROC = sys.platform == "linux"
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
DEATH_SECONDS = 10.0
LOOKS = 3
"""How often nobody must be found: whoever gets another parent while we look is in neither's list."""
ROUNDS_TO_KILL = 20
"""Rounds of killing that suffice where nobody makes processes meanwhile; then all are stopped, and killed in every so many rounds."""
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
        below = _children(todo.pop())
        found += below
        todo += below
    return found


def _children(parent: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # it ended while we looked
        for thread in Path(f"/proc/{parent}/task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
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
    return [pid for pid, about in _about_all() if str(user) in about.get("Uid", [])]


def tasks_of(user: int) -> int:
    """Return how many processes and threads run as a user: what the kernel holds against its limit on processes."""
    return sum(int(about["Threads"][0]) for _, about in _about_all() if [str(user)] == about.get("Uid", [])[:1])


def unreaped(root: int) -> int:
    """Return how many processes below `root` are dead and still counted, until somebody waits for them."""
    return sum(map(_is_zombie, descendants(root)))


def _about_all() -> Iterator[tuple[int, dict[str, list[str]]]]:
    """Yield what /proc says of each process; the owner of its folder would be root's where it forbids being looked at."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError):  # it ended while we looked
            if folder.name.isdigit():
                lines = (folder / "status").read_text(encoding="utf-8", errors="replace").splitlines()
                yield (
                    int(folder.name),
                    {name: value.split() for name, _, value in (line.partition(":") for line in lines)},
                )


def kill_marked(token: str, *, spare: int, members: Callable[[], list[int]] = list, seconds: float = 5.0) -> bool:
    """Kill everything that belongs to a session but its fork server `spare`; return whether nothing is left.

    Looks at the members of its control group and at the descendants of the fork server, to whom every orphan comes back;
    where the fork server is dead, at the mark in the environment. What leaves all of them cannot be found: a backend
    without isolation cannot prevent that. What makes processes as fast as they are killed is stopped first: who is stopped makes
    none, and takes the room that others need to make some.
    """
    end, rounds, quiet = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        rounds += 1
        orphans = marked(token) if _is_zombie(spare) else []
        left = {pid for pid in [*members(), *descendants(spare), *orphans] if not _is_zombie(pid)} - {spare}
        quiet = 0 if left else quiet + 1
        if quiet == LOOKS:
            return True
        still = {pid for pid in left if not _is_stopped(pid)}
        if rounds % ROUNDS_TO_KILL and rounds > ROUNDS_TO_KILL and still:
            signal_all(still, signal.SIGSTOP)
        else:
            signal_all(left, signal.SIGKILL)
            time.sleep(0.002 if left else 0)
    return False


def _is_stopped(pid: int) -> bool:
    return _state(pid) in ("T", "Z", "")


def kill_all(pids: Iterable[int]) -> None:
    """Send the signal that nobody survives to each of these that is there and may be sent one."""
    signal_all(pids, signal.SIGKILL)


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to each of these that is there and may be sent one."""
    for pid in pids:
        try:
            os.kill(pid, number)
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


def kill_below(root: int) -> None:
    """Kill the children of a process and wait for their death; it is left stopped itself, to be killed next.

    bubblewrap's first process in its namespaces waits for a word of the one outside before it asks to die with that one: killed between
    the two, the one outside would leave it waiting for ever. Who is stopped makes none meanwhile, and buries none, so that no number of
    theirs can become another's.

    Raises:
        SandboxError: Something does not die.
    """
    signal_all([root], signal.SIGSTOP)
    end = time.monotonic() + DEATH_SECONDS
    while not _is_stopped(root) and time.monotonic() < end:
        time.sleep(0.0005)
    for child in _children(root):
        with suppress(ProcessLookupError):  # something else killed both
            handle = os.pidfd_open(child)
            try:
                kill_and_wait(handle)
            finally:
                os.close(handle)


def _is_zombie(pid: int) -> bool:
    return _state(pid) in ("Z", "")


def _state(pid: int) -> str:
    """Return the letter of a process's state; nothing where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]


def pid_of(descriptor: int) -> int:
    """Return the process that a pidfd refers to, by its number here; -1 where it is gone."""
    lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))
