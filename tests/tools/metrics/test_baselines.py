"""A dummy is the best constant there is, so that beating it means something."""

import numpy as np
import pytest

from open_autoglm.tools.metrics import Predictions, get_metric, metrics_for
from open_autoglm.tools.metrics.baselines import dummy_predictions
from open_autoglm.tools.task import TaskType

RANDOM = np.random.default_rng(0)
TWO = (RANDOM.random(200) < 0.2).astype(np.int64)
THREE = RANDOM.choice(3, size=200, p=[0.6, 0.3, 0.1])
VALUES = np.round(RANDOM.gamma(1.5, 10, 301), 2) + 0.5


def constant(row: np.ndarray, rows: int, task_type: TaskType) -> Predictions:
    classes = tuple(range(len(row))) if task_type.is_classification else ()
    return Predictions(matrix=np.tile(row, (rows, 1)), classes=classes, task_type=task_type)


@pytest.mark.parametrize("name", metrics_for(TaskType.BINARY))
def test_no_constant_of_two_classes_is_better(name: str) -> None:
    """Over a grid of constant probabilities (and with them both labels)."""
    metric = get_metric(name)
    dummy = metric.score(TWO, dummy_predictions(TWO, len(TWO), metric, TaskType.BINARY, (0, 1)))

    for share in np.linspace(0, 1, 41):
        rival = metric.score(TWO, constant(np.array([1 - share, share]), len(TWO), TaskType.BINARY))
        assert not metric.is_better(rival, dummy + (1e-12 if metric.greater_is_better else -1e-12))


@pytest.mark.parametrize("name", metrics_for(TaskType.MULTICLASS))
def test_no_constant_of_three_classes_is_better(name: str) -> None:
    """Over a grid of constant probabilities."""
    metric = get_metric(name)
    dummy = metric.score(THREE, dummy_predictions(THREE, len(THREE), metric, TaskType.MULTICLASS, (0, 1, 2)))

    for row in np.random.default_rng(1).dirichlet(np.ones(3), 60):
        rival = metric.score(THREE, constant(row, len(THREE), TaskType.MULTICLASS))
        assert not metric.is_better(rival, dummy + (1e-12 if metric.greater_is_better else -1e-12))


@pytest.mark.parametrize("name", ["rmse", "r2", "mae", "rmsle", "mape", "pinball", "spearman"])
def test_no_constant_number_is_better(name: str) -> None:
    """Over a fine grid of constants, for every metric whose best constant is known."""
    metric = get_metric(name)
    dummy = metric.score(VALUES, dummy_predictions(VALUES, len(VALUES), metric, TaskType.REGRESSION, ()))

    for value in np.linspace(0, 60, 500):
        rival = metric.score(VALUES, constant(np.array([value]), len(VALUES), TaskType.REGRESSION))
        assert not metric.is_better(rival, dummy + (1e-9 if metric.greater_is_better else -1e-9))


def test_pinball_takes_its_own_quantile() -> None:
    """The dummy of the 90 % quantile is that quantile."""
    metric = get_metric("pinball", {"quantile": 0.9})

    dummy = dummy_predictions(VALUES, 1, metric, TaskType.REGRESSION, ())

    assert dummy.values[0] == np.quantile(VALUES, 0.9, method="inverted_cdf")


def test_smape_comes_close_to_its_best_constant() -> None:
    """There is no formula; the best of a hundred candidates is within a percent of the best of a grid."""
    metric = get_metric("smape")
    dummy = metric.score(VALUES, dummy_predictions(VALUES, len(VALUES), metric, TaskType.REGRESSION, ()))
    rivals = [
        metric.score(VALUES, constant(np.array([value]), len(VALUES), TaskType.REGRESSION))
        for value in np.linspace(0.1, 60, 400)
    ]

    assert dummy <= min(rivals) * 1.01


def test_odd_targets_have_dummies() -> None:
    """All zeros for mape, MASE's median, and training rows of classes that were never seen."""
    zeros = dummy_predictions(np.zeros(3), 2, get_metric("mape"), TaskType.REGRESSION, ())
    middle = dummy_predictions(np.array([1.0, 2, 9]), 1, get_metric("mase"), TaskType.FORECASTING, ())
    nothing = dummy_predictions(np.array([-1]), 1, get_metric("log_loss"), TaskType.BINARY, (0, 1))

    assert zeros.values.tolist() == [0, 0]
    assert middle.values.tolist() == [2]
    assert nothing.proba.tolist() == [[0.5, 0.5]]
