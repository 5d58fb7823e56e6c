"""TaskSpec is a public contract: its schema is frozen, and it refuses what contradicts itself."""

import json
from pathlib import Path

import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.task import ColumnRoles, MetricSpec, TaskSpec, TaskType, read_task

SCHEMA = Path(__file__).with_name("task.schema.json")
BINARY = {"prompt": "Predict y", "task_type": "binary", "target": "y", "metric": {"name": "roc_auc"}}
FULL = {
    "prompt": "预测 y",
    "language": "zh",
    "task_type": "forecasting",
    "target": "y",
    "columns": {"id": ["id"], "time": "when", "series": ["shop"], "known_ahead": ["holiday"], "dropped": ["note"]},
    "horizon": 12,
    "frequency": "MS",
    "quantiles": [0.1, 0.5, 0.9],
    "sources": [{"uri": "a.csv", "format": "csv", "role": "train", "read": {"sep": ";"}}],
    "metric": {"name": "mase", "parameters": {"season": 12}},
    "constraints": {"latency_ms": 5, "forbidden_models": ["neural"]},
    "budget": {"seconds": 60},
    "guesses": [{"field": "horizon", "value": 12, "reason": "a year"}],
}


def test_the_schema_is_frozen() -> None:
    """Saved runs and other programs hold tasks: changing this file is changing a contract."""
    assert TaskSpec.model_json_schema() == json.loads(SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("written", [BINARY, FULL])
def test_a_task_survives_json(written: dict) -> None:
    """What is saved is what is read."""
    task = read_task(written)

    assert read_task(task.model_dump_json()) == task


@pytest.mark.parametrize("positive", [True, 1, 1.5, "1"])
def test_the_positive_class_keeps_its_type(positive: object) -> None:
    """True, 1 and "1" are different classes."""
    task = read_task(read_task({**BINARY, "positive": positive}).model_dump_json())

    assert task.positive == positive
    assert type(task.positive) is type(positive)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": " "}, "the target has no name"),
        ({"columns": {"id": ["y"]}}, "the target 'y' cannot also be a column of the role id"),
        ({"columns": {"dropped": ["y"]}}, "the target 'y' cannot also be a column of the role dropped"),
        ({"columns": {"weight": "y"}}, "role weight"),
        ({"columns": {"dropped": ["t"], "time": "t"}}, "the column 't' cannot be dropped and have another role"),
        ({"task_type": "regression", "positive": 1}, "a positive class belongs to a binary task, not to regression"),
        ({"quantiles": [0.1]}, "quantiles belong to a regression or forecasting task, not to binary"),
        ({"task_type": "regression", "quantiles": [0.9, 0.1]}, "in rising order"),
        ({"task_type": "regression", "quantiles": [0.1, 0.1]}, "once each"),
        ({"task_type": "regression", "quantiles": [0.0]}, "quantiles.0: Input should be greater than 0"),
        ({"horizon": 3}, "horizon belongs to a forecasting task"),
        ({"columns": {"known_ahead": ["a"]}}, "known_ahead belongs to a forecasting task"),
        ({"constraints": {"forbidden_models": ["svm"]}}, "there is no model family 'svm'; there are linear"),
        ({"budget": {"seconds": 0}}, "budget.seconds: Input should be greater than 0"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"task_type": "ranking"}, "task_type: Input should be 'binary'"),
    ],
)
def test_contradictions_are_refused_in_one_line(change: dict, message: str) -> None:
    """The place and the reason, and nothing of pydantic."""
    with pytest.raises(InputError, match=message) as refusal:
        read_task({**BINARY, **change})

    assert "\n" not in str(refusal.value)
    assert "Value error" not in str(refusal.value)


def test_more_than_one_thing_wrong_is_counted() -> None:
    """The first is told, the others are counted; no JSON at all is told as such."""
    with pytest.raises(InputError, match=r"\(1 more\)"):
        read_task({**BINARY, "a": 1, "b": 2})
    with pytest.raises(InputError, match="not a task: Invalid JSON"):
        read_task("{")


def test_roles_of_a_column() -> None:
    """Single columns and lists alike; a plain feature has none."""
    roles = ColumnRoles(id=["a"], time="t", dropped=["a"])

    assert roles.roles_of("a") == ("id", "dropped")
    assert roles.roles_of("t") == ("time",)
    assert roles.roles_of("x") == ()


def test_a_name_may_be_dropped_twice_over() -> None:
    """An id column that the user also asks to leave out is no contradiction."""
    TaskSpec(
        prompt="", task_type=TaskType.REGRESSION, target="y", metric=MetricSpec(name="mae"),
        columns=ColumnRoles(id=["a"], dropped=["a"]),
    )  # fmt: skip
