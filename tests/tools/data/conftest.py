"""Builders shared by the tests of tools.data."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.tools.task import ColumnRoles, MetricSpec, TaskSpec, TaskType


class TaskMaker:
    """Makes a task about `y` unless told otherwise."""

    def __call__(self, task_type: str = "binary", target: str = "y", **roles: object) -> TaskSpec:
        columns = ColumnRoles.model_validate(roles)
        return TaskSpec(
            prompt="", task_type=TaskType(task_type), target=target, columns=columns, metric=MetricSpec(name="roc_auc")
        )


@pytest.fixture(scope="session")
def make_task() -> TaskMaker:
    return TaskMaker()


@pytest.fixture
def plain() -> pd.DataFrame:
    """Two hundred rows of a number, a category and a binary target."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"x": rng.normal(size=200), "c": rng.choice(["a", "b", "d"], 200), "y": rng.integers(0, 2, 200)}
    )
