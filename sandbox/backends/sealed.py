"""What the isolating backends share: they find the best of their ways by trying, and start every session by it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.base import KernelSession, Profile, Readiness
from open_autoglm.sandbox.launch import Launcher
from open_autoglm.sandbox.supervision.session import SupervisedSession

Way = TypeVar("Way")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[Way]):
    """What trying gave."""

    way: Way | None = None
    """The best that works; None where none does."""
    tier: str = "none"
    reason: str
    """Why it is this one, or what to do."""
    details: Mapping[str, str] = field(default_factory=dict)


class SealedSandbox(ABC, Generic[Way]):
    """A backend that may run anybody's code."""

    name: str
    isolating = True
    imports: Sequence[str] | None = None
    """What every fork server imports; None for what the profile says."""

    @abstractmethod
    def found(self) -> Found[Way]:
        """Look for the best way; costs little after the first time in a process."""

    @abstractmethod
    def start_by(self, way: Way, *, cpus: int) -> Launcher:
        """Return that way for one session.

        Raises:
            SandboxUnavailable: What this backend was told to show is not there.
        """

    def probe(self) -> Readiness:
        """Find out what works, by running a job that does nothing."""
        found = self.found()
        return Readiness(
            backend=self.name,
            ready=found.way is not None,
            isolating=self.isolating,
            tier=found.tier,
            reason=found.reason,
            details=dict(found.details),
        )

    def launcher(self, *, cpus: int) -> Launcher:
        """Return the best way that works here to start a fork server.

        Raises:
            SandboxUnavailable: None does.
        """
        found = self.found()
        if found.way is None:
            raise SandboxUnavailable(found.reason)
        return self.start_by(found.way, cpus=cpus)

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> KernelSession:
        """Start a session; its fork server starts and imports in the background.

        Raises:
            SandboxUnavailable: No way works here.
        """
        return SupervisedSession(self.launcher(cpus=cpus), cpus=cpus, profile=profile, imports=self.imports)
