"""Every metric agrees with an independent definition: scikit-learn, scipy, or the formula written out."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as reference

from open_autoglm.tools.metrics import History, Predictions, get_metric
from open_autoglm.tools.task import TaskType

Score = Callable[[np.ndarray, np.ndarray], float]


def classified(matrix: np.ndarray) -> Predictions:
    classes = tuple(range(matrix.shape[1]))
    return Predictions(
        matrix=matrix, classes=classes, task_type=TaskType.BINARY if len(classes) == 2 else TaskType.MULTICLASS
    )


def valued(values: np.ndarray, quantiles: tuple[float, ...] = ()) -> Predictions:
    matrix = np.asarray(values, dtype=float)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    return Predictions(matrix=matrix, classes=(), task_type=TaskType.REGRESSION, quantiles=quantiles)


def case(classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes and rounded probabilities, so that there are ties, of 300 rows with every class among them."""
    random = np.random.default_rng(seed)
    y = np.r_[np.arange(classes), random.integers(0, classes, 300 - classes)]
    strength = np.round(random.random((300, classes)) + 0.5 * np.eye(classes)[y], 1) + 0.05
    return y, strength / strength.sum(axis=1, keepdims=True)


ON_TWO: dict[str, Score] = {
    "roc_auc": lambda y, p: reference.roc_auc_score(y, p[:, 1]),
    "average_precision": lambda y, p: reference.average_precision_score(y, p[:, 1]),
    "brier": lambda y, p: reference.brier_score_loss(y, p[:, 1]),
    "f1": lambda y, p: reference.f1_score(y, p.argmax(axis=1)),
}
ON_SEVERAL: dict[str, Score] = {
    "roc_auc": lambda y, p: reference.roc_auc_score(y, p, multi_class="ovr"),
    "average_precision": lambda y, p: reference.average_precision_score(np.eye(p.shape[1])[y], p),
    "brier": lambda y, p: float(
        np.mean([np.sum((row - np.eye(4)[code]) ** 2) for row, code in zip(p, y, strict=True)])
    ),
}
ON_ANY: dict[str, Score] = {
    "log_loss": reference.log_loss,
    "accuracy": lambda y, p: reference.accuracy_score(y, p.argmax(axis=1)),
    "balanced_accuracy": lambda y, p: reference.balanced_accuracy_score(y, p.argmax(axis=1)),
    "f1_macro": lambda y, p: reference.f1_score(y, p.argmax(axis=1), average="macro"),
    "f1_weighted": lambda y, p: reference.f1_score(y, p.argmax(axis=1), average="weighted"),
    "mcc": lambda y, p: reference.matthews_corrcoef(y, p.argmax(axis=1)),
    "quadratic_kappa": lambda y, p: reference.cohen_kappa_score(y, p.argmax(axis=1), weights="quadratic"),
}
ON_NUMBERS: dict[str, Score] = {
    "rmse": reference.root_mean_squared_error,
    "rmsle": reference.root_mean_squared_log_error,
    "mae": reference.mean_absolute_error,
    "mape": reference.mean_absolute_percentage_error,
    "smape": lambda y, p: float(np.mean([2 * abs(a - b) / (abs(a) + abs(b)) for a, b in zip(y, p, strict=True)])),
    "r2": reference.r2_score,
    "spearman": lambda y, p: scipy.stats.spearmanr(y, p).statistic,
    "pinball": lambda y, p: reference.mean_pinball_loss(y, p, alpha=0.5),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [*ON_TWO, *ON_ANY])
def test_two_classes(name: str, seed: int) -> None:
    """A binary metric is what the reference says, ties included."""
    y, proba = case(2, seed)

    expected = (ON_TWO | ON_ANY)[name](y, proba)

    assert get_metric(name).score(y, classified(proba)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [*ON_SEVERAL, *ON_ANY])
def test_several_classes(name: str, seed: int) -> None:
    """A multiclass metric is what the reference says, ties included."""
    y, proba = case(4, seed)

    expected = (ON_SEVERAL | ON_ANY)[name](y, proba)

    assert get_metric(name).score(y, classified(proba)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ON_NUMBERS)
def test_numbers(name: str, seed: int) -> None:
    """A regression metric is what the reference says."""
    random = np.random.default_rng(seed)
    y = np.round(random.gamma(2, 3, 200), 1) + 0.1
    guess = np.round(np.abs(y + random.normal(0, 2, 200)), 1)

    assert get_metric(name).score(y, valued(guess)) == pytest.approx(ON_NUMBERS[name](y, guess), abs=1e-12)


def test_roc_auc_counts_the_pairs() -> None:
    """Of 2 x 3 pairs 4 are in order and one is a tie."""
    y, score = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.4, 0.4, 0.1, 0.6])

    auc = get_metric("roc_auc").score(y, classified(np.c_[1 - score, score]))

    assert auc == pytest.approx((4 + 0.5) / 6)


def test_pinball_judges_the_quantile_it_is_told() -> None:
    """With quantile columns the right one is judged; several are averaged."""
    random = np.random.default_rng(0)
    y, columns = random.normal(size=50), random.normal(size=(50, 3))
    predictions = valued(columns, (0.1, 0.9))

    low, high = (
        reference.mean_pinball_loss(y, columns[:, 1 + place], alpha=alpha) for place, alpha in enumerate((0.1, 0.9))
    )

    assert get_metric("pinball", {"quantile": 0.9}).score(y, predictions) == pytest.approx(high)
    assert get_metric("pinball", {"quantile": [0.1, 0.9]}).score(y, predictions) == pytest.approx((low + high) / 2)


def test_mase_scales_each_series_by_its_own_past() -> None:
    """Two series: errors 2 and 1 over seasonal steps of 4 and 0.5; a third that never moved is left out."""
    past = [np.array([0.0, 1, 4, 5]), np.array([1.0, 1, 1.5, 0.5]), np.array([3.0, 3, 3, 3])]
    history = History(series=past, cases=np.array([0, 0, 1, 2]))
    y, guess = np.array([1.0, 2, 3, 9]), np.array([3.0, 4, 4, 0])

    score = get_metric("mase", {"season": 2}).score(y, valued(guess), history=history)

    assert score == pytest.approx((2 / 4 + 1 / 0.5) / 2)


def test_rmsle_counts_predictions_below_zero_as_zero() -> None:
    """A linear model may go below 0; that is no error of form."""
    y = np.array([0.0, 3])

    assert get_metric("rmsle").score(y, valued(np.array([-5.0, 3]))) == 0


def test_mape_leaves_out_rows_whose_truth_is_zero() -> None:
    """A percentage of nothing is none."""
    assert get_metric("mape").score(np.array([0.0, 2]), valued(np.array([9.0, 3]))) == pytest.approx(0.5)


def test_a_chosen_label_goes_before_the_arg_max() -> None:
    """Metrics of labels use the label column; metrics of probabilities do not see it."""
    y = np.array([1, 1, 0])
    matrix = np.array([[0.6, 0.4, 1], [0.7, 0.3, 1], [0.9, 0.1, 0]])
    predictions = Predictions(matrix=matrix, classes=("no", "yes"), task_type=TaskType.BINARY)

    assert get_metric("f1").score(y, predictions) == 1
    assert get_metric("accuracy").score(y, classified(matrix[:, :2])) == pytest.approx(1 / 3)
    assert get_metric("log_loss").score(y, predictions) == get_metric("log_loss").score(y, classified(matrix[:, :2]))


def test_log_loss_of_certain_and_wrong_is_clipped() -> None:
    """Zero probability at the truth, or a class that training never saw, counts as 1e-15."""
    wrong = get_metric("log_loss").score(np.array([0, -1]), classified(np.array([[0.0, 1.0], [0.5, 0.5]])))

    assert wrong == pytest.approx(-np.log(1e-15))


def test_the_reference_is_silent() -> None:
    """The comparisons above are meant on well-formed data: nothing in them may hide behind a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, score in (ON_SEVERAL | ON_ANY).items():
            assert np.isfinite(score(*case(4, 9))), name
