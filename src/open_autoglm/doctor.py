"""What works on this machine, what does not, and what to do about it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from open_autoglm.errors import AutoGLMError, SandboxUnavailable
from open_autoglm.events import Json
from open_autoglm.sandbox.base import Readiness
from open_autoglm.tools.export.words import size_text

if TYPE_CHECKING:
    from open_autoglm.agents.glm.asking import Abilities
    from open_autoglm.agents.glm.endpoint import Endpoint

Verdict: TypeAlias = Literal["ok", "note", "problem"]
Ask: TypeAlias = Callable[["Endpoint"], "Abilities"]
Probe: TypeAlias = Callable[[], Sequence[Readiness]]

PACKAGES = ("open-autoglm", "pandas", "numpy", "scikit-learn", "lightgbm", "optuna", "langgraph", "pydantic")
EXTRA_PACKAGES = ("catboost", "xgboost", "torch")
"""Used where they are installed; the extra that brings them is `boost` or `train`."""
VLLM_PORT = 8000
CONNECT_SECONDS = 0.3
NEARBY_SECONDS = 2.0
DISK_WANTED_BYTES = 2 << 30
MEMORY_WANTED_BYTES = 4 << 30
COVERED = "What each sandbox covers, what it does not and how to step up: docs/security.md in the sources."
_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the check-up."""

    subject: str
    verdict: Verdict
    text: str
    """What was found and, where it is no `ok`, what to do."""
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUp:
    """Everything that was found."""

    findings: tuple[Finding, ...]
    isolated: bool
    """Whether a sandbox that may run code of a model is ready."""

    @property
    def exit_code(self) -> int:
        """0, or 54 if no isolating sandbox is ready."""
        return 0 if self.isolated else SandboxUnavailable.exit_code

    def as_text(self) -> str:
        """Return the check-up for a reader."""
        lines = [f"{_MARKS[finding.verdict]}  {finding.subject}: {finding.text}" for finding in self.findings]
        ready = (
            "Ready." if self.isolated else "No isolating sandbox is ready: written code would run without protection."
        )
        return "\n".join([*lines, "", ready, COVERED])

    def as_record(self) -> dict[str, Json]:
        """Return the object that `doctor --json` prints."""
        return {"ready": self.isolated, "findings": [asdict(finding) for finding in self.findings]}


def examine(
    *, probe: Probe, endpoint: "Endpoint | None", root: Path, port: int = VLLM_PORT, ask: Ask | None = None
) -> CheckUp:
    """Look at everything. Starts sandboxes for a moment; puts two short questions to the endpoint, with nothing of the user's in them.

    `root` is where runs are written; `endpoint` the one that is named, if any; `ask` what finds out what it can do.
    """
    backends = list(probe())
    return CheckUp(
        findings=(
            *_pythons(),
            _kernel(),
            *(_backend(readiness) for readiness in backends),
            _language_model(endpoint, port, ask or _ask),
            _gpu(),
            _disk(root),
            _machine(),
        ),
        isolated=any(readiness.ready and readiness.isolating for readiness in backends),
    )


def probe_backends() -> Sequence[Readiness]:
    """Probe every backend of this version."""
    from open_autoglm.sandbox.choice import probe_all  # noqa: PLC0415 - only doctor pays for it

    return list(probe_all())


def _pythons() -> tuple[Finding, ...]:
    version = platform.python_version()
    python = Finding(
        subject="python", verdict="ok", text=f"{version} on {platform.platform(terse=True)} ({sys.executable})"
    )
    present = {name: text for name in (*PACKAGES, *EXTRA_PACKAGES) if (text := _version(name)) is not None}
    missing = [name for name in PACKAGES if name not in present]
    listed = ", ".join(f"{name} {text}" for name, text in present.items())
    if missing:
        text = f"missing: {', '.join(missing)}. Install open-autoglm again: pip install --force-reinstall open-autoglm"
        return python, Finding(subject="packages", verdict="problem", text=text, details=present)
    return python, Finding(subject="packages", verdict="ok", text=listed, details=present)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _kernel() -> Finding:
    """Say what the kernel offers for isolation; what it lacks is a problem only where no sandbox is ready."""
    from open_autoglm.sandbox.backends.machine import features  # noqa: PLC0415 - only doctor pays for it

    found = features()
    told = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in found.items())
    return Finding(subject="kernel", verdict="ok", text=told, details=found)


def _backend(readiness: Readiness) -> Finding:
    subject = f"sandbox {readiness.backend}"
    text = readiness.reason if readiness.ready else f"not ready: {readiness.reason}"
    good = readiness.ready and readiness.isolating
    return Finding(subject=subject, verdict="ok" if good else "note", text=text, details=dict(readiness.details))


def _language_model(endpoint: "Endpoint | None", port: int, ask: Ask) -> Finding:
    """Say what the named endpoint can do, or where one is that could be named."""
    if endpoint is None:
        return Finding(subject="language model", verdict="ok", text=_found_nearby(port))
    try:
        abilities = ask(endpoint)
    except AutoGLMError as error:
        text = f"{error} Until it does, recipes write the code."
        return Finding(subject="language model", verdict="problem", text=text, details={"base_url": endpoint.shown})
    unsafe = " Its key crosses the network unencrypted: use https." if endpoint.shows_key else ""
    return Finding(
        subject="language model",
        verdict="ok" if abilities.suits and not unsafe else "note",
        text=f"{endpoint.shown} {abilities.as_text()}{unsafe}",
        details={"base_url": endpoint.shown, **abilities.as_details()},
    )


def _found_nearby(port: int) -> str:
    """Point to an endpoint on vLLM's port of this machine. It is asked what it serves, and nothing else: nobody named it."""
    none = "no endpoint is named, and none is needed: recipes write the code, offline. docs/glm.md shows three ways to have one."
    if not listens(port):
        return none
    from open_autoglm.agents.glm.endpoint import Endpoint  # noqa: PLC0415 - only where somebody listens
    from open_autoglm.agents.glm.serving.status import Pages  # noqa: PLC0415 - as above

    near = Endpoint(base_url=f"http://127.0.0.1:{port}/v1")
    try:
        with Pages(near, answer_seconds=NEARBY_SECONDS) as pages:
            models, _ = pages.served()
    except AutoGLMError:
        return f"{none} Something listens on 127.0.0.1:{port}, the port of vLLM, but it lists no models."
    names = ", ".join(model.name for model in models)
    return f"{near.shown} serves {names}, and is not used, since nothing names it. To use it: export AUTOGLM_BASE_URL={near.shown}"


def listens(port: int) -> bool:
    """Whether anything on this machine takes connections at a port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _ask(endpoint: "Endpoint") -> "Abilities":
    from open_autoglm.agents.glm.asking import ask_endpoint  # noqa: PLC0415 - only where an endpoint is named

    return ask_endpoint(endpoint)


def _gpu() -> Finding:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding(subject="gpu", verdict="ok", text="none found (nvidia-smi is not there); recipes need none.")
    command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(subject="gpu", verdict="note", text=f"nvidia-smi does not answer ({type(error).__name__}).")
    names = "; ".join(line.strip() for line in answer.splitlines() if line.strip())
    return Finding(subject="gpu", verdict="ok", text=f"{names}{_gpu_hint()}" if names else "none found")


def _gpu_hint() -> str:
    """Return what is missing before code can be given a GPU; empty where nothing is."""
    if importlib.util.find_spec("pynvml") is not None:
        return ""
    return " (not given to code: nobody could tell whether it is idle again. Install what can: pip install 'open-autoglm[gpu]')"


def _disk(root: Path) -> Finding:
    folder = root.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{size_text(free)} free in {folder}"
    if not os.access(folder, os.W_OK):
        text = f"{folder} cannot be written: name another folder with --out, or root in the settings."
        return Finding(subject="disk", verdict="problem", text=text)
    if free < DISK_WANTED_BYTES:
        return Finding(
            subject="disk", verdict="problem", text=f"only {text}; a run wants {size_text(DISK_WANTED_BYTES)}."
        )
    return Finding(subject="disk", verdict="ok", text=text)


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory_bytes()
    text = f"{cores} cores, {size_text(memory) if memory else 'unknown'} memory"
    scarce = memory is not None and memory < MEMORY_WANTED_BYTES
    return Finding(subject="machine", verdict="note" if scarce else "ok", text=text + (" (little)" if scarce else ""))


def _memory_bytes() -> int | None:
    """Return the memory that this process may use: the machine's, or its container's if that is less."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no cgroup here, or no limit in it ("max")
            continue
    return total
