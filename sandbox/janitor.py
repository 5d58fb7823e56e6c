"""Removes containers whose owner is gone: a host process that was killed while the engine was starting or stopping one."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import APIError

LABEL = "open-autoglm.owner"


def owner() -> str:
    """Return what names this process among all that ever use the engine: start of the machine, PID namespace, number, start."""
    return "/".join([_boot(), _namespace(), str(os.getpid()), _began(os.getpid())])


def is_gone(name: str) -> bool:
    """Whether the process of this name is dead for certain; of another PID namespace nothing is known."""
    boot, namespace, pid, began = [*name.split("/"), "", "", "", ""][:4]
    if boot != _boot():
        return True
    return namespace == _namespace() and pid.isdigit() and _began(int(pid)) != began


def tidy(api: Any) -> list[str]:
    """Remove the containers of dead owners and return their ids; `api` is a `docker.APIClient`."""
    removed = []
    for container in owned(api):
        if is_gone(container["Labels"][LABEL]):
            with suppress(APIError):  # somebody else, or it itself, is removing it
                api.remove_container(container["Id"], force=True)
                removed.append(container["Id"][:12])
    return removed


def owned(api: Any) -> list[dict[str, Any]]:
    """Return the engine's records of all containers that this program started."""
    return list(api.containers(all=True, filters={"label": LABEL}))


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def _began(pid: int) -> str:
    """Return when the process started, in ticks since the machine did; empty where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]
