"""Names of metrics in both languages."""

import pytest

from open_autoglm.agents.recipes.intent.metric_words import METRIC_WORDS, STAND_INS
from open_autoglm.agents.recipes.intent.metrics import said_metrics
from open_autoglm.agents.recipes.intent.text import fold, is_chinese
from open_autoglm.tools.metrics import METRIC_NAMES


def test_every_metric_has_names_in_both_languages() -> None:
    """No metric that we compute is unknown to the words, and no word leads to one that we do not compute."""
    assert set(METRIC_WORDS) == set(METRIC_NAMES)
    assert {name for _, name, *_ in STAND_INS.values()} <= set(METRIC_NAMES)
    assert not [n for n, words in METRIC_WORDS.items() if not any(is_chinese(c) for w in words for c in w)]


@pytest.mark.parametrize("name", sorted(METRIC_WORDS))
def test_each_name_leads_to_its_metric(name: str) -> None:
    """Also between Chinese words, and whatever shorter names it holds."""
    phrases = [p.replace("*", "") for p in (*METRIC_WORDS[name], name)]
    wrong = [p for p in phrases if [s.name for s in said_metrics(fold(f"用{p}评估"))] != [name]]
    assert not wrong


@pytest.mark.parametrize(("said", "names"), [("use auc, not accuracy", ["roc_auc"]), ("不看准确率,看F1", ["f1"]), ("mse", ["rmse"]), ("recall matters: ap", ["average_precision"]), ("the last column", []), ("by acuracy", ["accuracy"])])  # fmt: skip
def test_only_what_is_wanted_counts(said: str, names: list[str]) -> None:
    """Denied metrics and plain words are none; where another leads to the same choice, it stands in."""
    assert [s.name for s in said_metrics(fold(said))] == names
