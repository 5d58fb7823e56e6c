"""Ensembles are learned from out-of-fold predictions, and their estimate is made where nothing was learned."""

import numpy as np
import pytest

from open_autoglm.tools import ensembling
from open_autoglm.tools.ensembling import blend, cross_fitted_scores, greedy_weights
from open_autoglm.tools.metrics import InvalidPredictions, check_predictions, get_metric
from open_autoglm.tools.task import TaskType

RANDOM = np.random.default_rng(0)
Y = RANDOM.normal(size=400)
NUMBERS = {
    "good": (Y + RANDOM.normal(0, 0.5, 400))[:, None],
    "other": (Y + RANDOM.normal(0, 0.6, 400))[:, None],
    "noise": RANDOM.normal(0, 3, 400)[:, None],
}


def learn(oof: dict[str, np.ndarray], name: str = "rmse", rounds: int = 25) -> dict[str, float]:
    return greedy_weights(oof, Y, get_metric(name), (), TaskType.REGRESSION, rounds)


def rmse(matrix: np.ndarray) -> float:
    return float(np.sqrt(np.mean((matrix[:, 0] - Y) ** 2)))


def test_independent_members_help_and_noise_gets_nothing() -> None:
    """The blend beats its best member; weights sum to 1, the heaviest first."""
    weights = learn(NUMBERS)

    assert set(weights) == {"good", "other"}
    assert sum(weights.values()) == pytest.approx(1)
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert rmse(blend(NUMBERS, weights)) < 0.9 * rmse(NUMBERS["good"])


@pytest.mark.parametrize("name", ["rmse", "r2"])
def test_the_best_alone_stays_alone_where_nothing_gains(name: str) -> None:
    """In either direction of the metric."""
    assert learn({"noise": NUMBERS["noise"], "exact": Y[:, None]}, name) == {"exact": 1.0}


def test_equals_are_told_apart_by_their_order() -> None:
    """The first of two identical members is taken, always."""
    twins = {"b": NUMBERS["good"], "a": NUMBERS["good"].copy()}

    assert learn(twins) == {"b": 1.0}


def test_rounds_bound_the_members() -> None:
    """Two rounds take two members."""
    assert learn(NUMBERS, rounds=2) == {"good": 0.5, "other": 0.5}


def classified(rows: int, strength: float, seed: int, y: np.ndarray) -> np.ndarray:
    score = np.random.default_rng(seed).normal(strength * y, 1)
    positive = 1 / (1 + np.exp(-score))
    return np.c_[1 - positive, positive]


def test_long_tables_are_compared_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty members of 100,000 rows: no more than about 20,000 rows are looked at, and the choice is as good."""
    y = (np.random.default_rng(1).random(100_000) < 0.1).astype(np.int64)
    oof = {f"m{n}": classified(len(y), 0.2 + 0.1 * n, n, y) for n in range(6)}
    auc = get_metric("roc_auc")

    weights = greedy_weights(oof, y, auc, ("no", "yes"), TaskType.BINARY, rounds=8)

    rows = ensembling._sample(y, TaskType.BINARY, 2)
    assert len(rows) <= 20_002
    assert y[rows].mean() == pytest.approx(y.mean(), abs=1e-3)
    assert set(weights) >= {"m5", "m4"}
    assert greedy_weights(oof, y, auc, ("no", "yes"), TaskType.BINARY, rounds=8) == weights


def test_the_sample_holds_every_class() -> None:
    """Also one with a single row among a hundred thousand; a sample of numbers spans them."""
    y = np.zeros(100_000, dtype=np.int64)
    y[77_777] = 1
    values = np.arange(100_000.0)

    assert 77_777 in ensembling._sample(y, TaskType.BINARY, 2)
    assert set(values[ensembling._sample(values, TaskType.REGRESSION, 1)]) >= {0.0, 99_999.0}


def test_chosen_labels_are_not_averaged() -> None:
    """A label column is left out: the blend is of probabilities."""
    y = np.array([0, 1, 1, 0])
    proba = np.array([[0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.9, 0.1]])
    oof = {"a": np.c_[proba, [1.0, 0, 0, 1]], "b": np.c_[proba, [0.0, 0, 0, 0]]}

    weights = greedy_weights(oof, y, get_metric("f1"), ("n", "y"), TaskType.BINARY)

    assert weights == {"a": 1.0}
    np.testing.assert_array_equal(blend(oof, {"a": 0.5, "b": 0.5}, ("n", "y")), proba)


def test_quantiles_are_blended_and_judged() -> None:
    """Pinball looks at the column of its quantile."""
    low = np.c_[Y, Y - 1, Y + 1]
    wrong = np.c_[Y, Y + 5, Y - 5]
    pinball = get_metric("pinball", {"quantile": [0.1, 0.9]})

    weights = greedy_weights({"wrong": wrong, "low": low}, Y, pinball, (), TaskType.REGRESSION, quantiles=(0.1, 0.9))

    assert next(iter(weights)) == "low"
    with pytest.raises(InvalidPredictions, match=r"predicted are 0.2, 0.8"):
        greedy_weights({"low": low}, Y, pinball, (), TaskType.REGRESSION, quantiles=(0.2, 0.8))


def test_the_estimate_is_made_outside_of_what_was_learned() -> None:
    """Fifty members of pure noise: their in-sample ensemble looks skilled, the cross-fitted one does not."""
    random = np.random.default_rng(2)
    y = np.arange(200) % 2
    oof = {}
    for member in range(50):
        positive = random.random(200)
        oof[f"m{member}"] = np.c_[1 - positive, positive]
    folds = [np.flatnonzero((np.arange(200) // 2) % 5 == fold) for fold in range(5)]
    auc = get_metric("roc_auc")

    weights = greedy_weights(oof, y, auc, (0, 1), TaskType.BINARY)
    honest = np.mean(cross_fitted_scores(oof, y, folds, auc, (0, 1), TaskType.BINARY))

    flattering = auc.score(
        y, check_predictions(blend(oof, weights, (0, 1)), rows=200, task_type=TaskType.BINARY, classes=(0, 1))
    )

    assert flattering > 0.65
    assert abs(honest - 0.5) < 0.08


def test_one_score_for_each_fold() -> None:
    """Scores come in the order of the folds, each over its own rows."""
    folds = [np.arange(0, 200), np.arange(200, 400)]

    scores = cross_fitted_scores(NUMBERS, Y, folds, get_metric("rmse"), (), TaskType.REGRESSION)

    assert len(scores) == 2
    assert all(score < 0.5 for score in scores)


def test_members_must_be_of_the_same_rows() -> None:
    """Nothing to choose from, other rows, a fold of everything: told, not guessed."""
    rmse_metric = get_metric("rmse")
    with pytest.raises(ValueError, match="needs members"):
        learn({})
    with pytest.raises(ValueError, match="for 400 rows"):
        learn({"a": NUMBERS["good"][:5]})
    with pytest.raises(ValueError, match="leaves none"):
        cross_fitted_scores(NUMBERS, Y, [np.arange(400)], rmse_metric, (), TaskType.REGRESSION)
