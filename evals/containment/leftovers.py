"""What a backend may leave on the host: processes, folders, files, mounts, control groups, containers. Looked at from outside."""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from open_autoglm.sandbox.backends.engine import engine, missing_engine
from open_autoglm.sandbox.supervision.folders import PREFIX, owner_of
from open_autoglm.sandbox.supervision.orphans import started_by
from open_autoglm.sandbox.supervision.owner import owner

PATIENCE_SECONDS = 5.0
ENGINE_PATIENCE_SECONDS = 20.0
"""An engine takes its time to unmount and to forget."""
_GROUPS = Path("/sys/fs/cgroup")
_MOUNTS = Path("/proc/self/mountinfo")
_OPEN_TO_ALL = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")  # noqa: S108 - folders that are looked into


def tagged(tag: str) -> list[int]:
    """Return the live processes of this machine that carry `tag` in their arguments or their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(tag in text for text in (*process.cmdline(), *process.environ().values())):
                found.append(process.pid)
        except (psutil.Error, OSError):  # it ended while we looked, or is somebody else's
            continue
    return found


def planted(tag: str) -> list[Path]:
    """Return what carries `tag` in its name, in the folders of this machine where everybody may write and in this user's home."""
    folders = {Path(name) for name in _OPEN_TO_ALL} | {Path(tempfile.gettempdir()), Path.home()}
    return sorted(path for folder in folders for path in _entries(folder) if tag in path.name)


@dataclass(slots=True)
class Surroundings:
    """What belonged to this process at a moment, to be compared with what is left in the end."""

    before: set[str]
    containers: set[str] = field(default_factory=set)
    """Every container that was seen since."""

    @classmethod
    def now(cls) -> "Surroundings":
        """Take down what there is."""
        return cls(before=_belongings())

    def note(self) -> None:
        """Take down which containers there are now: what an engine keeps of them is found by their names alone."""
        self.containers |= set(_containers())

    def left(self, *, seconds: float | None = None) -> list[str]:
        """Return what is there now and was not before; what is on its way out is given a moment."""
        if seconds is None:
            seconds = ENGINE_PATIENCE_SECONDS if self.containers else PATIENCE_SECONDS
        end = time.monotonic() + seconds
        while (left := self._new()) and time.monotonic() < end:
            time.sleep(0.05)
        return sorted(left)

    def _new(self) -> set[str]:
        return (_belongings() - self.before) | set(_kept_of(self.containers))


def _belongings() -> set[str]:
    """Return what belongs to this process now, one line each."""
    pids = {child.pid for child in psutil.Process().children(recursive=True)} | started_by(owner())
    processes = {f"process {pid} {' '.join(_words(pid))[:80]}" for pid in pids}
    sessions = Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    folders = {f"folder {path}" for path in sessions if owner_of(path) == owner()}
    groups = {
        f"control group {path}"
        for pattern in ("open-autoglm", "*/open-autoglm")
        for path in _GROUPS.glob(f"{pattern}/{os.getpid()}-*")
    }
    mounts = {f"mount {place}" for line in _mounted() if "autoglm" in (place := line.split()[4])}  # others mount, too
    return processes | folders | groups | mounts | {f"container {name}" for name in _containers()}


def _containers() -> list[str]:
    """Return the containers that this process started and that the engine still knows."""
    if missing_engine() is not None:
        return []
    from open_autoglm.sandbox.backends.janitor import LABEL, owned  # noqa: PLC0415 - loads the SDK

    return [item["Id"] for item in owned(engine()) if item["Labels"][LABEL] == owner()]


def _kept_of(containers: Iterable[str]) -> Iterator[str]:
    """Yield what the machine still has of these containers: control groups, mounts, processes that look after them."""
    wanted = set(containers)
    if not wanted:
        return
    lines = _mounted()
    commands = [" ".join(_words(process.pid)) for process in psutil.process_iter()]
    for name in wanted:
        groups = [path for pattern in ("*/docker/*", "docker/*", "system.slice/*") for path in _GROUPS.glob(pattern)]
        yield from (f"control group {path}" for path in groups if name in path.name)
        yield from (f"mount {line.split()[4]}" for line in lines if name in line)
        yield from (f"process {command[:80]}" for command in commands if name in command)


def _mounted() -> list[str]:
    return _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines() if _MOUNTS.exists() else []


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _words(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []
