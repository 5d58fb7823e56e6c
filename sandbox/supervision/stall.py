"""Notices that an execution neither works nor says anything: it waits for what will never come."""

from dataclasses import dataclass

WORKING = 0.01
"""Share of one processor below which a process that says nothing is not at work."""


@dataclass(slots=True)
class StallWatch:
    """Compares what an execution has used and said with what it had a while ago."""

    seconds: float
    """How long it may stand still."""
    _since: float | None = None
    _cpu: float = 0.0
    _said: int = 0

    def is_stalled(self, now: float, *, cpu_seconds: float, said_bytes: int) -> bool:
        """Look at it at a moment; return whether it has stood still for too long.

        Args:
            now: Seconds of a clock that never goes back.
            cpu_seconds: Processor time of its live processes; a smaller number than before means that some ended.
            said_bytes: What came out of it so far.
        """
        worked = abs(cpu_seconds - self._cpu) > WORKING * self.seconds
        if self._since is None or worked or said_bytes != self._said:
            self._since, self._cpu, self._said = now, cpu_seconds, said_bytes
        return now - self._since > self.seconds
