"""Intervals, errors and the comparison of attempts."""

import numpy as np
import pytest

from open_autoglm.tools.metrics import History, Predictions, get_metric
from open_autoglm.tools.metrics import statistics as under_test
from open_autoglm.tools.metrics.statistics import (
    bootstrap_interval,
    mean_and_error,
    paired_difference,
    within_one_standard_error,
)
from open_autoglm.tools.task import TaskType


def sample(rows: int, seed: int = 0) -> tuple[np.ndarray, Predictions]:
    random = np.random.default_rng(seed)
    y = (random.random(rows) < 0.3).astype(np.int64)
    score = np.clip(random.normal(0.4 + 0.2 * y, 0.2), 0, 1)
    return y, Predictions(matrix=np.c_[1 - score, score], classes=(0, 1), task_type=TaskType.BINARY)


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "log_loss", "f1"])
def test_the_interval_holds_the_score_and_repeats(name: str) -> None:
    """Two calls agree; the score lies inside; more rows, a narrower interval."""
    metric = get_metric(name)
    (y, few), (z, many) = sample(200), sample(5_000)

    low, high = bootstrap_interval(metric, y, few, seed=3)

    assert (low, high) == bootstrap_interval(metric, y, few, seed=3)
    assert low < metric.score(y, few) < high
    narrow = np.subtract(*bootstrap_interval(metric, z, many, seed=3))
    assert abs(narrow) < (high - low) / 2


def test_the_interval_of_a_share_is_the_binomial_one() -> None:
    """Accuracy is a share of rows; its normal interval is known."""
    y, predictions = sample(2_000)
    accuracy = get_metric("accuracy").score(y, predictions)
    error = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 2_000)

    low, high = bootstrap_interval(get_metric("accuracy"), y, predictions, seed=0)

    assert low == pytest.approx(accuracy - error, abs=0.2 * error)
    assert high == pytest.approx(accuracy + error, abs=0.2 * error)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy"])
def test_long_tables_are_sampled_without_widening(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing a tenth of the rows gives the interval of all of them."""
    y, predictions = sample(4_000)
    whole = np.subtract(*bootstrap_interval(get_metric(name), y, predictions, seed=0))

    monkeypatch.setattr(under_test, "MAX_DRAWN", 400)
    sampled = np.subtract(*bootstrap_interval(get_metric(name), y, predictions, seed=0))

    assert sampled == pytest.approx(whole, rel=0.35)


def test_the_interval_stays_in_the_metrics_range() -> None:
    """A perfect score has no room above it; a class of one row is in every resample."""
    y = np.array([0, 0, 0, 1])
    perfect = Predictions(matrix=np.eye(2)[y], classes=(0, 1), task_type=TaskType.BINARY)

    assert bootstrap_interval(get_metric("roc_auc"), y, perfect, seed=0) == (1, 1)
    assert bootstrap_interval(get_metric("accuracy"), y, perfect, seed=0) == (1, 1)


def test_an_interval_of_nothing_to_judge_is_a_point() -> None:
    """MAPE of zeros."""
    guess = Predictions(matrix=np.ones((3, 1)), classes=(), task_type=TaskType.REGRESSION)

    assert bootstrap_interval(get_metric("mape"), np.zeros(3), guess, seed=0) == (0, 0)


def test_regressions_and_forecasts_have_intervals() -> None:
    """R squared over rows; MASE over whole series."""
    random = np.random.default_rng(0)
    y = random.normal(size=60)
    guess = Predictions(matrix=(y + random.normal(size=60) / 3)[:, None], classes=(), task_type=TaskType.FORECASTING)
    history = History(series=[random.normal(size=20) for _ in range(12)], cases=np.repeat(np.arange(12), 5))

    for name, past in (("r2", None), ("mase", history)):
        metric = get_metric(name)
        low, high = bootstrap_interval(metric, y, guess, seed=1, history=past)
        assert low < metric.score(y, guess, history=past) < high


def test_mean_and_error() -> None:
    """The standard error needs two folds; one tells nothing about it."""
    assert mean_and_error([1.0, 2.0, 3.0]) == pytest.approx((2.0, 1 / np.sqrt(3)))
    assert mean_and_error([0.5]) == (0.5, None)


def test_pairs_take_out_the_difficulty_of_folds() -> None:
    """Folds differ by far more than the two attempts do; their difference is sure all the same."""
    hard = np.array([0.0, 10, 20, 30])

    mean, error = paired_difference(list(hard + np.array([0.9, 1.1, 1.0, 1.0])), list(hard))

    assert mean == pytest.approx(1)
    assert error is not None
    assert error < 0.1
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference([1.0], [1.0, 2.0])


def test_within_one_standard_error() -> None:
    """The best, and those whose lag is within the error of that lag; worse and surely worse ones are out."""
    scores = {"sure": [0.8, 0.6, 0.7], "near": [0.91, 0.69, 0.80], "best": [0.9, 0.7, 0.82]}

    assert within_one_standard_error(scores, greater_is_better=True) == ("best", "near")
    assert within_one_standard_error(scores, greater_is_better=False) == ("sure",)
    assert within_one_standard_error({"a": [1.0], "b": [0.9], "c": [1.0]}, greater_is_better=True) == ("a", "c")
