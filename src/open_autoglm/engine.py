"""What runs a request: the seam between the front door and the agents. `scripted_engine` holds its fake."""

import functools
import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypedDict

from open_autoglm.agents.header import read_header
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome
from open_autoglm.events import Listener
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.settings import api_key
from open_autoglm.tools.task import BudgetSpec, TaskSpec

if TYPE_CHECKING:
    import pandas as pd

    from open_autoglm.agents.budget import StopFlag
    from open_autoglm.agents.strategist import Question

    Ask: TypeAlias = Callable[[Question], str]
    Confirm: TypeAlias = Callable[[TaskSpec, list[str], list[str]], TaskSpec | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How a run talks to whoever started it."""

    listeners: Sequence[Listener] = ()
    ask: "Ask | None" = None
    confirm: "Confirm | None" = None
    stop: "StopFlag | None" = None
    began: float | None = None
    """When the command began, in seconds since the epoch; its time counts. None: from the call on."""

    def as_keywords(self) -> "HookKeywords":
        """Return them as `start_run` and `resume_run` take them; `head_start` is what passed until now."""
        head_start = 0.0 if self.began is None else max(0.0, time.time() - self.began)
        return {
            "listeners": self.listeners,
            "ask": self.ask,
            "confirm": self.confirm,
            "stop": self.stop,
            "head_start": head_start,
        }


class HookKeywords(TypedDict):
    """Where a run meets people, as keywords."""

    listeners: Sequence[Listener]
    ask: "Ask | None"
    confirm: "Confirm | None"
    stop: "StopFlag | None"
    head_start: float


class Engine(Protocol):
    """Starts and resumes runs. Both calls block until the run has ended, and raise AutoGLMError."""

    def start(self, options: RunOptions, *, frames: "Mapping[str, pd.DataFrame] | None", hooks: Hooks) -> Outcome:
        """Run a request to its end."""
        ...

    def resume(self, run_dir: Path, *, budget: BudgetSpec | None, hooks: Hooks) -> Outcome:
        """Go on with an earlier run."""
        ...


class AgentEngine:
    """The real one: the state machine of `open_autoglm.agents`."""

    def start(self, options: RunOptions, *, frames: "Mapping[str, pd.DataFrame] | None", hooks: Hooks) -> Outcome:
        """Run a request to its end."""
        with _warm(options) as sandbox:
            with _without_collection():
                from open_autoglm.agents.glm.connecting import connected  # noqa: PLC0415 - as the next
                from open_autoglm.agents.run import start_run  # noqa: PLC0415 - LangGraph and pandas take a second to import

            connect = functools.partial(connected, key=api_key())
            return start_run(options, frames=frames, sandbox=sandbox, connect=connect, **hooks.as_keywords())

    def resume(self, run_dir: Path, *, budget: BudgetSpec | None, hooks: Hooks) -> Outcome:
        """Go on with an earlier run."""
        with _warm(read_header(run_dir).options) as sandbox:
            with _without_collection():
                from open_autoglm.agents.glm.connecting import connected  # noqa: PLC0415 - as the next
                from open_autoglm.agents.run import resume_run  # noqa: PLC0415 - as above

            connect = functools.partial(connected, key=api_key())
            return resume_run(run_dir, budget=budget, sandbox=sandbox, connect=connect, **hooks.as_keywords())


@contextmanager
def _without_collection() -> Iterator[None]:
    """Import with the garbage collector off: what modules make stays, and searching it again and again takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _warm(options: RunOptions) -> Iterator[Sandbox]:
    """Open the first session before anything heavy is imported: its imports and ours run side by side."""
    from open_autoglm.sandbox.choice import select_sandbox  # noqa: PLC0415 - needed by runs alone
    from open_autoglm.sandbox.supervision.pool import Kind, PooledSandbox  # noqa: PLC0415

    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    chosen = select_sandbox(options.sandbox, author=Author.RECIPES, policy=options.policy, runtime=options.runtime)
    sandbox = PooledSandbox(chosen, first=Kind(cpus=max(1, cpus // options.workers)))
    try:
        yield sandbox
    finally:
        sandbox.close()
