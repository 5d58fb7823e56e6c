"""The report's view of a profile: classes in the order of the probability columns, quantiles of a numeric target."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.tools.data.profile import profile_table
from open_autoglm.tools.export.story import DataSummary
from open_autoglm.tools.export.summary import summarise
from open_autoglm.tools.task import ColumnRoles, Label, MetricSpec, TaskSpec, TaskType


def summary(target: list[object], classes: tuple[Label, ...], task_type: TaskType) -> DataSummary:
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(100)], "x": np.arange(100.0), "y": target})
    frame.loc[0, "x"] = np.nan
    roles = ColumnRoles(id=["id"])
    task = TaskSpec(prompt="p", task_type=task_type, target="y", columns=roles, metric=MetricSpec(name="mae"))
    return summarise(profile_table(frame, task), classes)


def test_classes_keep_their_order_and_columns_their_roles() -> None:
    """The rarer class first, where its probability column comes first."""
    made = summary(["no"] * 30 + ["yes"] * 70, ("no", "yes"), TaskType.BINARY)
    assert made.class_counts == (("no", 30), ("yes", 70))
    assert {c.name: c.role for c in made.columns} == {"id": "id", "x": "feature", "y": "target"}
    assert made.columns[1].missing_fraction == 0.01
    assert made.target_quantiles == ()


def test_a_numeric_target_has_quantiles() -> None:
    """As shares, in ascending order."""
    made = summary(list(np.linspace(0, 1, 100)), (), TaskType.REGRESSION)
    assert dict(made.target_quantiles)[0.5] == pytest.approx(0.5, abs=0.02)
    assert [q for q, _ in made.target_quantiles] == [0.05, 0.25, 0.5, 0.75, 0.95]
    assert made.class_counts == ()
