"""Whose something is, and whether its owner is gone: for what a process leaves behind when it is killed.

A process is named by the start of the machine, its PID namespace, its number and its own start. Of a process of another PID namespace, such
as one in a container that shares our folders, nothing is known: what belongs to it is left alone.
"""

import os
import sys
from pathlib import Path

HAS_PROC = sys.platform == "linux"
_PARTS = 4


def owner() -> str:
    """Return the name of this process among all that ever ran here."""
    return "/".join([_boot(), _namespace(), str(os.getpid()), _began(os.getpid())])


def is_gone(name: str) -> bool:
    """Whether the process of this name is dead for certain."""
    parts = name.split("/")
    if len(parts) != _PARTS or not parts[2].isdigit():
        return False
    boot, namespace, pid, began = parts
    return boot != _boot() or (namespace == _namespace() and _began(int(pid)) != began)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip() if HAS_PROC else ""


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino) if HAS_PROC else ""


def _began(pid: int) -> str:
    """Return when the process started, in ticks since the machine did; empty where there is none."""
    if not HAS_PROC:
        return "runs" if _runs(pid) else ""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
