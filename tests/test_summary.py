"""Promises of the summary: nothing is boasted of, nothing is said twice."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from open_autoglm.scripted_engine import example_outcome, example_task
from open_autoglm.summary import as_text, guess_text, wishes_text
from open_autoglm.tools.task import Constraints, Guess


def test_a_damaged_manifest_costs_no_summary(tmp_path: Path) -> None:
    """Without a readable manifest the model counts as fitted again: it claims no score."""
    folder = tmp_path / "deliverable"
    folder.mkdir()
    for text in ("[]", "{", "{}"):
        (folder / "manifest.json").write_text(text)
        assert "fitted again on all rows" in as_text(example_outcome(tmp_path))


def test_an_unmet_wish_is_said_once(tmp_path: Path) -> None:
    """A wish that is also among the warnings is no second line."""
    wish = "The wished score of 0.99 was not reached."
    text = as_text(example_outcome(tmp_path, unmet=[wish], warnings=[wish, "Columns that have a single value: x."]))
    assert text.count(wish) == 1
    assert "Warning: Columns that have a single value: x." in text


def test_the_model_is_named(tmp_path: Path) -> None:
    """The first question to a model is what it is."""
    folder = tmp_path / "deliverable"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"title": "LightGBM", "refitted": false}')
    assert "Model: LightGBM\nThe delivered model is the one that was scored." in as_text(example_outcome(tmp_path))


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("metric", "roc_auc", "metric = roc_auc"),
        ("columns.id", ["PassengerId"], "id column = PassengerId"),
        ("columns.known_ahead", ["a", "b"], "known ahead columns = a, b"),
        ("columns.time", "day", "time column = day"),
    ],
)
def test_guesses_are_words(field: str, value: JsonValue, text: str) -> None:
    """No path into a data structure, no brackets."""
    assert guess_text(Guess(field=field, value=value, reason="")) == text


def test_understood_wishes_are_repeated(tmp_path: Path) -> None:
    """What was understood can be checked by who wished it; without wishes there is no such line."""
    wishes = Constraints(interpretable=True, forbidden_models=["boosting"], latency_ms=5, model_mb=1.5)
    task = example_task().model_copy(update={"constraints": wishes})
    line = "Wishes: explainable, no boosting, at most 5 ms a row, at most 1.5 MB."
    assert line in as_text(example_outcome(tmp_path, task=task))
    assert "Wishes" not in as_text(example_outcome(tmp_path))
    assert wishes_text(example_task()) == ""
