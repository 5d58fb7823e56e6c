"""The contract between the agents and every place where generated code can run.

A sandbox is opened once and gives sessions; a session runs jobs one after another, each in a process, work folder
and /tmp of its own. A failure *in* the sandbox is an ExecutionReport; a failure *of* it raises SandboxError.
An implementation proves itself by passing `open_autoglm.sandbox.contracts.conformance`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from open_autoglm.events import Json
from open_autoglm.sandbox.policy import Ceilings, Policy, default_policy
from open_autoglm.sandbox.report import ExecutionReport


class Profile(StrEnum):
    """A kind of fork server, by what it has imported."""

    PLAIN = "plain"
    """Nothing: for code that needs the standard library alone, or starts programs of its own."""
    TABULAR = "tabular"
    """What solutions on tables use."""
    TORCH = "torch"
    """The same, and torch."""
    KERNEL = "kernel"
    """What solutions on tables use, and what a Jupyter kernel needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one execution may use. Past a limit the whole process tree is killed (or the call inside fails)."""

    wall_seconds: float
    memory_bytes: int
    processes: int = field(default_factory=lambda: default_policy().limits.processes)
    disk_bytes: int = field(default_factory=lambda: default_policy().limits.disk_bytes)
    output_bytes: int = field(default_factory=lambda: default_policy().limits.output_bytes)
    """stdout and stderr together; the report keeps a bounded head and tail of each."""
    open_files: int = field(default_factory=lambda: default_policy().limits.open_files)
    cpus: int = 2
    """Processors it gets, where the kernel can hold it to that, and threads that numeric libraries are told to use."""
    stall_seconds: float = field(default_factory=lambda: default_policy().limits.stall_seconds)
    """How long it may neither say anything nor use a processor."""

    def under(self, policy: Policy) -> "Limits":
        """Return them with this policy's in place of the default policy's."""
        usual, own = default_policy().limits, policy.limits
        names = [name for name in Ceilings.model_fields if getattr(self, name) == getattr(usual, name)]
        return replace(self, **{name: getattr(own, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheelhouse:
    """A folder of unpacked packages; see `wheelhouse`."""

    path: Path
    sha256: str
    """Of the names and the hashes of the wheels that it was made of."""
    pins: tuple[str, ...]
    """What it holds, sorted: `polars==1.2.0`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One execution: a bundle's code, one entry of the runtime, its inputs."""

    execution_id: str
    phase: str
    """A label for the report: smoke, fit, predict, refit, verify, notebook."""
    call: str
    """Entry of the runtime to run: `fit`, `predict`, `script` or `notebook` (see `sandbox.inside.runtime.driver`)."""
    code: Mapping[str, str]
    """Relative file name to text: `solution.py` and its helpers; read-only inside."""
    context: Mapping[str, Json]
    """What becomes `Context` inside: task, params, seed, n_jobs, device, request. Plain JSON, opaque to the sandbox."""
    inputs: Mapping[str, Path]
    """Name inside to a host file or folder; read-only inside, seen under that opaque name only."""
    limits: Limits
    collect: Path
    """Host folder that receives the artefacts once the process tree is dead; it must not exist or be empty."""
    device: str = "cpu"
    """What the code may use: `cpu`; or `cuda` for a GPU, where the machine has one (see `granting`)."""
    gpu: str = ""
    """The GPU that it was granted, by its unique name."""
    requirements: Sequence[str] = ()
    """Packages that the code wishes for; see `wishes`. Resolved by `provisioned.ProvisionedSession`."""
    wheelhouse: Wheelhouse | None = None
    """Packages that were resolved for it: last on the module path of this execution alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a backend can do on this machine, found by probing it and not by guessing."""

    backend: str
    ready: bool
    isolating: bool
    """Whether code that a model wrote may run in it."""
    tier: str
    """Name of the isolation tier, printed in every report."""
    reason: str
    """One sentence: why it is ready, or what is missing and how to get it."""
    details: Mapping[str, str] = field(default_factory=dict)


class CellEnd(StrEnum):
    """How the execution of a cell ended, as seen from outside."""

    ANSWERED = "answered"
    """The kernel says that it is done; whether well is its claim."""
    INTERRUPTED = "interrupted"
    """Time was up, or somebody asked: the cell was stopped, and what it had made before is still there."""
    LOST = "lost"
    """The kernel ended, or was ended: nothing of its state is left. `restart` begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOutput:
    """One piece of output that a kernel says its cell made, without anything that a terminal or a page would obey."""

    kind: Literal["stdout", "stderr", "display", "result", "error"]
    text: str
    html: str = ""
    """Tables and text formatting: no script, no style, no link, nothing that would be loaded."""
    png: bytes = b""
    """A picture of a bounded size; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What came of a cell. Nothing in it makes a score: what is claimed was said by the kernel, which the cell can forge."""

    end: CellEnd
    detail: str = ""
    """One sentence on an end that needs it."""
    wall_seconds: float
    claimed_ok: bool = False
    claimed_outputs: tuple[CellOutput, ...] = ()
    left_out: int = 0
    """Pieces of output that there was no room for."""


class Kernel(Protocol):
    """Cells that share their state, for conversations and notebooks: one long execution of a session."""

    def execute(self, code: str, *, timeout_seconds: float = 60.0) -> CellResult:
        """Run a cell. When time is up it is interrupted, and where that does not help everything in the sandbox is killed.

        Raises:
            SandboxError: The kernel was lost or closed before; `restart` gives another.
        """
        ...

    def interrupt(self) -> None:
        """Stop the cell that runs, as Ctrl-C would. Thread-safe; no effect when idle."""
        ...

    def restart(self) -> None:
        """End it with everything it knows, and start another.

        Raises:
            SandboxError: The sandbox failed, or the kernel is closed.
        """
        ...

    def close(self) -> ExecutionReport:
        """End it; return what was seen of it from outside. Idempotent."""
        ...


class Session(Protocol):
    """A warm place that runs jobs one at a time. Use as many sessions as there are workers."""

    def run(self, job: Job) -> ExecutionReport:
        """Run one job to its end, its limits or its cancellation. Blocking; call it from a thread.

        Raises:
            SandboxError: The sandbox failed; nothing is known about the outcome.
        """
        ...

    def cancel(self) -> None:
        """Kill what is running, the whole tree, and return when it is dead. Thread-safe; no effect when idle."""
        ...

    def close(self) -> None:
        """Free everything. Idempotent."""
        ...


class KernelSession(Session, Protocol):
    """A session that can also keep a kernel."""

    def kernel(
        self, *, inputs: Mapping[str, Path] | None = None, limits: Limits | None = None, collect: Path | None = None
    ) -> Kernel:
        """Start a kernel, which has the session for itself until it is closed.

        Args:
            inputs: Name to a host file or folder; read-only, seen under that name in the kernel's working directory.
            limits: Of all cells together; by default without limits on time.
            collect: Host folder that receives what lies in the folder for output when the kernel is closed.

        Raises:
            SandboxError: The sandbox failed.
        """
        ...


class Sandbox(Protocol):
    """One backend."""

    name: str
    isolating: bool

    def probe(self) -> Readiness:
        """Find out what works here. Never raises."""
        ...

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> KernelSession:
        """Start a session, with a fork server for code of this profile on its way; other code can be run, too.

        Raises:
            SandboxUnavailable: The backend does not work on this machine; the message says how to mend that.
        """
        ...
