"""Charts' numbers agree with independent computations."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from open_autoglm.tools.export.diagnostics import calibration, confusion, residuals, roc_curve
from open_autoglm.tools.metrics.predictions import Predictions
from open_autoglm.tools.task import TaskType


def binary(rows: int = 300, decimals: int = 2) -> tuple[np.ndarray, Predictions]:
    generator = np.random.default_rng(1)
    p = generator.random(rows).round(decimals)
    y = (generator.random(rows) < p).astype(np.int64)
    return y, Predictions(matrix=np.column_stack([1 - p, p]), classes=("no", "yes"), task_type=TaskType.BINARY)


def test_confusion_counts_like_scikit_learn() -> None:
    """Rows are actual, columns predicted."""
    y, predictions = binary()
    assert np.array_equal(confusion(y, predictions).counts, confusion_matrix(y, predictions.labels))


def test_rows_of_unknown_classes_are_left_out() -> None:
    """A class that training never saw (-1) has no row in the matrix."""
    y, predictions = binary()
    y[:10] = -1
    assert np.sum(confusion(y, predictions).counts) == 290


def test_roc_area_counts_ties_like_scikit_learn() -> None:
    """Equal probabilities share one point of the curve; thinning keeps both ends."""
    y, predictions = binary(decimals=1)
    roc = roc_curve(y, predictions)
    assert roc is not None
    assert roc.area == pytest.approx(roc_auc_score(y, predictions.proba[:, 1]))
    assert (roc.false_positive_rate[0], roc.true_positive_rate[-1], roc.positive) == (0.0, 1.0, "yes")


@pytest.mark.parametrize("y", [np.zeros(20, dtype=np.int64), np.ones(20, dtype=np.int64)])
def test_one_class_has_no_roc_curve(y: np.ndarray) -> None:
    """A holdout of one class draws nothing."""
    _, predictions = binary(20)
    assert roc_curve(y, predictions) is None


def test_calibrated_probabilities_lie_on_the_diagonal() -> None:
    """Bins hold about equally many rows, and drawn labels match their probabilities."""
    y, predictions = binary(5000, 6)
    bins = calibration(y, predictions)
    assert sum(b.rows for b in bins) == 5000
    assert max(abs(b.predicted - b.observed) for b in bins) < 0.08


def test_calibration_of_many_classes_looks_at_the_predicted_one() -> None:
    """With three classes: how sure, against how often right."""
    matrix = np.tile([0.2, 0.7, 0.1], (50, 1))
    y = np.array([1] * 35 + [0] * 15)
    bins = calibration(y, Predictions(matrix=matrix, classes=("a", "b", "c"), task_type=TaskType.MULTICLASS), bins=1)
    assert (bins[0].predicted, bins[0].observed) == (pytest.approx(0.7), pytest.approx(0.7))


def test_residuals_sample_the_points_and_cover_all_rows() -> None:
    """Points are bounded; quantiles are of every row; the same seed draws the same points."""
    y = np.linspace(0, 1, 2000)
    predictions = Predictions(matrix=(y - 0.5)[:, None], classes=(), task_type=TaskType.REGRESSION)
    found = residuals(y, predictions)
    assert len(found.predicted) == 400
    assert found == residuals(y, predictions)
    assert dict(found.quantiles)[0.5] == pytest.approx(0.5)
    assert found.rows == 2000
