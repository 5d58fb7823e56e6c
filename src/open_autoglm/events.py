"""What happened, in order: the append-only event log that every surface reads.

The log is derived from the run, never its truth: the journal is. Events hold plain JSON and no cell of the data.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

SCHEMA_VERSION = 1

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
"""What JSON can hold."""


class EventKind(StrEnum):
    """What an event tells. Consumers ignore kinds they do not know."""

    RUN_STARTED = "run.started"
    RUN_RESUMED = "run.resumed"
    STAGE_STARTED = "stage.started"
    STAGE_FINISHED = "stage.finished"
    TASK_UNDERSTOOD = "task.understood"
    ATTEMPT_STARTED = "attempt.started"
    ATTEMPT_FINISHED = "attempt.finished"
    EXECUTION_FINISHED = "execution.finished"
    BEST_IMPROVED = "best.improved"
    STRATEGIST_DEGRADED = "strategist.degraded"
    """The language model is not asked any more; recipes write from here on."""
    WARNING = "warning"
    RUN_FINISHED = "run.finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the log."""

    seq: int
    time: float
    """Seconds since the epoch."""
    run_id: str
    kind: EventKind
    data: Mapping[str, Json]

    def as_line(self) -> str:
        """Return the event as one line of JSON, without the line end."""
        record = {"schema": SCHEMA_VERSION, "seq": self.seq, "time": self.time, "run_id": self.run_id}
        return json.dumps({**record, "event": self.kind, "data": self.data}, ensure_ascii=False, default=str)


Listener: TypeAlias = Callable[[Event], None]


@dataclass(slots=True)
class EventLog:
    """Appends events to `path` (or only tells its listeners, where there is none). Thread-safe."""

    run_id: str
    path: Path | None = None
    listeners: list[Listener] = field(default_factory=list)
    clock: Callable[[], float] = time.time
    _seq: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """Go on counting where an earlier process left off, on a line of its own."""
        if self.path is None or not self.path.exists():
            return
        text = self.path.read_bytes()
        if text and not text.endswith(b"\n"):  # the earlier process died in the middle of a line
            with self.path.open("ab") as file:
                file.write(b"\n")
        self._seq = text.count(b"\n")

    def emit(self, kind: EventKind, /, **data: Json) -> Event:
        """Record one event and tell every listener."""
        with self._lock:
            self._seq += 1
            event = Event(seq=self._seq, time=self.clock(), run_id=self.run_id, kind=kind, data=data)
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(event.as_line() + "\n")
        for listener in self.listeners:
            listener(event)
        return event


def read_events(path: Path) -> Iterator[dict[str, Json]]:
    """Yield the events of a log, oldest first; a line cut short by a crash, or damaged, is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and isinstance(record.get("data"), dict) and "event" in record:
                yield record
