"""The fork servers of one session: one for each profile that its jobs asked for, replaced when lost."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.base import Job, Profile
from open_autoglm.sandbox.bundles.profiles import IMPORTS, KERNEL_IMPORTS, profile_of
from open_autoglm.sandbox.launch import Launcher
from open_autoglm.sandbox.supervision.server import ForkServer

IDLE_SECONDS = 600.0
"""How long a server of another profile is kept without a job."""


@dataclass(slots=True)
class FiledServer:
    """A fork server and when it was last wanted."""

    server: ForkServer
    wanted_at: float
    used: bool = False


@dataclass(slots=True)
class Servers:
    """Starts them ahead, finds the one for a job, stops them all."""

    launcher: Launcher
    base: Path
    cpus: int
    imports: Sequence[str] | None = None
    """What all of them import, whatever the profile; None for what the profile says."""
    idle_seconds: float = IDLE_SECONDS
    _held: dict[Profile, FiledServer] = field(default_factory=dict)

    def start(self, profile: Profile) -> ForkServer:
        """Start one; its imports go on in the background.

        Raises:
            SandboxUnavailable: It cannot be started.
        """
        names = IMPORTS[profile] if self.imports is None else self.imports
        first = KERNEL_IMPORTS if self.launcher.in_kernel or profile is Profile.KERNEL else ()
        server = ForkServer.start(self.launcher, self.base, cpus=self.cpus, imports=names, first=first)
        self._held[profile] = FiledServer(server, time.monotonic())
        return server

    def profile_for(self, job: Job) -> Profile:
        """Return the profile to run this job in: any that is there has what plain code needs."""
        if self.imports is not None:
            return next(iter(self._held), Profile.TABULAR)
        wanted = profile_of(job)
        return next(iter(self._held), wanted) if wanted is Profile.PLAIN else wanted

    def ready(self, profile: Profile, interrupted: Callable[[], bool]) -> ForkServer | None:
        """Return one of this profile that takes requests, starting another where the last one is gone; None when interrupted.

        Raises:
            SandboxUnavailable: None gets ready, twice.
        """
        self._drop_others(profile)
        try:
            return self._await(profile, interrupted)
        except SandboxUnavailable:  # once more: it may have died while nobody looked
            return self._await(profile, interrupted)

    def _await(self, profile: Profile, interrupted: Callable[[], bool]) -> ForkServer | None:
        held = self._held.get(profile)
        if held is None or (held.server.ready and not held.server.is_alive()):
            self.drop(profile)
            self.start(profile)
            held = self._held[profile]
        try:
            ready = held.server.wait(interrupted)
        except SandboxUnavailable:
            self.drop(profile)
            raise
        held.wanted_at, held.used = time.monotonic(), True
        return held.server if ready else None

    def _drop_others(self, profile: Profile) -> None:
        """Stop those that nobody wanted for long, or that were started on a wrong guess."""
        now = time.monotonic()
        for other, held in list(self._held.items()):
            if other is not profile and (not held.used or now - held.wanted_at > self.idle_seconds):
                self.drop(other)

    def drop(self, profile: Profile) -> None:
        """Stop the one of this profile, if there is one; all of it is dead then."""
        held = self._held.pop(profile, None)
        if held is not None:
            held.server.stop()

    def close(self) -> None:
        """Stop all."""
        for profile in list(self._held):
            self.drop(profile)

    def has(self, profile: Profile) -> bool:
        """Whether one of this profile is there, perhaps still importing."""
        return profile in self._held
