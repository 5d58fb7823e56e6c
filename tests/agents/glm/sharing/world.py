"""A table full of canaries, a brief about it, code about it, and reports of executions that blurt them out."""

import asyncio
from functools import cache

import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.strategist import RecipeStrategist
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.data.profile import profile_table
from open_autoglm.tools.task import MetricSpec, TaskSpec, TaskType

ROWS = 200
CANARY = "zanzibarquux"
NUMBER = 424242.125


def table(
    canary: str = CANARY, number: float = NUMBER, *, classes: tuple[str, str] = ("gruyere", "emmental")
) -> pd.DataFrame:
    """Canaries in each kind of column, in fewer than ten rows each; `colour` and `kind` have levels that many share."""
    rng = np.random.default_rng(3)
    size = rng.normal(size=ROWS).round(3)
    size[17] = number
    colour = rng.choice(["red", "green", "blue"], size=ROWS).astype(object)
    colour[5:9] = f"{canary} level"
    day = pd.date_range("2020-01-01", periods=ROWS, freq="D").strftime("%Y-%m-%d").to_numpy()
    return pd.DataFrame(
        {
            "size": size,
            "colour": colour,
            "customer_id": [f"{canary}{row}" for row in range(ROWS)],
            "name": [f"{canary} {row % 90}" for row in range(ROWS)],
            "remark": [f"{canary} said that number {row} is a good one" for row in range(ROWS)],
            "since": day,
            "price": [f"{row / 7:.2f} {canary}" if row < 6 else f"{row / 7:.2f} kg" for row in range(ROWS)],
            "group": [f"{canary} group {row // 20}" for row in range(ROWS)],
            "kind": np.where(size > 0, *classes),
        }
    )


def brief_of(frame: pd.DataFrame, task_type: TaskType = TaskType.BINARY, target: str = "kind", **task: object) -> Brief:
    """Return what a strategist would be told about the table."""
    metric = "roc_auc" if task_type is TaskType.BINARY else "log_loss" if task_type.is_classification else "rmse"
    spec = TaskSpec.model_validate(
        {"prompt": "Predict it.", "task_type": task_type, "target": target, "metric": MetricSpec(name=metric), **task}
    )
    classes = tuple(np.unique(frame[target]).tolist()) if task_type.is_classification else ()
    return Brief(task=spec, profile=profile_table(frame, spec), classes=classes)


def first_draft(brief: Brief) -> CodeBundle:
    """Return what recipes write first."""
    bundle = asyncio.run(RecipeStrategist().draft(brief, 0))
    assert bundle is not None
    return bundle


def failed(
    message: str = "", *, type_: str = "ValueError", line: int = 0, stdout: str = "", stderr: str = ""
) -> ExecutionReport:
    """Return a report of a failure, with one frame in `solution.py` where a line is given."""
    report = ExecutionReport(phase="smoke.fit", status=Status.STATUS_ERROR, exit_code=1, wall_seconds=1.25)
    report.exception.type, report.exception.message = type_, message
    report.stdout.head, report.stderr.head = stdout, stderr
    if line:
        report.exception.frames.add(file="solution.py", line=line, function="fit", source=message)
    return report


@cache
def a_brief() -> Brief:
    """Return the brief about the usual table."""
    return brief_of(table())


@cache
def a_bundle() -> CodeBundle:
    """Return the first draft for it."""
    return first_draft(a_brief())
