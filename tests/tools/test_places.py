"""Paths in messages."""

from pathlib import Path

import pytest

from open_autoglm.tools.places import how_to_resume, short


def test_paths_are_as_a_person_would_type_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative below the working directory, whole elsewhere, quoted where a shell needs it."""
    monkeypatch.chdir(tmp_path)
    assert short(tmp_path / "runs" / "a") == "runs/a"
    assert short(Path("/elsewhere/a")) == "/elsewhere/a"
    assert how_to_resume(tmp_path / "my run", "--time 1m") == "autoglm resume 'my run' --time 1m"
