"""The session that all local backends share: one fork server, one job at a time, one report for each."""

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import Job, Kernel, Limits, Profile
from open_autoglm.sandbox.kernels.wires import Wires
from open_autoglm.sandbox.launch import Launcher, Seclusion
from open_autoglm.sandbox.policy.syscalls import filters
from open_autoglm.sandbox.report import SCHEMA_VERSION, ExecutionReport
from open_autoglm.sandbox.report_pb2 import Isolation, Resources, Status, Violation
from open_autoglm.sandbox.supervision import tree
from open_autoglm.sandbox.supervision.artefacts import Collection, collect
from open_autoglm.sandbox.supervision.cancellation import Cancellation
from open_autoglm.sandbox.supervision.exchange import Exchange
from open_autoglm.sandbox.supervision.execution import Execution
from open_autoglm.sandbox.supervision.folders import make_folder, remove
from open_autoglm.sandbox.supervision.orphans import clear_away
from open_autoglm.sandbox.supervision.proxy import PORT
from open_autoglm.sandbox.supervision.server import ForkServer
from open_autoglm.sandbox.supervision.servers import Servers
from open_autoglm.sandbox.supervision.watch import KIND

_WITH_ARTEFACTS = (Status.STATUS_OK, Status.STATUS_ERROR)
_NO_SPACE = ("[Errno 28]", "[Errno 27]")  # the device is full; the file is larger than allowed
_PROMISED = {"fit": "model/", "predict": "predictions.npy", "script": "out.csv", "notebook": "notebook.ipynb"}
"""Artefact of each call: a process that ended well without it did not do its job."""
KERNEL = "kernel"
"""The call that has an execution keep a Jupyter kernel until it is told to end."""
_PLAIN_FOLDERS = ("out", "work", "tmp")


class SupervisedSession:
    """Runs jobs by a fork server that `launcher` starts. Heals itself: a lost fork server is replaced."""

    def __init__(
        self,
        launcher: Launcher,
        *,
        cpus: int,
        profile: Profile = Profile.TABULAR,
        imports: Sequence[str] | None = None,
    ) -> None:
        self._launcher = launcher
        self._cpus = cpus
        clear_away()
        self._base = make_folder("session")
        separate, unguarded = launcher.seclusion.by_namespaces, launcher.seclusion is Seclusion.NONE
        self._policy = launcher.policy
        self._calls = None if unguarded else filters(self._policy, namespaces=separate)
        self._exchange = Exchange(
            self._base,
            copy_inputs=unguarded,
            folders=() if separate else _PLAIN_FOLDERS,
            user=launcher.inside(self._base).user,
        )
        self._exchange.wipe()
        self._running = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._cancelled = Cancellation()
        self._closed = False
        self._current: Execution | None = None
        self._servers = Servers(launcher, self._base, cpus, imports)
        self._servers.start(profile)

    def run(self, job: Job) -> ExecutionReport:
        """Run one job; see `Session.run`."""
        if not self._launcher.in_kernel:
            return self.attend(job, None)
        wires = Wires.make(once=True)
        try:
            return self.attend(job, wires)
        finally:
            wires.close()

    def kernel(
        self, *, inputs: Mapping[str, Path] | None = None, limits: Limits | None = None, collect: Path | None = None
    ) -> Kernel:
        """Start a kernel; see `Session.kernel`."""
        from open_autoglm.sandbox.kernels.kernel import SupervisedKernel  # noqa: PLC0415 - it stands on this module

        return SupervisedKernel(self, inputs=inputs or {}, limits=limits, collect=collect)

    def attend(self, job: Job, wires: Wires | None) -> ExecutionReport:
        """Run one job, as a Jupyter kernel where there are wires for one; see `run`."""
        with self._running:
            if self._closed:
                raise SandboxError("This session is closed.")
            if job.collect.exists() and (not job.collect.is_dir() or any(job.collect.iterdir())):
                raise SandboxError(f"The folder for artefacts {str(job.collect)!r} is not empty.")
            self._cancelled.clear()
            self._idle.clear()
            try:
                return self._run(job, wires)
            finally:
                self._idle.set()

    def _run(self, job: Job, wires: Wires | None) -> ExecutionReport:
        queued = time.monotonic()
        digest = self._exchange.fill(job)
        profile = self._servers.profile_for(job)
        server = self._servers.ready(profile, self._cancelled.is_set)
        if server is None:
            detail = "cancelled before it started"
            return ExecutionReport(**self._labels(job, digest), status=Status.STATUS_CANCELLED, detail=detail)
        job = replace(job, limits=job.limits.under(self._policy))
        execution = self._current = self._execution(server, job.limits, wires)
        waited = time.monotonic() - queued
        try:
            request = self._request(server, job, wires)
            execution.supervise(request)
            if (
                self._launcher.seclusion is not Seclusion.SINGLE_USE and job.call != KERNEL
            ):  # who restarts one would wait
                server.prepare(request)
            return self._report(job, digest, execution, waited)
        except BaseException:  # also an interrupt of this thread: nothing may go on running unwatched
            self._servers.drop(profile)
            raise
        finally:
            self._after(execution, profile)

    def _execution(self, server: ForkServer, limits: Limits, wires: Wires | None) -> Execution:
        plain = not self._launcher.seclusion.by_namespaces
        out = os.open(self._base / "out", os.O_RDONLY | os.O_DIRECTORY) if plain else None
        return Execution(
            server=server,
            limits=limits,
            seclusion=self._launcher.seclusion,
            cgroup=server.group,
            watched_folders=tuple(self._base / name for name in _PLAIN_FOLDERS) if plain else (),
            cancelled=self._cancelled,
            policy=self._policy,
            wires=wires,
            out=os.dup(server.writable[0]) if server.writable else out,
        )

    def _request(self, server: ForkServer, job: Job, wires: Wires | None = None) -> dict[str, Any]:
        inside, limits = server.inside, job.limits
        rlimits = {"NOFILE": limits.open_files}
        if server.group is None:
            if not job.gpu:  # CUDA maps far more than it uses
                rlimits["DATA"] = limits.memory_bytes + (1 << 30)  # what the fork server brought along, and room
            # NPROC counts all processes of a user; beside a group's limit it would hide what the group counts.
            if self._launcher.seclusion is not Seclusion.NONE:
                shared = inside.confine and inside.user is None
                others = tree.tasks_of(os.geteuid()) - tree.unreaped(server.process.pid) if shared else 0
                rlimits["NPROC"] = limits.processes + others
        return {
            "space": {
                "namespaces": self._launcher.seclusion is Seclusion.NAMESPACES,
                "disk_bytes": limits.disk_bytes,
                "inodes": self._policy.filesystem.inodes,
                "devices": self._policy.filesystem.devices,
                "keep": inside.keep,
                "calls": self._calls,
                "confine": inside.confine,
                "proxy": PORT if self._policy.network.access == "proxy" else None,
            },
            "rlimits": rlimits,
            "paths": {"job": inside.job, "out": inside.out, "work": inside.work},
            "cpus": None if limits.cpus == self._cpus else limits.cpus,
            "wires": wires and {"key": wires.key},
        }

    def _after(self, execution: Execution, profile: Profile) -> None:
        """Leave nothing behind; have the next fork server import in the meantime where each is used once."""
        if execution.out is not None:
            os.close(execution.out)
        if self._launcher.seclusion is Seclusion.SINGLE_USE and not self._closed:
            self._servers.drop(profile)
        self._exchange.wipe()
        if not self._closed and not self._servers.has(profile):
            self._servers.start(profile)

    def _labels(self, job: Job, digest: str, *, reported: bool = False) -> dict[str, Any]:
        launcher = self._launcher
        return {
            "schema_version": SCHEMA_VERSION,
            "execution_id": job.execution_id,
            "phase": job.phase,
            "job_sha256": digest,
            "wheelhouse_sha256": job.wheelhouse.sha256 if job.wheelhouse else "",
            "isolation": Isolation(
                backend=launcher.backend,
                tier=launcher.tier,
                isolating=launcher.isolating,
                policy_sha256=self._policy.digest if launcher.isolating else "",
                calls_reported=reported,
                image=launcher.image,
                device=job.gpu,
            ),
        }

    def _report(self, job: Job, digest: str, execution: Execution, waited: float) -> ExecutionReport:
        verdict, claims = execution.verdict, execution.claims
        _judge(execution)
        found = Collection()
        if verdict.status in _WITH_ARTEFACTS and execution.out is not None:
            found = collect(execution.out, job.collect, max_bytes=job.limits.disk_bytes)
            promised = _PROMISED.get(job.call)
            if promised and verdict.status == Status.STATUS_OK and not _holds(found, promised):
                verdict.status = Status.STATUS_ERROR
                verdict.detail = f"the process ended without having written {promised}"
        else:
            job.collect.mkdir(parents=True, exist_ok=True)
        return ExecutionReport(
            **self._labels(job, digest, reported=execution.reports_calls),
            status=verdict.status,
            detail=verdict.detail,
            exit_code=verdict.exit_code,
            signal=verdict.signal,
            started_at=verdict.started_at,
            queued_seconds=waited,
            wall_seconds=verdict.wall_seconds,
            exception=claims.exception,
            stdout=execution.stdout.as_message(),
            stderr=execution.stderr.as_message(),
            progress=claims.progress,
            artefacts=found.artefacts,
            refused=found.refused,
            resources=Resources(
                cpu_user_seconds=verdict.user_seconds,
                cpu_system_seconds=verdict.system_seconds,
                peak_memory_bytes=verdict.peak_bytes,
                peak_processes=verdict.peak_processes,
                throttled_seconds=verdict.throttled_seconds,
                oom_kills=verdict.oom_kills,
                process_limit_hits=verdict.process_limit_hits,
            ),
            violations=verdict.violations,
            connections=execution.proxy.connections() if execution.proxy else [],
            claimed_seconds=claims.seconds,
        )

    def cancel(self) -> None:
        """Kill what is running and return when it is dead; see `Session.cancel`."""
        if self._idle.is_set():
            return
        self._cancelled.set()
        self._idle.wait()

    def interrupt(self) -> None:
        """Send what is running the signal of Ctrl-C. Thread-safe; no effect when idle."""
        if not self._idle.is_set() and self._current is not None:
            self._current.interrupt()

    def close(self) -> None:
        """Free everything. Idempotent."""
        self.cancel()
        with self._running:
            if self._closed:
                return
            self._closed = True
            self._servers.close()
            self._cancelled.close()
            remove(self._base)


def _holds(found: Collection, promised: str) -> bool:
    """Whether a file of this name came over, or one in a folder of this name (with its '/')."""
    paths = [artefact.path for artefact in found.artefacts]
    return any(path.startswith(promised) for path in paths) if promised.endswith("/") else promised in paths


def _judge(execution: Execution) -> None:
    """Decide the status of an execution that ended by itself."""
    verdict, claimed = execution.verdict, execution.claims.exception
    if verdict.status != Status.STATUS_UNSPECIFIED:
        return
    if verdict.exit_code == 0 and verdict.signal == 0:
        verdict.status = Status.STATUS_OK
    elif verdict.signal == signal.SIGSYS and execution.seclusion is not Seclusion.NONE:
        detail = "killed by the filter of system calls"
        verdict.violations.append(Violation(kind=KIND, detail=detail, count=1, severity="high"))
        verdict.status, verdict.detail = Status.STATUS_VIOLATION, detail
    elif claimed is not None and claimed.type.endswith("MemoryError"):
        verdict.status, verdict.detail = Status.STATUS_OUT_OF_MEMORY, "the code ran into the limit on memory"
    elif claimed is not None and claimed.type == "OSError" and claimed.message.startswith(_NO_SPACE):
        verdict.status, verdict.detail = Status.STATUS_VIOLATION, execution.note_disk_limit()
    else:
        verdict.status = Status.STATUS_ERROR
