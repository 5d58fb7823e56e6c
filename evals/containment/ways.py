"""Which sandboxes a suite runs in, by name: a backend as a user would get it, or one way of a backend that has several."""

from collections.abc import Callable, Mapping, Sequence

from open_autoglm.errors import SandboxUnavailable, UnknownName
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.jupyter import JupyterSandbox
from open_autoglm.sandbox.backends.landlock import LandlockSandbox
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.choice import backends
from open_autoglm.sandbox.launch import Seclusion
from open_autoglm.sandbox.policy import Policy, default_policy

ALL = "all"
Way = Callable[[Policy], Sandbox]
"""Makes a sandbox that holds code to a policy."""
OTHER_WAYS: Mapping[str, Way] = {
    "docker/single_use": lambda policy: DockerSandbox(seclusion=Seclusion.SINGLE_USE, policy=policy),
    "bubblewrap/single_use": lambda policy: BubblewrapSandbox(seclusion=Seclusion.SINGLE_USE, policy=policy),
    "jupyter/bubblewrap": lambda policy: JupyterSandbox(around=[BubblewrapSandbox(policy=policy)]),
    "landlock/own_user": lambda policy: LandlockSandbox(own_user=True, policy=policy),
    "landlock/same_user": lambda policy: LandlockSandbox(own_user=False, policy=policy),
}
"""Ways that a backend takes where its better one is refused, each by name on a machine that allows both; and both of Landlock, which differ by user."""


def chosen(names: Sequence[str]) -> list[Way]:
    """Return the ways of these names; for none, every backend that is ready, and for `all` their other ways, too.

    Raises:
        UnknownName: There is no backend of that name.
        SandboxUnavailable: One that is named is not ready, or none is.
    """
    if names and ALL not in names:
        return [_ready(name) for name in names]
    usual = [_usual(backend.name) for backend in backends()]
    every = [*usual, *(way for way in OTHER_WAYS.values() if ALL in names)]
    ready = [way for way in every if way(default_policy()).probe().ready]
    if not ready:
        raise SandboxUnavailable("No sandbox is ready here: `autoglm doctor` says why.")
    return ready


def _usual(name: str) -> Way:
    """Return the way that a backend of this name takes by itself."""
    return lambda policy: next(backend for backend in backends(policy) if backend.name == name)


def named(name: str) -> Way:
    """Return the way of a name, ready or not.

    Raises:
        UnknownName: There is none.
    """
    known = {**{backend.name: _usual(backend.name) for backend in backends()}, **OTHER_WAYS}
    if name not in known:
        raise UnknownName("sandbox", name, [ALL, *known])
    return known[name]


def _ready(name: str) -> Way:
    readiness = named(name)(default_policy()).probe()
    if not readiness.ready:
        raise SandboxUnavailable(f"The sandbox {name!r} is not ready: {readiness.reason}")
    return named(name)
