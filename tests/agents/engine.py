"""A small world for tests of the state machine: made data, bundles that need no process, a sandbox that plays them.

The fake sandbox "fits" by writing the bundle's number into a model folder and "predicts" from the rows' first feature, so
that scores depend on the code, on PARAMS and on the seed, as real ones do, and a run takes milliseconds.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from open_autoglm.agents import run as run_module
from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.budget import Budget, StopFlag
from open_autoglm.agents.finalise.settle import Settled, settled_in
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.run import start_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.strategist import Brief, Operator, Past
from open_autoglm.events import Listener
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import SCHEMA_VERSION, ExecutionReport, Status
from open_autoglm.sandbox.scripted import ScriptedSandbox
from open_autoglm.tools.task import BudgetSpec, MetricSpec, TaskSpec, TaskType

CODE = '''"""A solution that the scripted sandbox plays."""

PARAMS = {{"noise": {noise!r}}}


def fit(train, ctx):
    """Fit nothing."""
    return None


def predict(model, rows, ctx):
    """Predict nothing."""
    return None
'''


def frame(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=rows)
    label = (x + generator.normal(size=rows) > 0).astype(int)
    return pd.DataFrame({"x": x, "z": generator.normal(size=rows), "label": label})


def csv(folder: Path, rows: int = 640) -> Path:
    path = folder / "train.csv"
    frame(rows).to_csv(path, index=False)
    return path


def task() -> TaskSpec:
    return TaskSpec(prompt="", task_type=TaskType.BINARY, target="label", metric=MetricSpec(name="roc_auc"))


def bundle(noise: float, **traits: str) -> CodeBundle:
    return CodeBundle(
        files={"solution.py": CODE.format(noise=noise)}, author=Author.RECIPES, title=f"noise {noise}", traits=traits
    )


def strategist(*noises: float, **more: object) -> ScriptedStrategist:
    return ScriptedStrategist(task(), [bundle(noise) for noise in noises], **more)  # type: ignore[arg-type]  # passed on


def options(folder: Path, *, data: Path | list[Path] | None = None, **more: object) -> RunOptions:
    values: dict[str, object] = {
        "prompt": "predict the label",
        "data": data if isinstance(data, list) else [data or csv(folder)],
        "out": folder / "run",
        "yes": True,
    }
    return RunOptions.model_validate({**values, **more})


def table(folder: Path, kind: TaskType, rows: int = 640, name: str = "train.csv") -> Path:
    """Write made data of a task type; `label` is the target. 640 rows make five folds and a holdout."""
    data = frame(rows)
    noisy = data["x"] + 0.5 * data["z"]
    if kind is TaskType.REGRESSION:
        data["label"] = noisy
    elif kind is TaskType.MULTICLASS:
        data["label"] = np.array(["low", "middle", "high"])[np.digitize(noisy, [-0.6, 0.6])]
    data.to_csv(folder / name, index=False)
    return folder / name


def a_task(kind: TaskType, metric: str, **more: object) -> TaskSpec:
    return TaskSpec.model_validate(
        {"prompt": "", "task_type": kind, "target": "label", "metric": {"name": metric}, **more}
    )


class Merging(ScriptedStrategist):
    """Writes ensembles, too: code that plays like a model with less noise than any member."""

    async def merge(self, brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
        """Name the members in the title, so that other weights make other code."""
        told = ", ".join(f"{name} {weight:.4f}" for name, weight in weights.items())
        return CodeBundle(
            files={"solution.py": CODE.format(noise=0.4) + f"\n# {told}\n"},
            author=Author.RECIPES,
            title=f"mean of {told}",
        )


def go(
    folder: Path,
    played: "Played | None" = None,
    *,
    writer: ScriptedStrategist | None = None,
    listeners: Sequence[Listener] = (),
    stop: StopFlag | None = None,
    **more: object,
) -> Outcome:
    """Run two scripted drafts, the second the better, on 640 rows; `more` are options."""
    given: dict[str, object] = {"budget": BudgetSpec(attempts=2)}
    if "data" not in more:
        given["data"] = table(folder, TaskType.BINARY)
    return start_run(
        options(folder, **{**given, **more}),  # type: ignore[arg-type]  # fields of the options
        strategist=writer or strategist(2.0, 0.5, 1.0),
        sandbox=sandbox(played),
        listeners=listeners,
        stop=stop,
    )


@contextmanager
def journal(folder: Path) -> Iterator[Journal]:
    """Open the journal of the run made in a folder."""
    opened = Journal(folder / "run" / "journal.sqlite")
    try:
        yield opened
    finally:
        opened.close()


def settled(folder: Path) -> Settled:
    """Return what finalise settled in the run made in a folder."""
    with journal(folder) as opened:
        found = settled_in(opened)
    assert found is not None
    return found


def results(folder: Path) -> dict[str, str]:
    """Return what came out of each check, by its letter."""
    checks = settled(folder).checks
    assert [check.letter for check in checks] == ["a", "b", "c", "d"], "each once"
    return {check.letter: check.result for check in checks}


def attempts(folder: Path, operator: Operator | None = None) -> list[Attempt]:
    """Return the attempts of the run made in a folder, of one operator if it is named."""
    with journal(folder) as opened:
        return [a for a in opened.attempts() if operator is None or a.operator is operator]


class Clock:
    """A clock that stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Played:
    """Plays jobs; counts what was executed, so that a test can see that nothing is done twice."""

    def __init__(self, *, remember: bool = True) -> None:
        self.executed: list[str] = []
        self._remember = remember

    def __call__(self, job: Job) -> ExecutionReport:
        if self._remember:
            self.executed.append(job.execution_id)
        if job.call == "fit":
            self._fit(job)
        elif job.call == "predict":
            _predict(job)
        elif job.call == "notebook":
            shutil.copyfile(job.inputs["notebook"], job.collect / "notebook.ipynb")
        return ExecutionReport(
            schema_version=SCHEMA_VERSION,
            execution_id=job.execution_id,
            phase=job.phase,
            status=Status.STATUS_OK,
            wall_seconds=0.01,
        )

    @staticmethod
    def _fit(job: Job) -> None:
        params = job.context["params"] or {}
        assert isinstance(params, dict)
        noise = params.get("noise", _literal(job.code["solution.py"]))
        model = job.collect / "model"
        model.mkdir(parents=True)
        (model / "model.json").write_text(json.dumps({"noise": noise, "seed": job.context["seed"]}))
        if "check" in job.inputs:
            np.save(job.collect / "check.npy", _answers(job, _rows(job.inputs["check"]), model))


class Tampered(Played):
    """Plays jobs, and changes what comes of those of one phase (and attempt)."""

    def __init__(self, phase: str, change: Callable[[Job, ExecutionReport], None], attempt: str = "") -> None:
        super().__init__()
        self._phase, self._change, self._attempt = phase, change, attempt

    def __call__(self, job: Job) -> ExecutionReport:
        report = super().__call__(job)
        if job.phase == self._phase and job.execution_id.startswith(self._attempt):
            self._change(job, report)
        return report


def flip(job: Job, report: ExecutionReport) -> None:
    """Predict the opposite."""
    for path in job.collect.glob("*.npy"):
        np.save(path, np.load(path)[:, ::-1].copy())


def spoil(job: Job, report: ExecutionReport) -> None:
    """Predict what is no probability."""
    for path in job.collect.glob("*.npy"):
        np.save(path, np.full_like(np.load(path), 7.0))


def fail(job: Job, report: ExecutionReport) -> None:
    """End with an error."""
    report.status = Status.STATUS_ERROR
    report.detail = "it broke"


class Refusing(Played):
    """Plays jobs; code with a noise of 9 or more breaks."""

    def __call__(self, job: Job) -> ExecutionReport:
        report = super().__call__(job)
        if any(f'"noise": {noise}' in job.code["solution.py"] for noise in ("9.0", "9.5")):
            fail(job, report)
        return report


class Timed(Played):
    """Plays jobs that take time on a clock of the test's; one that takes longer than it may is killed by then."""

    def __init__(self, clock: Clock, seconds: Callable[[Job], float]) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def __call__(self, job: Job) -> ExecutionReport:
        wanted, limit = self._seconds(job), job.limits.wall_seconds
        self._clock.now += min(wanted, limit)
        if wanted > limit:
            self.executed.append(job.execution_id)
            return ExecutionReport(status=Status.STATUS_TIMEOUT, wall_seconds=limit, detail="it took too long")
        report = super().__call__(job)
        report.wall_seconds = wanted
        report.claimed_seconds["call"] = wanted
        return report


def on_a_clock(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cost: Callable[[Job], float], **more: Any
) -> tuple[Outcome, Clock, Timed]:
    """Go on a clock of the test's, given what each job costs; return also how it stands at the end, and who played."""
    clock = Clock()
    played = Timed(clock, cost)
    monkeypatch.setattr(run_module, "Budget", partial(Budget, clock=clock))
    return go(folder, played, **more), clock, played


def _literal(source: str) -> float:
    if '"noise": ' not in source:  # code of somebody else, such as a recipe's
        return 1.0
    return float(source.split('"noise": ')[1].split("}", maxsplit=1)[0])


@lru_cache(maxsize=64)
def _rows(path: Path) -> pd.DataFrame:
    """Read staged rows, once: their file is named by its content."""
    return pd.read_parquet(path)


def _predict(job: Job) -> None:
    answers = _answers(job, _rows(job.inputs["rows"]), job.inputs["model"])
    batches = job.context.get("batches")
    if isinstance(batches, list):
        answers = np.concatenate([answers[batch] for batch in batches])
    job.collect.mkdir(parents=True, exist_ok=True)
    np.save(job.collect / "predictions.npy", answers)


def _answers(job: Job, rows: pd.DataFrame, folder: Path) -> np.ndarray:
    """Answer each row from its own value alone: the more noise, the worse."""
    model, task = json.loads((folder / "model.json").read_text()), job.context["task"]
    assert isinstance(task, dict)
    x = rows["x"].fillna(0).to_numpy()
    value = x + np.sin(1e4 * x + model["seed"] % 7 + 10 * model["noise"]) * model["noise"]
    classes = task["classes"]
    assert isinstance(classes, list)
    if not classes:
        return value[:, None]
    if len(classes) == 2:
        p = 1 / (1 + np.exp(-value))
        return np.column_stack([1 - p, p])
    centres = np.array([{"low": -1.0, "middle": 0.0, "high": 1.0}[str(name)] for name in classes])
    scores = np.exp(-((value[:, None] - centres) ** 2))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def sandbox(played: Played | None = None) -> ScriptedSandbox:
    return ScriptedSandbox(played or Played())
