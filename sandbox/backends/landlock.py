"""Landlock: isolation by rules that a process lays on itself, for Linux machines that refuse namespaces and have no Docker engine.

Covered: files: only the folders of the system that the policy shows, Python and its packages, the job's code and its inputs can be read, only the
session's folders for output, work and temporary files (TMPDIR) written; no sockets but closed pairs, so no network and no socket of the
host, whether file or abstract name; signals, tracing and settings of processes outside; no capabilities and no way to new rights; system calls that
the policy refuses, and in addition what leaves traces that others see (rights and times of files, shared memory of System V, message
queues); an emptied environment. Where this user is root and others can reach Python, executions run as a user of their own, and
everything that runs as this user is killed at the end; else as this one, which takes a newer Landlock. The fork server and
one fork for every execution are as in every backend, and so are the watched limits on time, memory, processes, disk and output.

Not covered, for want of namespaces: names, sizes and times of files that lie anywhere can be asked for (not read, not listed); which process
numbers are in use; folders are emptied from outside after an execution rather than taken back by the kernel, disk is watched and
not capped; there is no /dev/shm (Python's locks and pools between processes do not work; joblib runs one by one or in threads), no
loopback network and no kernels (a notebook is executed in the job's own process). Holes of the kernel and side channels, as ever.
"""

import os
import random
import socket
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from subprocess import Popen

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends.bubblewrap import python_folders
from open_autoglm.sandbox.backends.elsewhere import elsewhere
from open_autoglm.sandbox.backends.machine import features, limits_kept
from open_autoglm.sandbox.backends.sealed import Found, SealedSandbox
from open_autoglm.sandbox.backends.trial import problem_with
from open_autoglm.sandbox.inside import confine
from open_autoglm.sandbox.inside.runtime.driver import NO_SOCKETS
from open_autoglm.sandbox.launch import INSIDE, PACKAGE, Inside, Seclusion, start_plainly
from open_autoglm.sandbox.policy import Policy, default_policy
from open_autoglm.sandbox.policy.syscalls import filters
from open_autoglm.sandbox.supervision import cgroup

OLDEST, OLDEST_FOR_ONE_USER = 3, 6
"""Versions of Landlock: cutting files (Linux 6.2); signals to processes that run as the same user (6.12)."""
USERS = (61_184, 65_519)
"""Users that no package and no administrator gives out: systemd, too, takes those of a moment from here."""
TRIES = 100
WITHOUT = {"JOBLIB_MULTIPROCESSING": "0", NO_SOCKETS: "1"}
"""What is not there, as variables that say so."""
DEVICES = ("null", "zero", "full", "random", "urandom")
"""Devices of the policy that carry nothing from one to another."""


class LandlockLauncher:
    """Starts the fork server as a plain child; every execution lays the rules on itself before its code runs."""

    backend = "landlock"
    isolating = True
    seclusion = Seclusion.RULES
    in_kernel = False
    image = ""

    def __init__(self, *, version: int, user: int | None, policy: Policy | None = None) -> None:
        self.version = version
        self.user = user
        self.policy = policy or default_policy()
        self.tier = "landlock/same_user" if user is None else "landlock/own_user"

    def inside(self, base: Path) -> Inside:
        """Return the host's own paths, and the rules."""
        folders = {name: str(base / name) for name in ("job", "out", "work", "tmp")}
        rules = self.policy.filesystem
        settings = [str((Path("/etc") / name).resolve()) for name in rules.settings]
        shown = [*rules.system, *settings, *map(str, python_folders(rules)), str(INSIDE / "runtime"), folders["job"]]
        devices = [f"/dev/{name}" for name in DEVICES if name in rules.devices]
        return Inside(
            job=folders["job"],
            out=folders["out"],
            work=folders["work"],
            tmp=folders["tmp"],
            user=self.user,
            confine={
                "version": self.version,
                "user": self.user,
                "shown": [path for path in dict.fromkeys(shown) if Path(path).exists() or path == folders["job"]],
                "writable": [folders["out"], folders["work"], folders["tmp"]],
                "devices": [path for path in devices if Path(path).exists()],
            },
        )

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> Popen[bytes]:
        """Start it; joblib is told that there will be no locks between processes, notebooks that there will be no sockets."""
        return start_plainly(base, control, {**environment, **WITHOUT}, log)


class LandlockSandbox(SealedSandbox[bool]):
    """Runs code under Landlock rules."""

    name = "landlock"

    def __init__(
        self, *, imports: Sequence[str] | None = None, own_user: bool | None = None, policy: Policy | None = None
    ) -> None:
        self.imports = imports
        self._policy = policy or default_policy()
        self._own_user = own_user
        """Where None, the stronger that works is found by trying."""

    def found(self) -> Found[bool]:
        """Ask the kernel what it has, then try whether rules hold, with a user of its own if possible."""
        return _working(self._own_user, self._policy)

    def start_by(self, way: bool, *, cpus: int) -> LandlockLauncher:  # noqa: FBT001 - its way is whether with a user of its own
        """Return it, with a user that no other session has; how many processors are used is limited by the executions' own limits."""
        del cpus
        return _launcher(self._policy, own_user=way)


def _launcher(policy: Policy, *, own_user: bool) -> LandlockLauncher:
    """Return a launcher for one session."""
    if not own_user:
        return LandlockLauncher(version=_version(), user=None, policy=policy)
    user, claim = free_user()
    launcher = LandlockLauncher(version=_version(), user=user, policy=policy)
    weakref.finalize(launcher, claim.close)
    return launcher


def free_user() -> tuple[int, socket.socket]:
    """Return the number of a user that nothing runs as, and what keeps others of this program from taking it until it is closed.

    Raises:
        SandboxUnavailable: There is none.
    """
    for user in random.SystemRandom().sample(range(*USERS), TRIES):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0open-autoglm-user-{user}")
        except OSError:  # another session's
            claim.close()
            continue
        return user, claim
    raise SandboxUnavailable("No user is free for another sandbox; too many run on this machine.")


@cache
def _working(only: bool | None, policy: Policy) -> Found[bool]:  # noqa: FBT001 - a key of the cache
    """Find out by trying whether rules hold here, with a user of its own if possible; once in a process."""
    reason = missing()
    if reason:
        return Found(reason=reason, details=features())
    problems: list[str] = []
    for own_user in (True, False) if only is None else (only,):
        problem = hindrance(own_user=own_user, version=_version()) or problem_with(_launcher(policy, own_user=own_user))
        if problem is None:
            why = f" ({problems[0]})" if problems and os.geteuid() == 0 else ""
            tier = LandlockLauncher(version=0, user=0 if own_user else None).tier
            told = {**features(), "limits": limits_kept()}
            return Found(way=own_user, tier=tier, reason=f"{_REASONS[own_user]}{why}", details=told)
        problems.append(problem)
    return Found(reason=f"Landlock does not do here. {' '.join(problems)[:600]}", details=features())


_REASONS = {
    True: "Works, by rules and a user of its own for every session: for machines without namespaces and Docker.",
    False: "Works, by rules alone, as the same user: for machines without namespaces and Docker.",
}


def missing(platform: str = sys.platform) -> str | None:
    """Return why there can be no rules here, whoever asks; None where there can be."""
    if (advice := elsewhere("landlock", platform)) is not None:
        return advice
    if filters(default_policy(), namespaces=False) is None:
        return "The system calls of this kind of processor are not known, so that they cannot be filtered."
    if _version() == 0:
        return (
            "This kernel has no Landlock, or it is switched off (Linux 5.13, and 'landlock' in the boot option lsm=)."
        )
    return None


def hindrance(*, own_user: bool, version: int) -> str | None:
    """Return what keeps executions from running as a user of their own, or as this one; None where nothing is known to."""
    if version < OLDEST:
        return f"Landlock {version} is too old: {OLDEST} is needed (Linux 6.2), so that files cannot be cut."
    if not own_user and os.geteuid() == 0 and not cgroup.is_possible():
        return "As root without control groups nothing bounds how many processes code makes."
    if not own_user:
        late = version < OLDEST_FOR_ONE_USER
        return (
            f"Landlock {version} is too old for executions as the same user: {OLDEST_FOR_ONE_USER} is needed "
            "(Linux 6.12), so that processes outside cannot be ended."
            if late
            else None
        )
    if os.geteuid() != 0:
        return "Only root can give executions a user of their own."
    if not any(int(first) <= USERS[0] and USERS[1] < int(first) + int(count) for first, _, count in _mapped()):
        return f"The users from {USERS[0]} to {USERS[1]} do not exist in this container."
    private = next((str(path) for path in _needed() if not _reachable(path)), None)
    return f"{private} cannot be reached by a user of their own." if private else None


def _needed() -> list[Path]:
    return [*python_folders(default_policy().filesystem), PACKAGE, Path(tempfile.gettempdir()).resolve()]


def _mapped() -> list[list[str]]:
    """Return the users that there are: first number inside, outside, how many."""
    return [line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]


def _reachable(path: Path) -> bool:
    """Whether everybody may go to a folder."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


@cache
def _version() -> int:
    return confine.version() if sys.platform == "linux" else 0
