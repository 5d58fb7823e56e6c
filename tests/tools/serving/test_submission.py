"""Predictions take the layout of a sample submission."""

import pandas as pd
import pytest

from open_autoglm.tools.serving.submission import fill_submission
from open_autoglm.tools.task import ColumnRoles, MetricSpec, TaskSpec, TaskType

TABLE = pd.DataFrame(
    {"id": [3, 1, 2], "prediction": ["no", "yes", "no"], "proba_no": [0.9, 0.2, 0.6], "proba_yes": [0.1, 0.8, 0.4]}
)


def task(metric: str = "accuracy", task_type: TaskType = TaskType.BINARY) -> TaskSpec:
    return TaskSpec(
        prompt="p", task_type=task_type, target="y", columns=ColumnRoles(id=["id"]), metric=MetricSpec(name=metric)
    )


def fill(sample: dict[str, object], metric: str = "accuracy") -> tuple[pd.DataFrame, list[str]]:
    return fill_submission(pd.DataFrame(sample), TABLE, task(metric), ("no", "yes"))


def test_labels_in_the_order_of_the_sample() -> None:
    """Ids identify rows; the sample's order is kept."""
    filled, warnings = fill({"id": [1, 2, 3], "y": ["no"] * 3})
    assert filled.to_dict("list") == {"id": [1, 2, 3], "y": ["yes", "no", "no"]}
    assert warnings == []


@pytest.mark.parametrize(("values", "metric"), [([0.5, 0.5, 0.5], "accuracy"), ([0, 0, 0], "roc_auc")])
def test_probabilities_where_they_are_wanted(values: list[float], metric: str) -> None:
    """Fractions in the sample, or a metric of probabilities, ask for the positive class's probability."""
    filled, _ = fill({"id": [3, 1, 2], "y": values}, metric)
    assert filled["y"].tolist() == [0.1, 0.8, 0.4]


def test_a_column_per_class() -> None:
    """Columns named after classes get their probabilities."""
    filled, _ = fill({"id": [3, 1, 2], "yes": 0.5, "no": 0.5})
    assert list(filled.columns) == ["id", "yes", "no"]
    assert filled["yes"].tolist() == [0.1, 0.8, 0.4]


def test_other_rows_than_the_test_file_are_told() -> None:
    """The test file's rows are kept, and a warning says so."""
    filled, warnings = fill({"id": [7, 8], "y": ["no", "no"]})
    assert filled["id"].tolist() == [3, 1, 2]
    assert len(warnings) == 1


def test_without_ids_the_rows_stay_in_order() -> None:
    """Another number of rows is told."""
    filled, warnings = fill({"y": ["no", "no"]})
    assert filled["y"].tolist() == ["no", "yes", "no"]
    assert len(warnings) == 1


def test_an_unknown_layout_keeps_ours() -> None:
    """Two columns that nobody can name: the table itself, with a warning."""
    filled, warnings = fill({"p": [1], "q": [2]})
    assert filled is TABLE
    assert len(warnings) == 1


def test_numbers_of_a_regression() -> None:
    """A regression has one answer."""
    table = pd.DataFrame({"id": [1, 2], "prediction": [1.5, 2.5]})
    filled, _ = fill_submission(
        pd.DataFrame({"id": [2, 1], "price": [0, 0]}), table, task("rmse", TaskType.REGRESSION), ()
    )
    assert filled.to_dict("list") == {"id": [2, 1], "price": [2.5, 1.5]}
