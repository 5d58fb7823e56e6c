"""Bad input through the real command line: one line on stderr that says what to do, the right exit code, nothing left behind.

The engine is the real one with recipes; only the sandbox is played, since none of this may get as far as running code.
"""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from open_autoglm.agents.budget import StopFlag
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.run import resume_run, start_run
from open_autoglm.cli import main
from open_autoglm.engine import Hooks
from open_autoglm.errors import Interrupted
from open_autoglm.front import Front
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.scripted import ScriptedSandbox
from open_autoglm.settings import KEYS
from open_autoglm.terminal import Terminal
from open_autoglm.tools.task import BudgetSpec


def nothing_runs(job: Job) -> ExecutionReport:
    raise AssertionError(f"{job.execution_id} was run: bad input must be found before")


class RecipeEngine:
    """The real engine with a sandbox in which nothing may run."""

    def start(self, options: RunOptions, *, frames: object, hooks: Hooks) -> Outcome:
        del frames
        return start_run(
            options, listeners=hooks.listeners, ask=hooks.ask, stop=hooks.stop, sandbox=ScriptedSandbox(nothing_runs)
        )

    def resume(self, run_dir: Path, *, budget: BudgetSpec | None, hooks: Hooks) -> Outcome:
        return resume_run(
            run_dir, budget=budget, listeners=hooks.listeners, stop=hooks.stop, sandbox=ScriptedSandbox(nothing_runs)
        )


@dataclass
class Shell:
    """Types commands, and keeps what they print."""

    out: str = ""
    err: str = ""
    engine: RecipeEngine = field(default_factory=RecipeEngine)

    def __call__(self, *tokens: str) -> int:
        out, err = io.StringIO(), io.StringIO()
        status = main(tokens, front=Front(terminal=Terminal(out, err, io.StringIO()), engine=lambda: self.engine))
        self.out, self.err = out.getvalue(), err.getvalue()
        return status


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in an empty folder, and no settings from outside."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for key in KEYS:
        monkeypatch.delenv(f"AUTOGLM_{key.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    return Shell()


def table(rows: int = 60, **columns: object) -> pd.DataFrame:
    """A small sound table, with columns changed or added."""
    rng = np.random.default_rng(0)
    sound = {"a": rng.normal(size=rows), "b": rng.choice(["u", "v"], rows), "y": rng.choice(["no", "yes"], rows)}
    return pd.DataFrame({**sound, **columns})


def text_of(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


RNG = np.random.default_rng(1)
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty"),
    "blank lines": (lambda: b"\n\n\n", "is empty"),
    "names only": (lambda: b"a,b,y\n", "no rows"),
    "one column": (lambda: text_of(table()[["y"]]), "one column"),
    "one row": (lambda: text_of(table(1)), "one row"),
    "few rows": (lambda: text_of(table(6, y=[0, 1, 0, 1, 0, 1])), "at least 10"),
    "one class": (lambda: text_of(table(y="yes")), "one value only"),
    "no target values": (lambda: text_of(table(y=np.nan)), "no values at all"),
    "a class per row": (lambda: text_of(table(y=[f"c{i}" for i in range(60)])), "no class occurs twice"),
    "only an id": (lambda: text_of(table()[["y"]].assign(id=range(60))), "nothing to predict from"),
    "binary": (lambda: bytes(RNG.integers(0, 256, 3000, dtype=np.uint8)), "binary data"),
    "truncated gzip": (lambda: b"\x1f\x8b" + b"\x08" * 40, "decompressed"),
    "broken line": (lambda: text_of(table()) + b"1,2,3,4,5,6\n", "--read on_bad_lines=skip"),
    "open quote": (lambda: text_of(table()) + b'1,"abc,yes\n', "Mend that line"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_one_line_and_exit_2(case: str, shell: Shell, tmp_path: Path) -> None:
    """No traceback, nothing on stdout, no run directory."""
    make, words = FILES[case]
    (tmp_path / "t.csv").write_bytes(make())
    assert shell("run", "predict y", "--data", "t.csv", "--yes", "--out", "run") == 2
    assert words in shell.err
    assert shell.err.count("\n") == 1
    assert shell.out == ""
    assert not (tmp_path / "run").exists()


OPTIONS: list[tuple[list[str], str]] = [
    (["--data", "nowhere.csv"], "There is no file"),
    (["--data", "."], "is a directory"),
    (["--data", "x" * 5000 + ".csv"], "name too long"),
    (["--data", "pipe"], "neither a file nor a directory"),
    (["--data", "t.csv", "--target", "yy"], "Nearest: y"),
    (["--data", "t.csv", "--metric", "roc_au"], "Nearest: roc_auc"),
    (["--data", "t.csv", "--metric", "rmse"], "cannot judge a binary task"),
    (["--data", "n.csv", "--metric", "roc_auc"], "cannot judge a regression task"),
    (["--data", "n.csv", "--metric", "rmsle"], "negative"),
    (["--data", "huge.csv"], "squares cannot be computed"),
    (["--data", "infinite.csv"], "no finite number"),
    (["--data", "t.csv", "--test", "other.csv"], "The test table lacks 2 of the 2 columns"),
    (["--data", "t.csv", "--test", "nowhere.csv"], "There is no file"),
    (["--data", "t.csv", "--data", "n.csv"], "join or append"),
    (["--data", "t.csv", "--time", "0s"], "--time"),
    (["--data", "t.csv", "--time", "nan"], "--time"),
    (["--data", "t.csv", "--attempts", "0"], "--attempts"),
    (["--data", "t.csv", "--holdout", "nan"], "--holdout"),
    (["--data", "t.csv", "--target-score", "nan"], "--target-score"),
    (["--data", "t.csv", "--read", "encoding=klingon"], "takes an encoding"),
    (["--data", "t.csv", "--read", "separator=;"], "Unknown read option"),
]


@pytest.fixture
def files(tmp_path: Path) -> None:
    """Sound tables, and others that are sound in themselves."""
    numbers = RNG.normal(size=60)
    for name, frame in {
        "t": table(), "n": table(y=numbers), "huge": table(y=numbers * 1e300),
        "infinite": table(y=[*[np.inf, -np.inf] * 29, np.nan, np.nan]), "other": pd.DataFrame({"q": [1, 2], "r": [3, 4]}),
    }.items():  # fmt: skip
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    os.mkfifo(tmp_path / "pipe")


@pytest.mark.parametrize(("tokens", "words"), OPTIONS)
def test_what_cannot_be_done_is_one_line_and_exit_2(
    tokens: list[str], words: str, shell: Shell, files: None, tmp_path: Path
) -> None:
    """No traceback, nothing on stdout, no run directory: with --out the same command can be repeated, mended."""
    prompt = "predict y, a regression" if {"infinite.csv", "huge.csv"} & set(tokens) else "predict y"
    assert shell("run", prompt, *tokens, "--yes", "--out", "run") == 2
    assert words in shell.err
    assert shell.err.count("\n") == 1
    assert shell.out == ""
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("out", ["t.csv", "t.csv/below", "x" * 300, "/proc/nowhere/run", "."])
def test_a_place_that_cannot_hold_a_run_is_refused(out: str, shell: Shell, files: None, tmp_path: Path) -> None:
    """A file, below a file, a name too long, where nothing may be made, a folder that holds things; all stay as they are."""
    before = sorted(tmp_path.iterdir())
    assert shell("run", "predict y", "--data", "t.csv", "--yes", "--out", out) == 2
    assert "--out" in shell.err
    assert shell.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_name_that_is_no_text_is_refused(shell: Shell, tmp_path: Path) -> None:
    """A file named in another encoding than the locale's."""
    name = b"donn\xe9es.csv".decode("utf-8", "surrogateescape")
    (tmp_path / name).write_bytes(text_of(table()))
    assert shell("run", "predict y", "--data", name, "--yes") == 2
    assert "UTF-8" in shell.err
    assert shell.err.count("\n") == 1


def test_a_prompt_in_utf_8_is_read_in_any_locale(shell: Shell, files: None) -> None:
    """Bytes that the locale could not read arrive as what they are."""
    prompt = "预测 y".encode().decode("ascii", "surrogateescape")
    assert shell("run", prompt, "--data", "t.csv", "--metric", "nothing", "--yes") == 2
    assert "Unknown metric 'nothing'" in shell.err


def test_a_working_directory_that_is_gone_is_said(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another terminal deleted it."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert shell("runs") == 2
    assert "working directory" in shell.err
    monkeypatch.chdir(tmp_path)


def test_closed_streams_get_a_place_to_go() -> None:
    """Numbers 0 to 2 are taken before anything else is opened."""
    program = (
        "import os, sys\nfrom open_autoglm.terminal import hold_descriptors\nhold_descriptors()\n"
        "sys.exit(0 if os.open(os.devnull, os.O_RDONLY) > 2 else 1)"
    )
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", program]
    assert subprocess.run(closed, check=False, timeout=60).returncode == 0


def test_a_stop_before_the_run_begins_is_heeded(tmp_path: Path, files: None) -> None:
    """SIGTERM may come while modules are still being imported."""
    stop = StopFlag()
    stop.abort()
    options = RunOptions(prompt="predict y", data=[tmp_path / "t.csv"], out=tmp_path / "run", yes=True)
    with pytest.raises(Interrupted, match="autoglm resume"):
        start_run(options, stop=stop, sandbox=ScriptedSandbox(nothing_runs))


class Full(io.StringIO):
    """A file on a full disk."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_result_that_could_not_be_printed_is_no_success(shell: Shell) -> None:
    """`autoglm predict RUN new.csv > out.csv` on a full disk must not look as if it had worked."""
    err = io.StringIO()
    assert main(["runs"], front=Front(terminal=Terminal(Full(), err, io.StringIO()))) == 75
    assert "No space left" in err.getvalue()
    assert err.getvalue().count("\n") == 1
