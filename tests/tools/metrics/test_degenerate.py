"""Folds that a textbook does not foresee give the documented number: never a warning, never NaN, never a crash."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from open_autoglm.tools.metrics import (
    METRIC_NAMES,
    History,
    InvalidPredictions,
    MetricMisfit,
    Predictions,
    check_predictions,
    get_metric,
    metrics_for,
)
from open_autoglm.tools.task import TaskType


def binary(score: list[float]) -> Predictions:
    positive = np.array(score)
    return Predictions(matrix=np.c_[1 - positive, positive], classes=("no", "yes"), task_type=TaskType.BINARY)


def numbers(values: list[float]) -> Predictions:
    return Predictions(matrix=np.array(values)[:, None], classes=(), task_type=TaskType.REGRESSION)


@pytest.mark.parametrize(
    ("name", "y", "score", "expected"),
    [
        ("roc_auc", [1, 1], [0.1, 0.9], 0.5),
        ("roc_auc", [0, 0], [0.1, 0.9], 0.5),
        ("roc_auc", [0, 1], [0.5, 0.5], 0.5),
        ("average_precision", [0, 0], [0.1, 0.9], 0.0),
        ("average_precision", [1, 1], [0.1, 0.9], 1.0),
        ("balanced_accuracy", [1, 1], [0.1, 0.9], 0.5),
        ("f1", [0, 0], [0.1, 0.2], 0.0),
        ("f1_macro", [0, 0], [0.1, 0.9], 2 / 3),
        ("mcc", [1, 0], [0.9, 0.9], 0.0),
        ("mcc", [1, 1], [0.9, 0.9], 0.0),
        ("quadratic_kappa", [1, 1], [0.9, 0.9], 0.0),
        ("quadratic_kappa", [1, 1], [0.1, 0.1], 0.0),
        ("accuracy", [-1, 1], [0.1, 0.9], 0.5),
        ("f1_macro", [-1, 1], [0.1, 0.9], 0.5),
    ],
)
def test_classification(name: str, y: list[int], score: list[float], expected: float) -> None:
    """One class only, one answer only, a class that training never saw."""
    assert get_metric(name).score(np.array(y), binary(score)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "y", "guess", "expected"),
    [
        ("r2", [2, 2], [2, 2], 1.0),
        ("r2", [0.1] * 3, [0.1, 0.1, 0.2], 0.0),
        ("r2", [5], [4], 0.0),
        ("spearman", [1, 2, 3], [7, 7, 7], 0.0),
        ("spearman", [1], [7], 0.0),
        ("mape", [0, 0], [1, 2], 0.0),
        ("smape", [0, 0], [0, 2], 1.0),
    ],
)
def test_regression(name: str, y: list[float], guess: list[float], expected: float) -> None:
    """Constant truth, constant predictions, a single row, zeros."""
    assert get_metric(name).score(np.array(y, dtype=float), numbers(guess)) == pytest.approx(expected)


def test_a_class_missing_from_the_fold_is_not_judged() -> None:
    """Several classes of which one is absent from the truth: the mean is over the others."""
    y = np.array([0, 0, 1, 1])
    proba = np.array([[0.8, 0.1, 0.1], [0.5, 0.1, 0.4], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]])
    predictions = Predictions(matrix=proba, classes=("a", "b", "c"), task_type=TaskType.MULTICLASS)

    assert get_metric("roc_auc").score(y, predictions) == 1
    assert get_metric("balanced_accuracy").score(y, predictions) == pytest.approx(0.75)
    assert get_metric("f1_macro").score(y, predictions) == pytest.approx((1 + 2 / 3) / 2)


def test_mase_without_a_series_that_moves_is_zero() -> None:
    """Nothing to scale by leaves nothing to judge."""
    history = History(series=[np.ones(5), np.ones(1)], cases=np.array([0, 1]))

    assert get_metric("mase").score(np.array([1.0, 2]), numbers([3, 4]), history=history) == 0


def test_mase_without_history_says_so() -> None:
    """Outside forecasting there is no history."""
    with pytest.raises(MetricMisfit, match="history of each series"):
        get_metric("mase").score(np.array([1.0]), numbers([1]))


def test_rmsle_refuses_a_negative_truth() -> None:
    """The logarithm has no value there; another metric is named."""
    with pytest.raises(MetricMisfit, match="Use rmse or mae"):
        get_metric("rmsle").score(np.array([-1.0]), numbers([1]))


@pytest.mark.parametrize("name", ["rmse", "r2"])
def test_overflow_is_the_predictions_fault(name: str) -> None:
    """Finite predictions whose square is not finite cannot be scored."""
    with pytest.raises(InvalidPredictions, match="too large"):
        get_metric(name).score(np.array([0.0, 1]), numbers([1e300, 1]))


def test_other_rows_than_asked_for_are_refused() -> None:
    """Counts and classes must be those of the truth."""
    accuracy = get_metric("accuracy")
    with pytest.raises(InvalidPredictions, match="1 predictions for 2 rows"):
        accuracy.score(np.array([0, 1]), binary([0.5]))
    with pytest.raises(InvalidPredictions, match="no rows"):
        accuracy.score(np.array([], dtype=np.int64), binary([]))
    with pytest.raises(InvalidPredictions, match="were scored as"):
        accuracy.score(np.array([0]), binary([0.5]), ("yes", "no"))


@settings(max_examples=40, deadline=None)
@given(data=st.data(), classes=st.integers(2, 4), rows=st.integers(1, 12))
def test_any_classification_gives_a_number_in_range(data: st.DataObject, classes: int, rows: int) -> None:
    """Whatever the codes and the probabilities: finite, and within the range that the metric states."""
    y = data.draw(arrays.arrays(np.int64, rows, elements=st.integers(-1, classes - 1)))
    strength = data.draw(
        arrays.arrays(np.float64, (rows, classes), elements=st.floats(0, 1).map(lambda v: round(v, 2)))
    )
    strength[strength.sum(axis=1) == 0] = 1
    task_type = TaskType.BINARY if classes == 2 else TaskType.MULTICLASS
    predictions = check_predictions(
        strength / strength.sum(axis=1, keepdims=True), rows=rows, task_type=task_type, classes=tuple(range(classes))
    )

    for name in metrics_for(task_type):
        low, high = get_metric(name).valid_range
        assert low <= get_metric(name).score(y, predictions) <= high, name


@settings(max_examples=40, deadline=None)
@given(data=st.data(), rows=st.integers(1, 12))
def test_any_regression_gives_a_number_in_range(data: st.DataObject, rows: int) -> None:
    """Whatever the numbers, as long as they are no astronomical ones."""
    y = data.draw(arrays.arrays(np.float64, rows, elements=st.floats(0, 1e6, allow_subnormal=False)))
    guess = data.draw(arrays.arrays(np.float64, rows, elements=st.floats(-1e6, 1e6, allow_subnormal=False)))

    for name in metrics_for(TaskType.REGRESSION):
        low, high = get_metric(name).valid_range
        try:
            assert low <= get_metric(name).score(y, numbers(list(guess))) <= high, name
        except InvalidPredictions:
            assert name in {"r2", "mape"}, "only a ratio with next to nothing below it may overflow"


def test_every_metric_was_tried() -> None:
    """The property tests above reach every metric but mase, which has its own."""
    tried = {name for kind in TaskType if kind is not TaskType.FORECASTING for name in metrics_for(kind)}

    assert tried | {"mase"} == set(METRIC_NAMES)
