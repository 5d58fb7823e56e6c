"""Promises of the summary: nothing that the user waits for is missing in silence, nothing is said twice."""

import json
from pathlib import Path

from open_autoglm.scripted_engine import example_outcome
from open_autoglm.summary import as_text


def test_what_was_left_out_is_listed(tmp_path: Path) -> None:
    """The manifest knows what did not fit into the time; so does the reader of the summary."""
    folder = tmp_path / "deliverable"
    folder.mkdir()
    manifest = {"refitted": True, "left_out": ["predictions.csv (no time left; it takes about 2 s)"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "Left out: predictions.csv (no time left; it takes about 2 s)" in as_text(example_outcome(tmp_path))


def test_a_damaged_manifest_costs_no_summary(tmp_path: Path) -> None:
    """Without a readable manifest the model counts as fitted again: it claims no score."""
    folder = tmp_path / "deliverable"
    folder.mkdir()
    for text in ("[]", "{", '{"left_out": 3}'):
        (folder / "manifest.json").write_text(text)
        assert "fitted again on all rows" in as_text(example_outcome(tmp_path))


def test_an_unmet_wish_is_said_once(tmp_path: Path) -> None:
    """A wish that is also among the warnings is no second line."""
    wish = "The wished score of 0.99 was not reached."
    text = as_text(example_outcome(tmp_path, unmet=[wish], warnings=[wish, "Columns that have a single value: x."]))
    assert text.count(wish) == 1
    assert "Warning: Columns that have a single value: x." in text
