"""Faults of the machine in words: what failed, what to do, which exit code."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.faults import in_words
from open_autoglm.agents.run import start_run
from open_autoglm.errors import AutoGLMError, RunDirectoryError, TransientError
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.scripted import ScriptedSandbox
from open_autoglm.tools.task import BudgetSpec


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, TransientError, "is full. Make room"),
        (errno.EDQUOT, TransientError, "quota"),
        (errno.EIO, TransientError, "fails"),
        (errno.EMFILE, TransientError, "ulimit"),
        (errno.EROFS, RunDirectoryError, "may not be written"),
    ],
)
def test_faults_of_the_disk_say_what_to_do(code: int, kind: type[AutoGLMError], words: str) -> None:
    """Each is one line with the command to go on."""
    with pytest.raises(kind, match=words) as caught, in_words(Path("runs/one")):
        raise OSError(code, os.strerror(code))
    assert "autoglm resume runs/one" in str(caught.value)


def test_memory_that_ran_out_is_no_internal_error() -> None:
    """Try again with less."""
    with pytest.raises(TransientError, match="Memory ran out"), in_words(Path("runs/one")):
        raise MemoryError


def test_a_journal_that_breaks_while_it_is_used_is_named(tmp_path: Path) -> None:
    """SQLite finds damage only where it reads."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database" * 500)
    with pytest.raises(RunDirectoryError, match="is damaged"), in_words(tmp_path):
        sqlite3.connect(path).execute("SELECT 1 FROM attempts")


def test_our_own_faults_stay_what_they_are() -> None:
    """What a user cannot mend is not put into soothing words."""
    with pytest.raises(FileNotFoundError), in_words(Path("runs/one")):
        Path("nowhere").read_text()


def test_a_disk_that_fills_up_in_a_run_is_one_error(tmp_path: Path) -> None:
    """A worker's error is the run's error, not a group of errors; what was recorded stays."""
    played = engine.Played()

    def play(job: Job) -> ExecutionReport:
        if len(played.executed) > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return played(job)

    with pytest.raises(TransientError, match="is full"):
        start_run(
            engine.options(tmp_path, budget=BudgetSpec(attempts=3), workers=2),
            strategist=engine.strategist(2.0, 0.5, 1.0), sandbox=ScriptedSandbox(play),
        )  # fmt: skip
    assert (tmp_path / "run" / "journal.sqlite").exists()
