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

ROOT = Path("/sys/fs/cgroup")
PARENT = "open-autoglm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What the kernel counted for a group."""

    peak_bytes: int = 0
    oom_kills: int = 0
    process_limit_hits: int = 0


@dataclass(slots=True)
class Cgroup:
    """One group, as the folders of its hierarchies by controller (version 2: one folder for all)."""

    folders: dict[str, Path]
    version: int

    @classmethod
    def make(cls, *, memory_bytes: int, processes: int, root: Path = ROOT) -> "Cgroup | None":
        """Make a group with these limits; None where this user may not, or memory cannot be limited here."""
        name = f"{PARENT}/{uuid.uuid4().hex}"
        group = cls(folders={}, version=2 if (root / "cgroup.controllers").exists() else 1)
        try:
            if group.version == 2:
                group._make_v2(root, name, memory_bytes, processes)
            else:
                group._make_v1(root, name, memory_bytes, processes)
        except OSError:  # not allowed, read-only, or the controller is in use elsewhere
            group.remove()
            return None
        return group

    def _make_v2(self, root: Path, name: str, memory_bytes: int, processes: int) -> None:
        folder = root / name
        folder.parent.mkdir(exist_ok=True)
        for holder in (root, folder.parent):
            (holder / "cgroup.subtree_control").write_text("+memory +pids", encoding="ascii")
        folder.mkdir()
        self.folders = {"memory": folder, "pids": folder}
        self._limit("memory", {"memory.max": memory_bytes, "memory.swap.max": 0, "memory.oom.group": 1})
        self._limit("pids", {"pids.max": processes})

    def _make_v1(self, root: Path, name: str, memory_bytes: int, processes: int) -> None:
        for controller in ("memory", "pids"):
            folder = root / controller / name
            folder.mkdir(parents=True)
            self.folders[controller] = folder
        with suppress(OSError):  # a hybrid machine: an empty group of version 2 is still able to kill
            unified = root / "unified" / name
            unified.mkdir(parents=True)
            self.folders["unified"] = unified
        self._limit("memory", {"memory.limit_in_bytes": memory_bytes})
        with suppress(OSError):  # counts swap too, where the kernel was built to
            self._limit("memory", {"memory.memsw.limit_in_bytes": memory_bytes})
        self._limit("pids", {"pids.max": processes})

    def _limit(self, controller: str, values: dict[str, int]) -> None:
        for name, value in values.items():
            file = self.folders[controller] / name
            if file.exists() or name in ("memory.max", "memory.limit_in_bytes", "pids.max"):
                file.write_text(str(value), encoding="ascii")

    def add(self, pid: int) -> None:
        """Put a process and its future children under the limits.

        Raises:
            OSError: The process is gone.
        """
        for folder in set(self.folders.values()):
            (folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def kill(self) -> None:
        """Kill every member at once, where the kernel can (5.14)."""
        for controller in ("unified", "memory"):
            if controller in self.folders and (self.folders[controller] / "cgroup.kill").exists():
                with suppress(OSError):
                    (self.folders[controller] / "cgroup.kill").write_text("1", encoding="ascii")
                    return

    def counters(self) -> Counters:
        """Read what happened so far."""
        memory, pids = self.folders["memory"], self.folders["pids"]
        version2 = self.version == 2
        return Counters(
            peak_bytes=_number(memory / ("memory.peak" if version2 else "memory.max_usage_in_bytes")),
            oom_kills=_field(memory / ("memory.events" if version2 else "memory.oom_control"), "oom_kill"),
            process_limit_hits=_field(pids / "pids.events", "max"),
        )

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
    group = Cgroup.make(memory_bytes=1 << 30, processes=64) if os.access(ROOT, os.R_OK) else None
    if group is not None:
        group.remove()
    return group is not None
