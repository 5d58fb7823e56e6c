"""`autoglm eval run`: the options, the record, the exit status."""

import json
from pathlib import Path

import pytest

from open_autoglm.cli import main


def test_what_is_no_suite_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """As is a program that is in none, and a place to write that is not there."""
    assert main(["eval", "run", "sandboxes"]) == 2
    assert main(["eval", "run", "sandbox", "--only", "nothing"]) == 2
    assert main(["eval", "run", "sandbox", "--out", "/nowhere/r.json"]) == 2
    assert main(["eval", "run", "sandbox", "--backend", "paper"]) == 2

    assert capsys.readouterr().err.count("error: ") == 4


@pytest.mark.slow
def test_the_record_is_printed_and_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are the same; 0 means that all held."""
    out = tmp_path / "result.json"
    words = ["eval", "run", "sandbox", "--backend", "process", "--only", "leave_early", "--only", "memory_bomb"]

    assert main([*words, "--json", "--out", str(out)]) == 0

    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(out.read_text())
    assert [(o["program"], o["contained"]) for o in record["outcomes"]] == [
        ("memory_bomb", None),
        ("leave_early", True),
        ("nothing_is_left", True),
    ]
    assert record["backends"][0]["left_out"] == 1


@pytest.mark.slow
def test_a_page_is_written_with_its_record_beside_it(tmp_path: Path) -> None:
    """A way that is named twice runs once."""
    words = ["eval", "run", "sandbox", "--backend", "process", "--backend", "process", "--only", "leave_early"]

    assert main([*words, "--out", str(tmp_path / "page.md")]) == 0

    assert "| 22 | leave_early | ✓ (error) |" in (tmp_path / "page.md").read_text()
    assert len(json.loads((tmp_path / "page.json").read_text())["outcomes"]) == 2
