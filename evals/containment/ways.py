"""Which sandboxes a suite runs in, by name: a backend as a user would get it, or one way of a backend that has several."""

from collections.abc import Callable, Mapping, Sequence

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.jupyter import JupyterSandbox
from open_autoglm.sandbox.backends.landlock import LandlockSandbox
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.sandbox.choice import backends, select_sandbox
from open_autoglm.sandbox.launch import Seclusion

ALL = "all"
FALLBACKS: Mapping[str, Callable[[], Sandbox]] = {
    "docker/single_use": lambda: DockerSandbox(seclusion=Seclusion.SINGLE_USE),
    "bubblewrap/single_use": lambda: BubblewrapSandbox(seclusion=Seclusion.SINGLE_USE),
    "jupyter/bubblewrap": lambda: JupyterSandbox(around=[BubblewrapSandbox()]),
    "landlock/same_user": lambda: LandlockSandbox(own_user=False),
}
"""Ways that a backend takes where its better one is refused: on a machine that allows both, each by name."""


def chosen(names: Sequence[str]) -> list[Sandbox]:
    """Return the sandboxes of these names; for none, every backend that is ready, and for `all` their other ways, too.

    Raises:
        UnknownName: There is no backend of that name.
        SandboxUnavailable: One that is named is not ready, or none is.
    """
    if names and ALL not in names:
        return [_named(name) for name in names]
    every = [*backends(), *(make() for make in FALLBACKS.values() if ALL in names)]
    ready = [sandbox for sandbox in every if sandbox.probe().ready]
    if not ready:
        raise SandboxUnavailable("No sandbox is ready here: `autoglm doctor` says why.")
    return ready


def _named(name: str) -> Sandbox:
    if name not in FALLBACKS:
        return select_sandbox(name, author=Author.USER)
    sandbox = FALLBACKS[name]()
    readiness = sandbox.probe()
    if not readiness.ready:
        raise SandboxUnavailable(f"The sandbox {name!r} is not ready: {readiness.reason}")
    return sandbox
