"""What the nodes act through. One object per run; a worker's copy differs in its session alone."""

import asyncio
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from open_autoglm.agents.blocking import Blocking
from open_autoglm.agents.budget import Budget, StopFlag
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.search.base import SearchPolicy
from open_autoglm.agents.strategist import Question, Strategist
from open_autoglm.agents.workspace import Workspace
from open_autoglm.events import EventLog
from open_autoglm.sandbox.base import Sandbox, Session
from open_autoglm.tools.task import TaskSpec
from open_autoglm.tools.words import Words

Ask = Callable[[Question], str]
"""Puts a question to a person and returns the answer."""
Confirm = Callable[[TaskSpec, list[str], list[str]], TaskSpec | None]
"""Shows the task, what leaves the machine and where the policy departs from the default; returns the (edited) task, or None to go no further."""

MEMORY_SHARE = 0.6
"""Share of the machine's memory that all executions together may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The parts of a run."""

    workspace: Workspace
    journal: Journal
    budget: Budget
    strategist: Strategist
    sandbox: Sandbox
    session: Session
    """The session of this worker; the run graph's nodes use the first worker's."""
    sessions: tuple[Session, ...]
    """The session of each worker, in order."""
    policy: SearchPolicy
    blocking: Blocking
    events: EventLog
    stop: StopFlag
    ask: Ask | None = None
    confirm: Confirm | None = None
    checkpoints: Any = None
    """Where the graphs keep their cursors; known to `agents.graph` alone."""
    frames: Mapping[str, Any] = field(default_factory=dict)
    """Data frames given through the Python API, by the pseudo path that stands for them in the options."""
    suggesting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the worker that asks for the next trial until it is recorded: two that ask at once would get the same."""
    process: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Names this process in the run's clock."""

    @property
    def workers(self) -> int:
        """How many workers search side by side."""
        return len(self.sessions)

    @property
    def n_jobs(self) -> int:
        """Threads that one execution may use."""
        return jobs_for(self.workers)

    @property
    def memory_bytes(self) -> int:
        """Memory that one execution may use."""
        return int(psutil.virtual_memory().total * MEMORY_SHARE) // self.workers

    @property
    def say(self) -> Words:
        """What this run says, in its language: that of the task, and before there is one that of the prompt."""
        return Words(language=self.workspace.language)

    def save_clock(self) -> None:
        """Record the seconds that this process has used, so that a resumed run gets what is left."""
        self.journal.record_clock(self.process, self.budget.seconds - self.budget.spent_before)


def jobs_for(workers: int) -> int:
    """Return the threads that one execution may use beside those of the other workers."""
    return max(1, available_cpus() // workers)


def available_cpus() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
