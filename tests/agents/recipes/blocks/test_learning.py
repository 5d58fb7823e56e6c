"""Features that look at the target tell no row its own answer."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from open_autoglm.agents.recipes.blocks import learning
from open_autoglm.agents.recipes.blocks.decision import decision_score, learn_decision
from open_autoglm.agents.recipes.blocks.encoding import level_codes, list_levels
from open_autoglm.agents.recipes.blocks.learning import compare, fit_target_means, leading_features, target_means
from open_autoglm.agents.recipes.blocks.texts import learn_vocabularies, text_weights
from open_autoglm.sandbox.inside.runtime.runtime import Context, Task

CONTEXT = Context(task=Task(target="y", task_type="binary", metric="f1", classes=("no", "yes")), params={})


def test_target_means_of_training_rows_come_from_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every level occurs once the encoding knows nothing; unknown levels get the overall mean."""
    monkeypatch.setattr(learning, "COLUMNS", {"encoded": ["name"]})
    y = np.array([0, 1] * 50)
    encoded, learned = fit_target_means(pd.DataFrame({"name": [f"n{n}" for n in range(100)]}), y, CONTEXT)
    assert np.ptp(encoded) < 0.05
    assert target_means(pd.Series(["never seen"]), learned[0])[0, 0] == pytest.approx(0.5)


def test_levels_are_ranked_and_rare_ones_left_out() -> None:
    """The most frequent is 0; what is not listed is NaN."""
    texts = pd.Series(["b", "a", "b", "c", "a", "b"])
    levels = list_levels(texts, most=10, at_least=2)
    assert levels == ["b", "a"]
    np.testing.assert_array_equal(level_codes(pd.Series(["a", "c", "b"]), levels), [1, np.nan, 0])


def test_leading_features_are_found_and_compared() -> None:
    """Constant and empty columns never lead; a ratio to zero is a gap."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=50), np.zeros(50), np.full(50, np.nan), np.arange(50.0)])
    leading = leading_features(X, np.arange(50.0)[:, None], most=2)
    assert leading[0] == 3
    told = compare(np.array([[6.0, 0.0], [6.0, 3.0]]), [0, 1])
    np.testing.assert_array_equal(told, [[np.nan, 6.0], [2.0, 3.0]])


def test_chinese_is_cut_into_characters_and_english_into_words() -> None:
    """Unknown words weigh nothing, and an empty column has no words at all."""
    chinese = pd.Series(["味道很好", "味道不好"] * 10)
    assert [known["analyzer"] for known in learn_vocabularies(chinese, most=100)] == ["char"]
    english = pd.Series(["a good meal", "a bad meal"] * 10)
    vocabularies = learn_vocabularies(english, most=100)
    assert [known["analyzer"] for known in vocabularies] == ["word", "char_wb"]
    assert text_weights(pd.Series(["zzz 123"]), vocabularies[:1]).nnz == 0
    assert learn_vocabularies(pd.Series(["", ""]), most=10) == []


def test_the_decision_finds_the_threshold_of_a_rare_class() -> None:
    """With 5 % positives F1 wants a far lower threshold than one half."""
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.05).astype(int)
    score = 1 / (1 + np.exp(3.5 - 2.5 * y - rng.normal(size=2000)))
    weights = learn_decision(np.column_stack([1 - score, score]), y, CONTEXT)
    assert weights[0] == 1
    assert weights[1] > 1.5


@pytest.mark.parametrize("name", ["f1", "f1_macro", "f1_weighted", "mcc", "quadratic_kappa", "balanced_accuracy"])
def test_labels_are_scored_as_the_metric_does(name: str) -> None:
    """From the table of true by named classes, as scikit-learn from the rows; a class that nobody named included."""
    rng = np.random.default_rng(1)
    count = 2 if name == "f1" else 4
    y, labels = rng.integers(0, count, size=200), rng.integers(0, max(count - 1, 2), size=200)
    known = {
        "f1": metrics.f1_score(y, labels, average="binary" if count == 2 else "macro"),
        "f1_macro": metrics.f1_score(y, labels, average="macro"),
        "f1_weighted": metrics.f1_score(y, labels, average="weighted"),
        "mcc": metrics.matthews_corrcoef(y, labels),
        "quadratic_kappa": metrics.cohen_kappa_score(y, labels, weights="quadratic"),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, labels),
    }
    context = Context(
        task=Task(target="y", task_type="multiclass", metric=name, classes=tuple(range(count))), params={}
    )
    assert decision_score(y, labels, context) == pytest.approx(known[name])
