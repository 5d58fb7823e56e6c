"""Leaks among thousands of columns: a first look finds all that judging one by one would."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.tools.data import leakage
from open_autoglm.tools.data.profile import profile_table
from open_autoglm.tools.task import MetricSpec, TaskSpec, TaskType

ROWS, COLUMNS = 1000, 600


def wide(target: np.ndarray, **planted: object) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    noise = {f"x{i}": generator.normal(size=ROWS) for i in range(COLUMNS)}
    words = {f"w{i}": generator.choice(list("abc"), ROWS) for i in range(10)}
    return pd.DataFrame({**noise, **words, **planted, "label": target})  # type: ignore[dict-item]  # columns


def suspects(frame: pd.DataFrame, kind: TaskType, metric: str) -> dict[str, str]:
    task = TaskSpec(prompt="", task_type=kind, target="label", metric=MetricSpec(name=metric))
    return {found.column: found.kind.value for found in profile_table(frame, task).suspects}


def classes() -> pd.DataFrame:
    label = np.random.default_rng(1).integers(0, 3, ROWS)
    filled = np.where(label == 2, np.random.default_rng(2).random(ROWS), np.nan)
    named = np.array(["zero", "one", "two"])[label]
    return wide(label, shifted=label * 10.0 + np.random.default_rng(3).random(ROWS), named=named, filled=filled)


def numbers() -> pd.DataFrame:
    label = np.random.default_rng(1).lognormal(size=ROWS)
    return wide(label, scaled=3 * label + 1, bent=np.log(label), near=label + 0.01)


@pytest.mark.parametrize(
    ("frame", "kind", "metric", "planted"),
    [
        (classes(), TaskType.MULTICLASS, "accuracy", {"shifted", "named", "filled"}),
        pytest.param(numbers(), TaskType.REGRESSION, "rmse", {"scaled", "bent", "near"}, marks=pytest.mark.slow),
    ],
    ids=["classes", "numbers"],
)
def test_leaks_are_found_as_without_sifting(
    frame: pd.DataFrame, kind: TaskType, metric: str, planted: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies under other names and scales, and columns that are filled in for one class only."""
    sifted = suspects(frame, kind, metric)
    monkeypatch.setattr(leakage, "SIFTED_COLUMNS", 10 * COLUMNS)

    assert set(sifted) == planted
    assert sifted == suspects(frame, kind, metric)
