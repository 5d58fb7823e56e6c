"""Inner folds and weights depend on training rows alone."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.agents.recipes.blocks import target
from open_autoglm.agents.recipes.blocks.target import class_weights, inner_folds


def test_folds_have_the_same_mix_of_targets() -> None:
    """Of a class of ten rows each of five folds gets two, whatever the seed."""
    y = np.array([0] * 90 + [1] * 10)
    for seed in range(3):
        folds = inner_folds(pd.DataFrame(index=range(100)), y, 5, seed)
        assert [int(y[folds == fold].sum()) for fold in range(5)] == [2] * 5
    np.testing.assert_array_equal(folds, inner_folds(pd.DataFrame(index=range(100)), y, 5, 2))


def test_rows_of_a_group_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are apart from the rows to predict."""
    monkeypatch.setattr(target, "HAS_GROUP", True)
    monkeypatch.setattr(target, "COLUMNS", {"group": "mouse"})
    train = pd.DataFrame({"mouse": np.repeat([f"m{n}" for n in range(20)], 5)})
    folds = inner_folds(train, np.arange(100.0), 4, 0)
    assert (pd.Series(folds).groupby(train["mouse"]).nunique() == 1).all()
    assert len(np.unique(folds)) == 4


def test_the_last_fold_holds_the_latest_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the dates are text in an order of their own."""
    monkeypatch.setattr(target, "HAS_TIME", True)
    monkeypatch.setattr(target, "COLUMNS", {"time": "day"})
    days = pd.Series(pd.date_range("2024-01-01", periods=50)).sample(frac=1.0, random_state=0)
    folds = inner_folds(pd.DataFrame({"day": days.dt.strftime("%d/%m/%Y")}), np.zeros(50), 5, 0)
    assert days[folds == 4].min() > days[folds != 4].max()


def test_balanced_weights_give_classes_the_same_total() -> None:
    """The rare class weighs as much as the frequent one."""
    weights = class_weights(np.array([0] * 9 + [1]))
    assert weights[:9].sum() == pytest.approx(weights[9])
