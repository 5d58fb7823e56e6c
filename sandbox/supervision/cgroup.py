"""Limits that the kernel keeps for a whole process tree: control groups, version 2, version 1 and both mixed.

Needs the right to make groups (root, or a delegated folder). Where that is missing `make` returns None, and the
supervisor watches the tree from outside instead.
"""

import os
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from open_autoglm.sandbox.supervision import tree
from open_autoglm.sandbox.supervision.owner import is_gone, owner

ROOT = Path("/sys/fs/cgroup")
PARENT = "open-autoglm"
PERIOD_MICROSECONDS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What the kernel counted for a group."""

    peak_bytes: int = 0
    oom_kills: int = 0
    process_limit_hits: int = 0
    tasks: int = 0
    """Processes and threads in the group now."""
    throttled_seconds: float = 0.0
    """Time for which its threads waited because the group had used up its processors."""

    def later(self, other: "Counters") -> "Counters":
        """Return what was counted by the later of two readings; a group that is gone reads as nothing."""
        return Counters(
            peak_bytes=max(self.peak_bytes, other.peak_bytes),
            oom_kills=max(self.oom_kills, other.oom_kills),
            process_limit_hits=max(self.process_limit_hits, other.process_limit_hits),
            tasks=other.tasks,
            throttled_seconds=max(self.throttled_seconds, other.throttled_seconds),
        )


@dataclass(slots=True)
class Cgroup:
    """One group, as the folders of its hierarchies by controller (version 2: one folder for all)."""

    folders: dict[str, Path]
    version: int
    base_bytes: int = 0
    """What was charged to it before an execution: room on top of its limit, and not its peak."""

    @classmethod
    def make(cls, *, root: Path = ROOT) -> "Cgroup | None":
        """Make an empty group; None where this user may not, or memory cannot be limited here."""
        name = f"{PARENT}/{os.getpid()}-{owner().replace('/', '_')}-{uuid.uuid4().hex}"
        group = cls(folders={}, version=2 if (root / "cgroup.controllers").exists() else 1)
        try:
            if group.version == 2:
                group._make_v2(root, name)
            else:
                group._make_v1(root, name)
            group.limit(memory_bytes=1 << 40, processes=1 << 15, cpus=None)  # shows whether limits can be set at all
        except OSError:  # not allowed, read-only, or the controller is in use elsewhere
            group.remove()
            return None
        return group

    def _make_v2(self, root: Path, name: str) -> None:
        folder = root / name
        folder.parent.mkdir(exist_ok=True)
        for holder in (root, folder.parent):
            (holder / "cgroup.subtree_control").write_text("+memory +pids", encoding="ascii")
            with suppress(OSError):  # not delegated: then processors are shared as the host shares them
                (holder / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
        folder.mkdir()
        self.folders = {"memory": folder, "pids": folder}
        self.folders |= {"cpu": folder} if (folder / "cpu.max").exists() else {}

    def _make_v1(self, root: Path, name: str) -> None:
        for controller in ("memory", "pids"):
            folder = root / controller / name
            folder.parent.mkdir(exist_ok=True)
            folder.mkdir()
            self.folders[controller] = folder
        with suppress(OSError):  # as above
            folder = root / "cpu" / name
            folder.parent.mkdir(exist_ok=True)
            folder.mkdir()
            self.folders["cpu"] = folder

    def limit(self, *, memory_bytes: int, processes: int, cpus: int | None) -> None:
        """Set the limits for what comes next, and begin to measure the peak of memory anew; `cpus` None sets none.

        Raises:
            OSError: The kernel refuses them.
        """
        memory, pids = self.folders["memory"], self.folders["pids"]
        self.base_bytes = self._used()
        if self.version == 2:
            _write(memory / "memory.max", memory_bytes + self.base_bytes)
            with suppress(OSError):  # a kernel without swap accounting
                _write(memory / "memory.swap.max", 0)
        else:
            self._limit_v1(memory, memory_bytes + self.base_bytes)
        _write(pids / "pids.max", processes)
        if "cpu" in self.folders and cpus is not None:
            self._limit_cpus(self.folders["cpu"], cpus)
        with suppress(OSError):  # version 2: the peak cannot be reset on older kernels
            _write(memory / ("memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"), 0)

    def _used(self) -> int:
        name = "memory.current" if self.version == 2 else "memory.usage_in_bytes"
        return _number(self.folders["memory"] / name)

    def _limit_cpus(self, folder: Path, cpus: int) -> None:
        quota = cpus * PERIOD_MICROSECONDS
        if self.version == 2:
            (folder / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}", encoding="ascii")
        else:
            _write(folder / "cpu.cfs_period_us", PERIOD_MICROSECONDS)
            _write(folder / "cpu.cfs_quota_us", quota)

    def _limit_v1(self, memory: Path, memory_bytes: int) -> None:
        """Set memory and, where it is counted, memory with swap: the second may never be below the first."""
        both = memory / "memory.memsw.limit_in_bytes"
        if both.exists():
            _write(both, -1)
        _write(memory / "memory.limit_in_bytes", memory_bytes)
        if both.exists():
            _write(both, memory_bytes)

    def add(self, pid: int) -> None:
        """Put a process and its future children under the limits.

        Raises:
            OSError: The process is gone.
        """
        for folder in set(self.folders.values()):
            _write(folder / "cgroup.procs", pid)

    def members(self) -> list[int]:
        """Return the processes in the group."""
        try:
            return [int(line) for line in (self.folders["pids"] / "cgroup.procs").read_text(encoding="ascii").split()]
        except OSError:
            return []

    def counters(self) -> Counters:
        """Read what happened so far."""
        memory, pids = self.folders["memory"], self.folders["pids"]
        version2 = self.version == 2
        peak = _number(memory / ("memory.peak" if version2 else "memory.max_usage_in_bytes"))
        return Counters(
            peak_bytes=max(0, peak - self.base_bytes),
            oom_kills=_field(memory / ("memory.events" if version2 else "memory.oom_control"), "oom_kill"),
            process_limit_hits=_field(pids / "pids.events", "max"),
            tasks=_number(pids / "pids.current"),
            throttled_seconds=self._throttled(),
        )

    def _throttled(self) -> float:
        if "cpu" not in self.folders:
            return 0.0
        file = self.folders["cpu"] / "cpu.stat"
        return _field(file, "throttled_usec") / 1e6 if self.version == 2 else _field(file, "throttled_time") / 1e9

    def remove(self) -> None:
        """Remove the group; the kernel may need a moment after the last member died."""
        for folder in set(self.folders.values()):
            for _ in range(50):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.005)
                else:
                    break
        self.folders = {}


def sweep(root: Path | None = None) -> list[Path]:
    """Remove the groups of hosts that were killed, and with them what runs on in there; return their folders."""
    swept = []
    for folder in [found for pattern in (PARENT, f"*/{PARENT}") for found in (root or ROOT).glob(f"{pattern}/*-*")]:
        if is_gone(folder.name.partition("-")[2].rpartition("-")[0].replace("_", "/")):
            group = Cgroup(folders={"pids": folder}, version=1)
            tree.kill_all(pid for pid in group.members() if pid)  # 0 stands for one that cannot be seen from here
            group.remove()
            swept.append(folder)
    return swept


def _write(file: Path, value: int) -> None:
    file.write_text(str(value), encoding="ascii")


def _number(file: Path) -> int:
    try:
        return int(file.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _field(file: Path, key: str) -> int:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
        return int(dict(line.split()[:2] for line in lines)[key])
    except (OSError, ValueError, KeyError):
        return 0


def is_possible() -> bool:
    """Whether groups can be made here, by making one."""
    group = Cgroup.make() if os.access(ROOT, os.R_OK) else None
    if group is not None:
        group.remove()
    return group is not None
