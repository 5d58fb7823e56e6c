"""The Docker engine on this machine: where it listens, whether it answers, what it says of itself.

`DOCKER_HOST` names another socket than the usual one, as it does for Docker's own programs: that of a rootless engine, say. It must
be a socket of this machine, since descriptors are passed to and fro.
"""

import os
import socket
from functools import cache
from pathlib import Path
from typing import Any

USUAL = "unix:///var/run/docker.sock"
ENGINE_SECONDS = 20
"""How long the engine may take to answer."""


def address() -> str:
    """Return where the engine listens, as a URL."""
    return os.environ.get("DOCKER_HOST") or USUAL


@cache
def engine(*, patient: bool = False) -> Any:
    """Return this process's connection to the engine, a `docker.APIClient`; safe in threads.

    Args:
        patient: Wait as long as it takes: building, importing and removing images on a busy disk takes minutes.

    Raises:
        docker.errors.DockerException: There is none.
    """
    import docker  # noqa: PLC0415 - takes a fifth of a second

    return docker.APIClient(base_url=address(), version="auto", timeout=None if patient else ENGINE_SECONDS)


def missing_engine() -> str | None:
    """Return why there is no engine to talk to, and what to do; None where there is one. Loads nothing."""
    where = address()
    if not where.startswith("unix://"):
        return f"DOCKER_HOST names {where}: code is run by an engine on this machine alone. Unset it, or name its socket: unix:///path"
    path = Path(where.removeprefix("unix://"))
    if not path.exists():
        if where != USUAL:
            return f"There is no Docker engine at {path}, which DOCKER_HOST names. Start it, or unset DOCKER_HOST."
        return f"There is no Docker engine (no {path}). Install one, such as: apt-get install docker.io"
    if not os.access(path, os.W_OK):
        return "The Docker engine may not be used by this user. Join the group that may (it is as good as root): usermod -aG docker"
    return None if status_of("/_ping") == 200 else "The Docker engine does not answer. Start it: systemctl start docker"


def status_of(path: str) -> int:
    """Return the status of a request to the engine, 0 where none answers: without the SDK, whose import takes far longer."""
    request = f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ENGINE_SECONDS)
            line.connect(address().removeprefix("unix://"))
            line.sendall(request.encode())
            return int(line.makefile("rb").readline().split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def versions() -> dict[str, str]:
    """Return what the engine says about itself."""
    api = engine()
    told, about = api.version(), api.info()
    parts = {part["Name"]: part["Version"] for part in told.get("Components", [])}
    return {
        "engine": parts.get("Engine", str(told.get("Version"))),
        "runc": parts.get("runc", "unknown"),
        "runtimes": " ".join(sorted(about.get("Runtimes") or ["runc"])),
        "cgroup": f"v{about.get('CgroupVersion', '1')} by {about.get('CgroupDriver')}",
        "storage": str(about.get("Driver")),
        "user": "its own" if os.geteuid() == 0 else "yours",
    }
