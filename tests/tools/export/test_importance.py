"""Permutation importance: what the model uses costs score when shuffled, in both directions of a metric."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.tools.export.importance import importance_from, permuted_rows
from open_autoglm.tools.metrics import get_metric
from open_autoglm.tools.metrics.predictions import Predictions
from open_autoglm.tools.task import TaskType


def table(rows: int = 200) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {"used": generator.normal(size=rows), "noise": generator.normal(size=rows), "word": ["a", "b"] * (rows // 2)}
    )


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_the_used_column_comes_first(metric: str) -> None:
    """A positive drop means worse, whether more or less of the metric is better."""
    frame = table()
    y = frame["used"].to_numpy() * 2
    stacked, layout = permuted_rows(frame, ["noise", "used"], seed=1, repeats=2)
    predictions = Predictions(
        matrix=(stacked["used"].to_numpy() * 2)[:, None], classes=(), task_type=TaskType.REGRESSION
    )
    first, second = importance_from(predictions, layout, y, get_metric(metric))
    assert (first.feature, second.feature) == ("used", "noise")
    assert first.drop > 0.5
    assert (second.drop, second.standard_error) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))


def test_only_the_named_column_is_shuffled() -> None:
    """Block 0 is untouched; each block holds the same values; types stay."""
    frame = table()
    stacked, layout = permuted_rows(frame, ["word"], seed=1, repeats=1, rows=50)
    assert len(layout.rows) == 50
    assert len(stacked) == 100
    base, shuffled = stacked.iloc[:50].reset_index(drop=True), stacked.iloc[50:].reset_index(drop=True)
    pd.testing.assert_frame_equal(base, frame.iloc[layout.rows].reset_index(drop=True))
    pd.testing.assert_frame_equal(base.drop(columns="word"), shuffled.drop(columns="word"))
    assert sorted(base["word"]) == sorted(shuffled["word"])
    assert list(base["word"]) != list(shuffled["word"])
    assert (stacked.dtypes == frame.dtypes).all()


def test_one_repeat_has_no_error() -> None:
    """With one shuffle there is nothing to estimate a spread from."""
    frame = table(20)
    stacked, layout = permuted_rows(frame, ["used"], seed=0, repeats=1)
    predictions = Predictions(matrix=stacked[["used"]].to_numpy(), classes=(), task_type=TaskType.REGRESSION)
    assert importance_from(predictions, layout, frame["used"].to_numpy(), get_metric("mae"))[0].standard_error == 0
