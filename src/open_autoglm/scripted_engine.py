"""A fake engine for tests of the front door: it trains nothing and ends as its script says."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Baseline, Outcome, Score, StopReason
from open_autoglm.engine import Hooks
from open_autoglm.errors import ScriptExhausted
from open_autoglm.events import EventKind, EventLog, Json
from open_autoglm.tools.task import BudgetSpec, MetricSpec, TaskSpec, TaskType

if TYPE_CHECKING:
    import pandas as pd

    from open_autoglm.agents.strategist import Question

RUN_ID = "20260102-030405-abc123"


def example_task() -> TaskSpec:
    """Return a small task."""
    return TaskSpec(prompt="Predict y", task_type=TaskType.BINARY, target="y", metric=MetricSpec(name="roc_auc"))


def example_outcome(run_dir: Path, **changes: object) -> Outcome:
    """Return the outcome of a run that went well, with fields changed."""
    fields: dict[str, object] = {
        "run_id": RUN_ID,
        "run_dir": run_dir,
        "status": "delivered",
        "stop_reason": StopReason.BUDGET_SECONDS,
        "task": example_task(),
        "score": Score(
            metric="roc_auc",
            greater_is_better=True,
            cv_mean=0.86,
            cv_se=0.01,
            holdout=0.87,
            holdout_low=0.82,
            holdout_high=0.91,
        ),
        "baseline": Baseline(dummy=0.5, linear=0.84),
        "best_attempt": "0-1",
        "attempts": 2,
        "seconds": 58.0,
        "deliverable": run_dir / "deliverable",
    }
    return Outcome.model_validate({**fields, **changes})


def write_run(run_dir: Path, outcome: Outcome | None = None) -> None:
    """Write the parts of a run directory that the front door reads; without an outcome it is unfinished."""
    (run_dir / "deliverable").mkdir(parents=True, exist_ok=True)
    header = {"run_id": RUN_ID, "layout": 1, "options": {"prompt": "Predict y", "data": ["t.csv"]}}
    (run_dir / "run.json").write_text(json.dumps(header), encoding="utf-8")
    (run_dir / "task.json").write_text(example_task().model_dump_json(), encoding="utf-8")
    if outcome is not None:
        (run_dir / "result.json").write_text(outcome.model_dump_json(), encoding="utf-8")


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
            self.confirmed.append(hooks.confirm(self.task, [], []))
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
