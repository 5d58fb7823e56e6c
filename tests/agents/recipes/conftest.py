"""Messy little tables of every kind of task, briefs about them, and written solutions brought to life."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.tools.data.profile import profile_table
from open_autoglm.tools.task import MetricSpec, TaskSpec, TaskType

ROWS = 120
METRICS = {TaskType.BINARY: "roc_auc", TaskType.MULTICLASS: "log_loss", TaskType.REGRESSION: "rmse"}


def messy_table(task_type: TaskType, rows: int = ROWS) -> pd.DataFrame:
    """Every kind of column there is, with gaps; `y` follows from `size` and `colour`."""
    rng = np.random.default_rng(7)
    size = rng.normal(size=rows)
    colour = rng.choice(["red", "green", "blue"], size=rows)
    signal = size + (colour == "red") * 1.5 + rng.normal(scale=0.5, size=rows)
    words = rng.choice(["good", "bad", "fast", "slow", "cheap", "dear"], size=(rows, 5))
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(rows) < 0.1, np.nan, size),
            "weight": [f"{value:.1f} kg" for value in 50 + 10 * size],
            "colour": np.where(rng.random(rows) < 0.1, None, colour),
            "town": [f"town {number}" for number in rng.integers(0, 40, size=rows)],
            "member": rng.random(rows) < 0.5,
            "since": pd.date_range("2020-01-01", periods=rows, freq="9h").strftime("%d/%m/%Y").to_numpy(),
            "remark": [" ".join([*line, str(number)]) for number, line in enumerate(words)],
            "评论": ["质量" + "很好" * int(s > 0) + f"第{n}件 东西 不错" for n, s in enumerate(size)],
            "nothing": np.nan,
            "same": "x",
        }
    )
    if task_type is TaskType.BINARY:
        frame["y"] = np.where(signal > 0.5, "yes", "no")
    elif task_type is TaskType.MULTICLASS:
        frame["y"] = np.digitize(signal, [-0.5, 1.0])
    else:
        frame["y"] = np.exp(signal)
    return frame


def brief_of(frame: pd.DataFrame, task_type: TaskType, metric: str | None = None, **task: object) -> Brief:
    """Return what a strategist would be told about the table."""
    spec = TaskSpec(
        prompt="Predict y.",
        task_type=task_type,
        target="y",
        metric=MetricSpec(name=metric or METRICS[task_type]),
        **task,
    )
    classes = tuple(np.unique(frame["y"]).tolist()) if task_type.is_classification else ()
    return Brief(task=spec, profile=profile_table(frame, spec), classes=classes)


def context_of(brief: Brief, module: ModuleType) -> runtime.Context:
    """Return what fit and predict are told."""
    return runtime.Context(task=runtime.Task.of(module.TASK), params=module.PARAMS, seed=3, n_jobs=1)


@pytest.fixture(autouse=True)
def runtime_beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let written code import `runtime`, as it does where runtime.py lies beside it."""
    monkeypatch.setitem(sys.modules, "runtime", runtime)
    return


@pytest.fixture(scope="session")
def messy() -> dict[TaskType, pd.DataFrame]:
    return {task_type: messy_table(task_type) for task_type in METRICS}


@pytest.fixture(scope="session")
def briefs(messy: dict[TaskType, pd.DataFrame]) -> dict[TaskType, Brief]:
    return {task_type: brief_of(frame, task_type) for task_type, frame in messy.items()}


@pytest.fixture(scope="session")
def make_brief() -> Callable[..., Brief]:
    return brief_of


@pytest.fixture(scope="session")
def make_context() -> Callable[..., runtime.Context]:
    return context_of


@pytest.fixture
def bring_to_life() -> Callable[[str], ModuleType]:
    """Return a function that turns source text into a module."""

    def live(source: str) -> ModuleType:
        module = ModuleType("solution")
        exec(compile(source, "solution.py", "exec"), module.__dict__)
        return module

    return live
