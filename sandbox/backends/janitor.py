"""Removes containers whose owner is gone: a host process that was killed while the engine was starting or stopping one."""

from contextlib import suppress
from typing import Any

from docker.errors import APIError

from open_autoglm.sandbox.supervision.owner import is_gone

LABEL = "open-autoglm.owner"


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
