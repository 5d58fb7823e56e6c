"""Ordinary child processes of this user: no isolation.

Covered: the whole process tree is killed (by descent and by a mark in the environment; for certain where control groups
can be made), limits on time, output, disk and, where control groups or /proc are there, memory and processes; an
emptied environment; a work folder and TMPDIR of its own for every execution; the host's input files are copies.

Not covered: the code can read and write whatever this user can, use the network, read other processes of the user,
leave files in /tmp for a later execution, and kill its own fork server. On systems without /proc only the process group
is killed, and memory is not limited. For code from a model or a stranger use an isolating backend.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from open_autoglm.sandbox.base import KernelSession, Profile, Readiness
from open_autoglm.sandbox.devices.gpu import Gpu
from open_autoglm.sandbox.launch import Inside, Seclusion, start_plainly
from open_autoglm.sandbox.policy import Policy, default_policy
from open_autoglm.sandbox.supervision.session import SupervisedSession


class ProcessLauncher:
    """Starts the fork server as a plain child."""

    backend = "process"
    tier = "process"
    isolating = False
    in_kernel = False
    seclusion = Seclusion.NONE
    image = ""

    def __init__(self, gpu: Gpu | None = None, policy: Policy | None = None) -> None:
        self.policy = policy or default_policy()
        """Its limits hold here, too; its other rules need isolation."""
        self._variables = gpu.variables if gpu else {"CUDA_VISIBLE_DEVICES": ""}

    def inside(self, base: Path) -> Inside:
        """Return the host's own paths."""
        return Inside(job=str(base / "job"), out=str(base / "out"), work=str(base / "work"), tmp=str(base / "tmp"))

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
        """Start it in the session's folder."""
        return start_plainly(base, control, {**environment, **self._variables}, log)


class ProcessSandbox:
    """Runs code as this user, without isolation. Warns by `Readiness.isolating` and by its name in every report."""

    name = "process"
    isolating = False

    def __init__(
        self, *, imports: Sequence[str] | None = None, gpu: Gpu | None = None, policy: Policy | None = None
    ) -> None:
        self._imports = imports
        self._policy = policy
        self._gpu = gpu

    def probe(self) -> Readiness:
        """Works wherever processes can be forked."""
        return Readiness(
            backend=self.name,
            ready=hasattr(os, "fork"),
            isolating=False,
            tier=ProcessLauncher.tier,
            reason="Runs code as you, without isolation: only for code that you would run yourself."
            if hasattr(os, "fork")
            else "This system cannot fork processes; use a Linux machine, WSL or a container.",
            details={"python": sys.version.split()[0]},
        )

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> KernelSession:
        """Start a session; its fork server imports in the background."""
        return SupervisedSession(
            ProcessLauncher(self._gpu, self._policy), cpus=cpus, profile=profile, imports=self._imports
        )
