"""A sandbox whose sessions are kept warm between those who use them, and are replaced after a verdict that leaves doubt.

A session that was closed waits here with its fork servers, or its container, for the next who asks for the same size and profile. No
more of them wait than were in use at once; one that waits for long is closed. After any verdict but ok and error a session is closed at
once, and a fresh one begins to import: code that had to be killed may have left what nobody thought of.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.errors import SandboxError, SandboxUnavailable
from open_autoglm.sandbox.base import Job, Kernel, KernelSession, Limits, Profile, Readiness, Sandbox
from open_autoglm.sandbox.report import ExecutionReport, Status

IDLE_SECONDS = 600.0
GOOD = (Status.STATUS_OK, Status.STATUS_ERROR)


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes two sessions alike."""

    cpus: int = 2
    profile: Profile = Profile.TABULAR


@dataclass(slots=True)
class _Waiting:
    session: KernelSession
    kind: Kind
    since: float


@dataclass(slots=True)
class PooledSandbox:
    """Opens sessions of `sandbox`, the first one at its making, so that its imports run while the host's own do."""

    sandbox: Sandbox
    first: Kind = Kind()
    idle_seconds: float = IDLE_SECONDS
    name: str = field(init=False)
    isolating: bool = field(init=False)
    _waiting: list[_Waiting] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _timer: threading.Timer | None = None
    _closed: bool = False

    def __post_init__(self) -> None:
        """Open the first session; it warms up in the background."""
        self.name, self.isolating = self.sandbox.name, self.sandbox.isolating
        self._put(self._fresh(self.first), self.first)

    def probe(self) -> Readiness:
        """See `Sandbox.probe`."""
        return self.sandbox.probe()

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> "LentSession":
        """Lend a session; see `Sandbox.open`."""
        kind = Kind(cpus, profile)
        return LentSession(self, kind, self.take(kind))

    def take(self, kind: Kind) -> KernelSession:
        """Return the session of this kind that waited least, or a fresh one.

        Raises:
            SandboxUnavailable: It cannot be opened.
        """
        with self._lock:
            for number in reversed(range(len(self._waiting))):
                if self._waiting[number].kind == kind:
                    return self._waiting.pop(number).session
        return self._fresh(kind)

    def give_back(self, session: KernelSession, kind: Kind) -> None:
        """Keep a session for the next, unless this sandbox is closed."""
        with self._lock:
            if not self._closed:
                self._put(session, kind)
                return
        session.close()

    def discard(self, session: KernelSession, kind: Kind) -> None:
        """Close a session for good, and have another one ready for who used it."""
        with suppress(SandboxUnavailable):  # told to who asks for it
            self.give_back(self._fresh(kind), kind)
        session.close()

    def _fresh(self, kind: Kind) -> KernelSession:
        return self.sandbox.open(cpus=kind.cpus, profile=kind.profile)

    def _put(self, session: KernelSession, kind: Kind) -> None:
        self._waiting.append(_Waiting(session, kind, time.monotonic()))
        self._look_again()

    def _look_again(self) -> None:
        """See to it that what waits too long is closed, also if nobody ever asks again."""
        if self._timer is None and self._waiting:
            self._timer = threading.Timer(self.idle_seconds, self._close_old)
            self._timer.daemon = True
            self._timer.start()

    def _close_old(self) -> None:
        with self._lock:
            now = time.monotonic()
            old = [held for held in self._waiting if now - held.since >= self.idle_seconds]
            self._waiting = [held for held in self._waiting if held not in old]
            self._timer = None
            self._look_again()
        for held in old:
            held.session.close()

    def close(self) -> None:
        """Close all that waits, and from now on all that comes back. Idempotent."""
        with self._lock:
            self._closed = True
            left, self._waiting = self._waiting, []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for held in left:
            held.session.close()


class LentSession:
    """A session of a pool, which may be another one after each job; see `Session`."""

    def __init__(self, pool: PooledSandbox, kind: Kind, session: KernelSession) -> None:
        self._pool, self._kind = pool, kind
        self._session: KernelSession | None = session
        self._running = threading.Lock()
        self._closed = False
        self._spent = False

    def run(self, job: Job) -> ExecutionReport:
        """Run one job; the session it ran in is used again only if it ended by itself."""
        with self._running:
            if self._closed:
                raise SandboxError("This session is closed.")
            session = self._session = self._session or self._pool.take(self._kind)
            good = False
            try:
                report = session.run(job)
                good = report.status in GOOD
            finally:
                if not good:
                    self._session = None
                    self._pool.discard(session, self._kind)
            return report

    def kernel(
        self, *, inputs: Mapping[str, Path] | None = None, limits: Limits | None = None, collect: Path | None = None
    ) -> Kernel:
        """Start a kernel, see `KernelSession.kernel`; the session is not used by others afterwards."""
        with self._running:
            if self._closed:
                raise SandboxError("This session is closed.")
            self._session, self._spent = self._session or self._pool.take(self._kind), True
            return self._session.kernel(inputs=inputs, limits=limits, collect=collect)

    def cancel(self) -> None:
        """See `Session.cancel`."""
        session = self._session
        if session is not None:
            session.cancel()

    def close(self) -> None:
        """Cancel what runs, and give the session back. Idempotent."""
        self.cancel()
        with self._running:
            session, self._session, self._closed = self._session, None, True
        if session is not None:
            (self._pool.discard if self._spent else self._pool.give_back)(session, self._kind)
