"""Where predictions are written."""

import os
import stat
from pathlib import Path

import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.serving.table import write_csv

TABLE = pd.DataFrame({"prediction": ["yes", "no"]})


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    """`-o /dev/stdout`, a device or a pipe must not be replaced by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_csv(TABLE, pipe)
        assert os.read(reader, 100) == b"prediction\nyes\nno\n"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"]


def test_a_link_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    """The link stays."""
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write_csv(TABLE, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "prediction\nyes\nno\n"


@pytest.mark.parametrize("place", ["file/below.csv", "nowhere/out.csv", "."])
def test_a_place_that_cannot_be_written_is_said(place: str, tmp_path: Path) -> None:
    """Below a file, in no folder, a folder; nothing is left behind."""
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(TABLE, tmp_path / place)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
