"""Runs the installed product on one fold of a set as a user would: `autoglm run`, then `autoglm predict`.

It gets the prompt and the training rows as a file. The test rows are written, without their target, once there is a model.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from open_autoglm.errors import AutoGLMError
from open_autoglm.evals.raw import RawTable, open_raw
from open_autoglm.evals.results import FoldResult, Told
from open_autoglm.evals.scorer import score_file
from open_autoglm.evals.splits import marked_rows
from open_autoglm.evals.suite import DataSet, Suite

TIMED_OUT = 124
"""Exit status of a command that had to be killed, as `timeout(1)` has it."""
PREDICT_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How the product is run; the same for every set that is compared."""

    command: tuple[str, ...]
    """The product: `autoglm`, or the program and first words that stand for it."""
    seconds: int = 60
    language: Literal["en", "zh"] = "en"
    tell_read: bool = False
    """Pass what `meta.json` says about the file's form on with `--read`; otherwise the product finds it out."""
    options: tuple[str, ...] = ()
    """Further options of `autoglm run`, such as `--strategist recipes`."""
    patience_seconds: float = 300.0
    """How far past its budget the product may go before it is killed."""


def run_suite(suite: Suite, setting: Setting, work: Path, *, first_fold_only: bool = False) -> Iterator[FoldResult]:
    """Run every set that this version can be measured on, one fold after another, and yield each result when it is there.

    Raises:
        InputError: A set cannot be used as it lies there.
    """
    for item in suite.sets:
        if item.task_type is None:
            continue
        item.check_file()
        folds = item.meta.split.test_folds
        for fold in folds[:1] if first_fold_only else folds:
            place = work / f"{item.name}-{fold}"
            place.mkdir(parents=True)
            yield run_fold(item, fold, setting, place)


def run_fold(item: DataSet, fold: int, setting: Setting, work: Path) -> FoldResult:
    """Run, predict and score one fold.

    Args:
        item: A set whose `task_type` is known.
        fold: One of its test folds.
        setting: How the product is run.
        work: Empty folder for the files of this fold; the run directory lies in it.

    Raises:
        InputError: The set itself cannot be used. Whatever the product does wrong is part of the result.
    """
    work = work.resolve()  # the product runs in there
    raw = open_raw(item)
    target = raw.frame[str(item.meta.target)]
    known = target.notna().to_numpy()
    test = marked_rows(item, raw.frame, fold)
    rows = np.flatnonzero(known & test)
    train_file = _place(work / "train", item)
    raw.write_training(np.flatnonzero(known & ~test), train_file)
    made = _call(_run_words(item, setting, train_file, work), work, setting.seconds + setting.patience_seconds)
    result = FoldResult(
        name=item.name, fold=fold, metric=item.meta.metric, sha256=item.sha256, seconds_given=setting.seconds,
        floor=item.floor, reference=item.reference, told=_told(made.stdout), run_exit=made.code, seconds=made.seconds,
        problem="" if made.code == 0 else made.last_words,
    )  # fmt: skip
    return _predicted(item, setting, raw, rows, result, work) if _has_model(made.code) else result


def _predicted(
    item: DataSet, setting: Setting, raw: RawTable, rows: np.ndarray, result: FoldResult, work: Path
) -> FoldResult:
    new_file, out = _place(work / "new", item), work / "out.csv"
    raw.write_new(rows, new_file)
    words = [*setting.command, "predict", str(work / "run"), str(new_file), "-o", str(out)]
    made = _call(words, work, PREDICT_SECONDS)
    result = result.model_copy(update={"predict_exit": made.code, "predict_seconds": made.seconds})
    if made.code != 0:
        return result.model_copy(update={"problem": made.last_words})
    truth = raw.frame[str(item.meta.target)].iloc[rows].reset_index(drop=True)
    try:
        return result.model_copy(update={"score": score_file(item, truth, out)})
    except AutoGLMError as error:
        return result.model_copy(update={"problem": str(error)})


def _has_model(code: int) -> bool:
    return code in (0, 3)  # 3: there is a model, and a wish was not met


def _place(folder: Path, item: DataSet) -> Path:
    """Return where a part of the raw file goes: its own name, which the prompt may speak of, in a folder of its own."""
    folder.mkdir(parents=True)
    return folder / item.file.name


def _run_words(item: DataSet, setting: Setting, data: Path, work: Path) -> list[str]:
    words = [
        *setting.command,
        "run",
        item.prompt(setting.language),
        "--data",
        str(data),
        "--time",
        f"{setting.seconds}s",
    ]
    words += ["--yes", "--json", "--out", str(work / "run"), *setting.options]
    if setting.tell_read:
        hints = item.meta.read.model_dump(exclude_defaults=True)
        words += [word for key, value in hints.items() for word in ("--read", f"{key}={_said(value)}")]
    return words


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def _told(stdout: str) -> Told | None:
    try:
        return Told.model_validate_json(stdout)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def last_words(self) -> str:
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        return (lines[-1] if lines else f"exit status {self.code} without a word")[:300]


def _call(words: Sequence[str], folder: Path, seconds: float) -> _Call:
    """Run a command to its end in a process group of its own; past its time the whole group is killed."""
    start = time.monotonic()
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        errors="replace", cwd=folder, start_new_session=True,
    )  # fmt: skip
    try:
        stdout, stderr = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        code, stderr = TIMED_OUT, f"{stderr}\nkilled after {seconds:.0f} s"
    return _Call(code=code, stdout=stdout, stderr=stderr, seconds=round(time.monotonic() - start, 2))
