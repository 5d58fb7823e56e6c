"""Promises of the summary: nothing is boasted of, nothing is said twice."""

from pathlib import Path

from open_autoglm.scripted_engine import example_outcome
from open_autoglm.summary import as_text


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
