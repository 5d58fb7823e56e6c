"""Jupyter: every job in a fresh kernel that is used once, inside a Docker container or bubblewrap.

Covered: what the sandbox around it covers (see `docker` and `bubblewrap`; the stronger one that is ready is taken). The kernel is the first
process of the execution's own namespaces. It gets one request, which runs the job and ends the process, by a socket that the host made; its
reply is not read. The verdict comes from the process and its control group, output from the process's streams, predictions from its
folder: as of every other execution. So code that was written for notebooks finds the IPython it expects, and a kernel that forges replies,
or patches itself, changes nothing.

Not covered: what the sandbox around it does not cover. Beside the job's own threads there are the kernel's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Protocol

from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.sealed import Found, SealedSandbox
from open_autoglm.sandbox.base import Readiness
from open_autoglm.sandbox.launch import Contained, Inside, Launcher, Seclusion
from open_autoglm.sandbox.policy import Policy


class Around(Protocol):
    """A backend that a kernel can be put into."""

    name: str

    def probe(self) -> Readiness:
        """Find out what works here."""
        ...

    def launcher(self, *, cpus: int) -> Launcher:
        """Return its way to start a fork server.

        Raises:
            SandboxUnavailable: It does not work here.
        """
        ...


@dataclass(slots=True)
class KernelLauncher:
    """Starts the fork server as `around` does; its executions become kernels."""

    around: Launcher
    backend: str = "jupyter"
    in_kernel: bool = True
    isolating: bool = field(init=False)
    tier: str = field(init=False)
    seclusion: Seclusion = field(init=False)
    policy: Policy = field(init=False)
    image: str = field(init=False)

    def __post_init__(self) -> None:
        """Take over what the sandbox around it is."""
        around = self.around
        self.isolating, self.tier, self.image = around.isolating, f"jupyter/{around.tier}", around.image
        self.seclusion, self.policy = around.seclusion, around.policy

    def inside(self, base: Path) -> Inside:
        """Return where things lie in the sandbox around it."""
        return self.around.inside(base)

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> Popen[bytes] | Contained:
        """Start it."""
        return self.around.start(base, control, environment, log)


class JupyterSandbox(SealedSandbox[Around]):
    """Runs code in kernels."""

    name = "jupyter"

    def __init__(self, *, imports: Sequence[str] | None = None, around: Sequence[Around] | None = None) -> None:
        self.imports = imports
        self._around = tuple(around or (DockerSandbox(), BubblewrapSandbox()))
        """Backends to put a kernel into, the strongest first."""

    def found(self) -> Found[Around]:
        """Look for the strongest sandbox that a kernel can be put into."""
        looked = [(around, around.probe()) for around in self._around]
        for around, readiness in looked:
            if readiness.ready:
                reason = f"Works, with a fresh kernel for every execution inside {readiness.backend}."
                told = {"around": readiness.backend, **readiness.details}
                return Found(way=around, tier=f"jupyter/{readiness.tier}", reason=reason, details=told)
        reasons = " ".join(f"{readiness.backend}: {readiness.reason}" for _, readiness in looked)
        return Found(reason=f"A kernel runs inside Docker or bubblewrap, and neither is ready. {reasons}")

    def start_by(self, way: Around, *, cpus: int) -> KernelLauncher:
        """Return its way, for kernels."""
        return KernelLauncher(way.launcher(cpus=cpus))
