"""What runs a request: the seam between the front door and the agents, and a scripted engine for tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome
from open_autoglm.errors import ScriptExhausted
from open_autoglm.events import EventKind, EventLog, Json, Listener
from open_autoglm.tools.task import BudgetSpec, TaskSpec

if TYPE_CHECKING:
    import pandas as pd

    from open_autoglm.agents.budget import StopFlag
    from open_autoglm.agents.strategist import Question

    Ask: TypeAlias = Callable[[Question], str]
    Confirm: TypeAlias = Callable[[TaskSpec, list[str]], TaskSpec | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How a run talks to whoever started it."""

    listeners: Sequence[Listener] = ()
    ask: "Ask | None" = None
    confirm: "Confirm | None" = None
    stop: "StopFlag | None" = None


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
        from open_autoglm.agents.run import start_run  # noqa: PLC0415 - LangGraph and pandas take a second to import

        return start_run(
            options, frames=frames, listeners=hooks.listeners, ask=hooks.ask, confirm=hooks.confirm, stop=hooks.stop
        )

    def resume(self, run_dir: Path, *, budget: BudgetSpec | None, hooks: Hooks) -> Outcome:
        """Go on with an earlier run."""
        from open_autoglm.agents.run import resume_run  # noqa: PLC0415 - as above

        return resume_run(run_dir, budget=budget, listeners=hooks.listeners, ask=hooks.ask, stop=hooks.stop)


@dataclass(slots=True, kw_only=True)
class ScriptedEngine:
    """A fake that tells its events, asks its questions and ends as its script says."""

    ending: Outcome | BaseException | None = None
    events: Sequence[tuple[EventKind, Mapping[str, Json]]] = ()
    questions: "Sequence[Question]" = ()
    task: TaskSpec | None = None
    """Shown for confirmation where there is somebody to confirm."""
    while_running: Callable[[Hooks], None] | None = None
    requests: list[RunOptions | Path] = field(default_factory=list)
    budgets: list[BudgetSpec | None] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    confirmed: list[TaskSpec | None] = field(default_factory=list)
    frames: "Mapping[str, pd.DataFrame]" = field(default_factory=dict)

    def start(self, options: RunOptions, *, frames: "Mapping[str, pd.DataFrame] | None", hooks: Hooks) -> Outcome:
        """Play the script."""
        self.requests.append(options)
        self.frames = frames or {}
        if hooks.ask is not None and not options.yes:
            self.answers += [hooks.ask(question) for question in self.questions]
        if hooks.confirm is not None and self.task is not None:
            self.confirmed.append(hooks.confirm(self.task, ["Try up to 3 models.", "Nothing leaves this machine."]))
        return self._play(hooks)

    def resume(self, run_dir: Path, *, budget: BudgetSpec | None, hooks: Hooks) -> Outcome:
        """Play the script."""
        self.requests.append(run_dir)
        self.budgets.append(budget)
        return self._play(hooks)

    def _play(self, hooks: Hooks) -> Outcome:
        log = EventLog(run_id="scripted", listeners=list(hooks.listeners))
        for kind, data in self.events:
            log.emit(kind, **data)
        if self.while_running is not None:
            self.while_running(hooks)
        if self.ending is None:
            raise ScriptExhausted("This engine's script has no ending.")
        if isinstance(self.ending, BaseException):
            raise self.ending
        return self.ending
