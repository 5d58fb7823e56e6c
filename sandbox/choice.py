"""Which backend runs whose code: the trust rule.

What recipes wrote may run without isolation where nothing isolating works. What a model or a user wrote may not, unless
`process` was asked for by name.
"""

from collections.abc import Callable

from open_autoglm.errors import SandboxUnavailable, UnknownName
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.jupyter import JupyterSandbox
from open_autoglm.sandbox.backends.landlock import LandlockSandbox
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Readiness, Sandbox
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.sandbox.devices.gpu import Gpu
from open_autoglm.sandbox.policy import Policy

AUTO = "auto"


def backends(policy: Policy | None = None, runtime: str | None = None) -> tuple[Sandbox, ...]:
    """Return every backend of this version, the strongest first; one that stands in another comes after it.

    `policy` is what they hold code to, `runtime` what Docker starts containers by; None is the default.
    """
    docker, bubblewrap = DockerSandbox(policy=policy, runtime=runtime), BubblewrapSandbox(policy=policy)
    kernels = JupyterSandbox(around=(docker, bubblewrap))
    return (docker, bubblewrap, kernels, LandlockSandbox(policy=policy), ProcessSandbox(policy=policy))


def granted(name: str, gpu: Gpu, policy: Policy | None = None, runtime: str | None = None) -> Sandbox:
    """Return the backend of this name with one device shown in it; `policy` and `runtime` are as in `backends`.

    Raises:
        SandboxUnavailable: It shows none.
    """
    docker, bubblewrap = (
        DockerSandbox(gpu=gpu, policy=policy, runtime=runtime),
        BubblewrapSandbox(gpu=gpu, policy=policy),
    )
    makers: dict[str, Callable[[], Sandbox]] = {
        DockerSandbox.name: lambda: docker,
        BubblewrapSandbox.name: lambda: bubblewrap,
        JupyterSandbox.name: lambda: JupyterSandbox(around=(docker, bubblewrap)),
        ProcessSandbox.name: lambda: ProcessSandbox(gpu=gpu, policy=policy),
    }
    if name not in makers:
        raise SandboxUnavailable(f"The sandbox {name!r} shows no GPU to code. Use one of: {', '.join(makers)}.")
    return makers[name]()


def probe_all() -> list[Readiness]:
    """Find out what works here, the strongest backend first."""
    return [backend.probe() for backend in backends()]


def select_sandbox(name: str, *, author: Author, policy: Policy | None = None, runtime: str | None = None) -> Sandbox:
    """Return the backend for code of this author: the one asked for by name, or for `auto` the strongest that is ready.

    Who asks for a `runtime` of Docker's asks for Docker: nothing else takes its place.

    Raises:
        UnknownName: There is no backend of that name.
        SandboxUnavailable: The backend is not ready, or none is ready that may run this code.
    """
    known = {backend.name: backend for backend in backends(policy, runtime)}
    if runtime is not None:
        name = DockerSandbox.name if name == AUTO else name
        if name != DockerSandbox.name:
            raise SandboxUnavailable(
                f"The runtime {runtime!r} is Docker's, and the sandbox {name!r} has none. Leave one of them out."
            )
    if name != AUTO:
        if name not in known:
            raise UnknownName("sandbox", name, [AUTO, *known])
        readiness = known[name].probe()
        if not readiness.ready:
            raise SandboxUnavailable(f"The sandbox {name!r} is not ready: {readiness.reason}")
        return known[name]
    reasons = []
    for backend in known.values():
        readiness = backend.probe()
        if readiness.ready and (readiness.isolating or author is Author.RECIPES):
            return backend
        reasons.append(f"{backend.name}: {readiness.reason}")
    raise SandboxUnavailable(
        f"No isolating sandbox is ready, and code written by the {author.value} needs one. {' '.join(reasons)} "
        "'--sandbox process' runs it without isolation, at your own risk."
    )
