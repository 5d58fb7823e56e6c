"""What a backend may leave on the host: processes, folders, mounts, control groups. Looked at from outside, before and after."""

import os
import tempfile
import time
from pathlib import Path

import psutil

PATIENCE_SECONDS = 5.0
_GROUPS = Path("/sys/fs/cgroup")


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


def surroundings() -> set[str]:
    """Return what belongs to this process now, one line each."""
    children = {
        f"process {child.pid} {' '.join(_words(child))[:80]}" for child in psutil.Process().children(recursive=True)
    }
    folders = {f"folder {path}" for path in Path(tempfile.gettempdir()).glob(f"autoglm-session-{os.getpid()}-*")}
    groups = {
        f"control group {path}"
        for pattern in ("open-autoglm", "*/open-autoglm")
        for path in _GROUPS.glob(f"{pattern}/{os.getpid()}-*")
    }
    return children | folders | groups | _mounts()


def left_since(before: set[str], *, seconds: float = PATIENCE_SECONDS) -> list[str]:
    """Return what is there now and was not before; what is on its way out is given a moment."""
    end = time.monotonic() + seconds
    while (left := surroundings() - before) and time.monotonic() < end:
        time.sleep(0.05)
    return sorted(left)


def _mounts() -> set[str]:
    path = Path("/proc/self/mountinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    places = {line.split()[4] for line in lines}
    return {f"mount {place}" for place in places if "autoglm" in place}  # others mount things meanwhile, too


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
