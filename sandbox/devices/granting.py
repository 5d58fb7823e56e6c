"""A session that runs jobs which ask for a GPU in a sandbox that shows one device, and all others in a sandbox that shows none."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.base import Job, Session
from open_autoglm.sandbox.devices.gpu import Gpu, Gpus, Nvml
from open_autoglm.sandbox.report import SCHEMA_VERSION, ExecutionReport, Status
from open_autoglm.sandbox.report_pb2 import Violation

CUDA = "cuda"


@cache
def local_gpus() -> Gpus | None:
    """Return the devices that all slots of this process share; None where there are none, or nobody can be asked."""
    driver = Nvml.find()
    found = None if driver is None else Gpus(driver)
    return found or None


@dataclass(slots=True)
class GrantingSession:
    """Keeps to one device from the first job on that asks for one. Without a driver, all jobs run as those that ask for none."""

    plain: Session
    """Shows no device."""
    open_with: Callable[[Gpu], Session]
    """Starts a session that shows one device.

    Raises:
        SandboxUnavailable: The backend cannot.
    """
    find: Callable[[], Gpus | None] = local_gpus
    """Asked when the first job needs it: the devices that all slots of this process share."""
    _granted: tuple[Gpu, Session, Gpus] | None = None
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def run(self, job: Job) -> ExecutionReport:
        """Run a job where it belongs; see `Session.run`.

        Raises:
            SandboxUnavailable: It asks for a GPU, and every one is in use by others or refused.
        """
        self._cancelled.clear()
        gpus = self.find() if job.device == CUDA else None
        if gpus is None:
            return self.plain.run(job)
        gpu, session, gpus = self._granted = self._granted or self._grant(gpus)
        with gpus.held(gpu, unwanted=self._cancelled.is_set) as held:
            if not held:
                return _cancelled(job)
            report = session.run(replace(job, gpu=gpu.uuid))
        why = gpus.refusal(gpu)
        if why is not None:
            report.violations.append(Violation(kind="gpu", detail=why, count=1, severity="high", subject=gpu.uuid))
            self._let_go()
        return report

    def _grant(self, gpus: Gpus) -> tuple[Gpu, Session, Gpus]:
        gpu = gpus.assign()
        try:
            return gpu, self.open_with(gpu), gpus
        except SandboxUnavailable:
            gpus.leave(gpu)
            raise

    def _let_go(self) -> None:
        if self._granted is not None:
            gpu, session, gpus = self._granted
            self._granted = None
            session.close()
            gpus.leave(gpu)

    def cancel(self) -> None:
        """Cancel what runs, or what waits for its device; see `Session.cancel`."""
        self._cancelled.set()
        granted = self._granted
        for session in (self.plain, *([granted[1]] if granted else [])):
            session.cancel()

    def close(self) -> None:
        """Free everything. Idempotent."""
        self.cancel()
        self._let_go()
        self.plain.close()


def _cancelled(job: Job) -> ExecutionReport:
    job.collect.mkdir(parents=True, exist_ok=True)
    return ExecutionReport(
        schema_version=SCHEMA_VERSION, execution_id=job.execution_id, phase=job.phase, status=Status.STATUS_CANCELLED,
        detail="cancelled before it had a GPU",
    )  # fmt: skip
