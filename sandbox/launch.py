"""What a backend tells the common session about itself: how a fork server is started in it, and where things lie inside."""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from open_autoglm.sandbox.policy import Policy
from open_autoglm.sandbox.supervision.cgroup import Cgroup
from open_autoglm.sandbox.supervision.tree import MARK

PACKAGE = Path(__file__).parent
INSIDE = PACKAGE / "inside"


class Seclusion(StrEnum):
    """How one execution is kept from the next."""

    NAMESPACES = "namespaces"
    """Each in namespaces of its own, made after the fork: the kernel takes everything back when it ends."""
    SINGLE_USE = "single_use"
    """Each in a sandbox of its own: the fork server is replaced after every execution."""
    RULES = "rules"
    """Each under Landlock rules of its own, made after the fork; folders are emptied and processes killed from outside."""
    NONE = "none"
    """Nothing: folders are emptied and known processes killed."""

    @property
    def by_namespaces(self) -> bool:
        """Whether namespaces hold what an execution leaves, so that the kernel takes it back."""
        return self in (Seclusion.NAMESPACES, Seclusion.SINGLE_USE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """Paths as the executed code sees them."""

    job: str
    out: str
    work: str
    tmp: str
    writable: tuple[str, ...] = ()
    """The writable folders, the one for output first."""
    keep: tuple[str, ...] = ()
    """Folders that must stay visible where something new is mounted over their parents."""
    user: int | None = None
    """User, on the host, that nothing but this session's executions runs as."""
    confine: Mapping[str, Any] | None = None
    """Rules for an execution that shares the host's namespaces (see `confine`), as plain JSON."""


class Contained(ABC):
    """A fork server that an engine started in a container; speaks like a `subprocess.Popen`."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The container's first process, as this machine numbers it."""

    @abstractmethod
    def poll(self) -> int | None:
        """Return None while it starts or runs."""

    @abstractmethod
    def wait(self, timeout: float | None = None) -> int:
        """Wait until it is dead.

        Raises:
            subprocess.TimeoutExpired: It is not.
        """

    @abstractmethod
    def kill(self) -> None:
        """Kill everything in the container."""

    @abstractmethod
    def group(self) -> Cgroup:
        """Return the control group that the engine made for it.

        Raises:
            SandboxUnavailable: It cannot be read here.
        """


class Launcher(Protocol):
    """One backend's way to start a fork server."""

    backend: str
    tier: str
    isolating: bool
    seclusion: Seclusion
    policy: Policy
    in_kernel: bool
    """Whether each job is done by a Jupyter kernel of its own."""
    image: str
    """What the engine starts, by the hash of its content; empty where the host's own Python is shown."""

    def inside(self, base: Path) -> Inside:
        """Return where things lie, for a session whose folder on the host is `base`."""
        ...

    def start(
        self, base: Path, control: int, environment: Mapping[str, str], log: int
    ) -> subprocess.Popen[bytes] | Contained:
        """Start `forkserver.py` with the control socket `control` inherited under the same number, stderr into `log`.

        Raises:
            OSError: The program cannot be started.
        """
        ...


def module_path() -> list[str]:
    """Return the folders of installed packages that lie outside this Python's own prefixes."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix)}
    entries = [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    return [str(entry) for entry in entries if entry.is_dir() and not any(entry.is_relative_to(p) for p in prefixes)]


def environment(*, home: str, tmp: str, cpus: int, mark: str) -> dict[str, str]:
    """Return the whole environment of the inside; nothing of the host's comes along."""
    threads = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "LOKY_MAX_CPU_COUNT",
    )
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "HOME": home,
        "TMPDIR": tmp,
        "MPLCONFIGDIR": f"{tmp}/matplotlib",
        "JOBLIB_TEMP_FOLDER": tmp,
        "IPYTHONDIR": f"{tmp}/ipython",
        "JUPYTER_RUNTIME_DIR": f"{tmp}/jupyter",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "PYTHONNOUSERSITE": "1",
        "PYTHONPATH": os.pathsep.join(module_path()),
        MARK: mark,
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # a heap of huge pages, where the kernel has them, makes forks cheaper
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while others hold the processors slow LightGBM down a hundredfold
        **dict.fromkeys(threads, str(cpus)),
    }


def start_plainly(base: Path, control: int, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
    """Start the fork server as a plain child of this process, in the session's folder.

    Raises:
        OSError: The program cannot be started.
    """
    return subprocess.Popen(
        list(program(str(INSIDE / "forkserver.py"), control)),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=base,
        env=dict(environment),
        pass_fds=(control,),
        start_new_session=True,
    )


def program(script: str, control: int) -> Sequence[str]:
    """Return the command that runs the fork server at the path `script`."""
    return [sys.executable, "-P", script, str(control)]
