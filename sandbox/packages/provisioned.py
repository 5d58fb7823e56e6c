"""A session that brings the packages which the code of a job wishes for. A wish that cannot be had is a failure of the code, so a report."""

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.backends.image import added_for_gpus, locked
from open_autoglm.sandbox.base import Job, Readiness, Session
from open_autoglm.sandbox.packages.wheelhouse import Wheelhouses
from open_autoglm.sandbox.packages.wishes import WishRefused
from open_autoglm.sandbox.report import SCHEMA_VERSION, ExecutionReport, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedSession:
    """Resolves what a job requires before it hands the job on."""

    session: Session
    wheelhouses: Wheelhouses

    def run(self, job: Job) -> ExecutionReport:
        """Run a job with its packages, as the session beneath does.

        Raises:
            SandboxError: The session failed, or the packages cannot be kept on this machine.
        """
        try:
            wheelhouse = self.wheelhouses.fulfil(job.requirements)
        except WishRefused as refusal:
            job.collect.mkdir(parents=True, exist_ok=True)
            return ExecutionReport(
                schema_version=SCHEMA_VERSION, execution_id=job.execution_id, phase=job.phase, status=Status.STATUS_ERROR,
                detail=str(refusal),
            )  # fmt: skip
        except OSError as error:
            raise SandboxError(f"Packages that code wishes for cannot be kept: {error}") from error
        return self.session.run(replace(job, wheelhouse=wheelhouse))

    def cancel(self) -> None:
        """See `Session.cancel`."""
        self.session.cancel()

    def close(self) -> None:
        """See `Session.close`."""
        self.session.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """Where packages that code wishes for are kept, and which it may wish for beside the usual ones."""

    cache: Path
    allowed: Sequence[str] = ()

    def provide(self, session: Session, ready: Readiness, *, gpu: bool = False) -> ProvisionedSession:
        """Return a session of the backend that was probed, with the packages that its jobs require; `gpu` says whether it shows one."""
        wheelhouses = Wheelhouses(self.cache, installed=installed_in(ready, gpu=gpu), allowed=self.allowed)
        return ProvisionedSession(session=session, wheelhouses=wheelhouses)


class _OwnPackages(Mapping[str, str]):
    """Name to version of what is installed beside this program; looked up when asked, since a list of all takes a tenth of a second."""

    def __getitem__(self, name: str) -> str:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter({canonicalize_name(found.name) for found in importlib.metadata.distributions() if found.name})

    def __len__(self) -> int:
        return sum(1 for _ in self)


def installed_in(ready: Readiness, *, gpu: bool = False) -> Mapping[str, str]:
    """Return name and version of every package that executions find in a backend: its image's, else this Python's own."""
    if "image" in ready.details:
        pins = (*locked(), *(added_for_gpus() if gpu else ()))
        return {canonicalize_name(name): version for name, version in (line.split("==") for line in pins)}
    return _OwnPackages()
