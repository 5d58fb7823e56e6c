"""A sandbox with a session that was opened ahead of time, so that its imports run while the host's own do."""

from dataclasses import dataclass, field

from open_autoglm.sandbox.base import Profile, Readiness, Sandbox, Session


@dataclass(slots=True)
class WarmSandbox:
    """Gives the session that was opened at its making to the first who asks for one of the same size."""

    sandbox: Sandbox
    cpus: int = 2
    name: str = field(init=False)
    isolating: bool = field(init=False)
    _waiting: list[Session] = field(init=False)

    def __post_init__(self) -> None:
        """Open the first session; it warms up in the background."""
        self.name, self.isolating = self.sandbox.name, self.sandbox.isolating
        self._waiting = [self.sandbox.open(cpus=self.cpus)]

    def probe(self) -> Readiness:
        """See `Sandbox.probe`."""
        return self.sandbox.probe()

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> Session:
        """See `Sandbox.open`."""
        if self._waiting and (cpus, profile) == (self.cpus, Profile.TABULAR):
            return self._waiting.pop()
        return self.sandbox.open(cpus=cpus, profile=profile)

    def close(self) -> None:
        """Close a session that nobody asked for. Idempotent."""
        while self._waiting:
            self._waiting.pop().close()
