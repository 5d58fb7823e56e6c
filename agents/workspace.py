"""The run directory: where everything of one run lies, and the run's data as the host sees it.

run.json        id, version of this layout, options        data/          tables as read (host only)
split.npz       holdout and folds                          staged/        what a sandbox may see, by content hash
profile.json    what is known of the non-holdout rows      objects/       models and predictions, by content hash
journal.sqlite  the truth                                  work/          scratch of executions in flight
events.jsonl    what happened, for people and surfaces     deliverable/   what the user takes home
prompts.jsonl   what a language model was sent
report.key      seals what the journal says of executions
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from open_autoglm.agents.faults import damaged, intact
from open_autoglm.agents.header import HEADER, LAYOUT_VERSION, read_header
from open_autoglm.agents.options import RunOptions
from open_autoglm.errors import InputError, RunDirectoryError
from open_autoglm.events import Json
from open_autoglm.tools.data.profile import DataProfile
from open_autoglm.tools.data.split import SplitPlan
from open_autoglm.tools.data.staging import Staging, as_columns, content_hash, read_parquet
from open_autoglm.tools.metrics import Metric, metric_for
from open_autoglm.tools.metrics.target import classes_of, encode_target
from open_autoglm.tools.places import how_to_resume, short
from open_autoglm.tools.task import Label, SourceRole, TaskSpec
from open_autoglm.tools.words import Language, likely_language

LOCK = "run.lock"


class Workspace:
    """One run directory. What it returns is read once and kept."""

    def __init__(self, root: Path, run_id: str, options: RunOptions) -> None:
        self.root = root
        self.run_id = run_id
        self.options = options
        self.staging = Staging(root / "staged")
        self._staged: dict[str, Path] = {}
        self._made = False

    # --- making and opening --------------------------------------------------------------------------------------

    @classmethod
    def create(cls, options: RunOptions) -> "Workspace":
        """Make the run directory.

        Raises:
            InputError: It exists and is in use, or it cannot be written.
        """
        run_id = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(3)
        root = (options.out or options.root / run_id).resolve()
        try:
            made = not root.exists()
            _require_free(root)
            for folder in ("data", "staged", "objects", "work"):
                (root / folder).mkdir(parents=True, exist_ok=True)
            header = {
                "run_id": run_id,
                "layout": LAYOUT_VERSION,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "options": json.loads(options.model_dump_json()),
            }
            write_text(root / HEADER, json.dumps(header, ensure_ascii=False, indent=1))
        except OSError as error:
            raise InputError(
                f"Cannot write the run directory {_short(root)}: {error.strerror or error}. Name a writable folder with "
                "--out."
            ) from error
        workspace = cls(root, run_id, options)
        workspace._made = made
        return workspace

    def remove(self) -> None:
        """Remove the run directory of a run that came to nothing; a folder that was there before stays, empty."""
        for path in [*self.root.iterdir()]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if self._made:
            self.root.rmdir()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Hold the run directory: one process at a time works on a run.

        Raises:
            RunDirectoryError: Another process is working on it.
        """
        with (self.root / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunDirectoryError(
                    f"Another process is working on the run in {short(self.root)}. Wait for it to end, or stop it with Ctrl-C."
                ) from None
            yield

    @classmethod
    def open(cls, root: Path) -> "Workspace":
        """Open the run directory of an earlier run.

        Raises:
            RunDirectoryError: It is no run directory, or one of another version.
        """
        header = read_header(root)
        return cls(root.resolve(), header.run_id, header.options)

    def set_options(self, options: RunOptions) -> None:
        """Write changed options back."""
        header = json.loads((self.root / HEADER).read_text(encoding="utf-8"))
        header["options"] = json.loads(options.model_dump_json())
        write_text(self.root / HEADER, json.dumps(header, ensure_ascii=False, indent=1))
        self.options = options

    # --- places --------------------------------------------------------------------------------------------------

    @cached_property
    def created(self) -> str:
        """When the run began, ISO 8601."""
        header = json.loads((self.root / HEADER).read_text(encoding="utf-8"))
        return str(header["created"])

    @property
    def deliverable(self) -> Path:
        """The folder that the user takes home."""
        return self.root / "deliverable"

    def scratch(self, name: str) -> Path:
        """Return the path of an empty place for one execution; nothing is there yet."""
        path = self.root / "work" / name
        if path.exists():
            shutil.rmtree(path)
        path.parent.mkdir(exist_ok=True)
        return path

    def keep(self, produced: Path, name: str) -> str:
        """Move what an execution produced to where the journal can point to it; return that reference."""
        target = self.root / "objects" / name
        target.parent.mkdir(exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        produced.replace(target)
        return f"objects/{name}"

    def resolve(self, reference: str) -> Path:
        """Return the path of a reference from the journal."""
        return self.root / reference

    def discard(self, reference: str) -> None:
        """Delete what a reference points to, if it is still there."""
        path = self.root / reference
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    # --- the data, as the host sees it -----------------------------------------------------------------------------

    def save_tables(self, frames: Mapping[SourceRole, pd.DataFrame]) -> None:
        """Keep the tables as read, so that resume needs no file of the user's."""
        store = Staging(self.root / "data")
        index = {role.value: store.put(frame).name for role, frame in frames.items()}
        write_text(self.root / "data" / "index.json", json.dumps(index))

    def save_task(self, task: TaskSpec) -> None:
        """Keep the task, and forget what was derived from an earlier one."""
        write_text(self.root / "task.json", task.model_dump_json(indent=1))
        self._forget("task", "y", "classes", "train", "_train_columns", "metric", "test")

    def forget_split(self) -> None:
        """Forget what was derived from an earlier split: it was made anew."""
        self._forget("plan", "profile")
        self._staged.clear()

    def _forget(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)

    def save_json(self, name: str, value: Json) -> None:
        """Write a JSON file of the run."""
        write_text(self.root / name, json.dumps(value, ensure_ascii=False, indent=1))

    @cached_property
    def task(self) -> TaskSpec:
        """The task, once it is understood."""
        return intact(self.root / "task.json", lambda path: TaskSpec.model_validate_json(path.read_bytes()))

    @property
    def language(self) -> Language:
        """The language of the task; before it is understood, the likely one of the prompt."""
        known = "task" in self.__dict__ or (self.root / "task.json").exists()
        return self.task.language if known else likely_language(self.options.prompt)

    @cached_property
    def metric(self) -> Metric:
        """The metric of the task."""
        return metric_for(self.task.metric, self.task.task_type)

    def table(self, role: SourceRole) -> pd.DataFrame | None:
        """Return a table as read, or None where the user gave none for that role."""
        index = intact(self.root / "data" / "index.json", _read_index)
        if role.value not in index:
            return None
        path = self.root / "data" / index[role.value]
        if intact(path, content_hash) != path.stem:
            raise damaged(path, "is not what was read (its SHA-256 differs from its name)")
        return intact(path, read_parquet)

    @cached_property
    def train(self) -> pd.DataFrame:
        """The labelled training rows, [rows, columns] with a plain index; rows without a target are left out."""
        frame = self.table(SourceRole.TRAIN)
        assert frame is not None, "every run has a training table"
        return self._labelled(frame)

    @cached_property
    def test(self) -> pd.DataFrame | None:
        """The labelled rows of `--test`, which are the holdout; None without them."""
        frame = self.table(SourceRole.TEST)
        return None if frame is None else self._labelled(frame)

    def _labelled(self, frame: pd.DataFrame) -> pd.DataFrame:
        known = frame[self.task.target].notna()
        if self.task.task_type.is_classification is False:
            numbers = pd.to_numeric(frame[self.task.target], errors="coerce")
            known &= pd.Series(np.isfinite(numbers.to_numpy(dtype=float, na_value=np.nan)), index=frame.index)
        return frame[known].reset_index(drop=True)

    @cached_property
    def classes(self) -> tuple[Label, ...]:
        """Classes in the order of the probability columns; empty for regression."""
        if not self.task.task_type.is_classification:
            return ()
        return classes_of(self.train[self.task.target], self.task.positive)

    @cached_property
    def y(self) -> np.ndarray:
        """Targets of `train`: codes into `classes`, or float64; [rows]."""
        return encode_target(self.train[self.task.target], self.task.task_type, self.classes)

    @cached_property
    def plan(self) -> SplitPlan:
        """Holdout and folds."""
        return SplitPlan.load(self.root / "split.npz")

    @cached_property
    def profile(self) -> DataProfile:
        """What is known of the rows outside the holdout."""
        return intact(self.root / "profile.json", lambda path: DataProfile.model_validate_json(path.read_bytes()))

    @property
    def search_rows(self) -> np.ndarray:
        """Numbers of the rows outside the holdout, [rows]."""
        return np.setdiff1d(np.arange(len(self.train)), self.plan.holdout)

    def holdout(self) -> tuple[pd.DataFrame, np.ndarray] | None:
        """Return the holdout's rows and targets, or None where the run has none. Only finalise asks."""
        if self.test is not None:
            labels = self.test[self.task.target]
            return self.test, encode_target(labels, self.task.task_type, self.classes, unseen="miss")
        rows = self.plan.holdout
        return None if len(rows) == 0 else (self.train.iloc[rows].reset_index(drop=True), self.y[rows])

    def staged(self, name: str, rows: np.ndarray, *, labelled: bool) -> Path:
        """Stage rows of `train` for a sandbox under an opaque name; `name` only avoids staging the same twice."""
        return self._once(f"{name}/{labelled}", lambda: self._stage_rows(rows, labelled=labelled))

    def staged_once(self, name: str, make: Callable[[], pd.DataFrame], *, labelled: bool) -> Path:
        """Stage a table that is always the same under this name; it is made only where it is not staged yet."""
        return self._once(f"{name}/{labelled}", lambda: self.stage(make(), labelled=labelled))

    def _once(self, key: str, make: Callable[[], Path]) -> Path:
        if key not in self._staged or not self._staged[key].exists():
            self._staged[key] = make()
        return self._staged[key]

    def _stage_rows(self, rows: np.ndarray, *, labelled: bool) -> Path:
        table = self._train_columns
        return self.staging.put_table((table if labelled else table.drop_columns([self.task.target])).take(rows))

    @cached_property
    def _train_columns(self) -> pa.Table:
        """`train` by columns: taking rows of it costs little also where there are thousands of columns."""
        return as_columns(self.train)

    def stage(self, frame: pd.DataFrame, *, labelled: bool) -> Path:
        """Stage a table for a sandbox; without labels the target column is left out."""
        if not labelled:
            frame = frame.drop(columns=[self.task.target], errors="ignore")
        return self.staging.put(frame.reset_index(drop=True))


def _short(path: Path, characters: int = 200) -> str:
    """Return a path for a message, also where its length is what is wrong with it."""
    text = str(path)
    return text if len(text) <= characters else f"{text[:characters]}..."


def _require_free(root: Path) -> None:
    """Refuse a place for a run directory where something is.

    Raises:
        InputError: A file, a run, or anything else is there.
        OSError: The place cannot be looked at.
    """
    if root.exists() and not root.is_dir():
        raise InputError(f"{short(root)} is a file: a run directory cannot be made there. Name another one with --out.")
    if (root / HEADER).exists():
        raise InputError(
            f"The run directory {short(root)} exists and is not empty. Name another one with --out, or go on with the run in "
            f"it: {how_to_resume(root)}"
        )
    if root.exists() and any(root.iterdir()):
        raise InputError(f"{short(root)} exists and is not empty. Name a new or empty folder with --out.")


def _read_index(path: Path) -> dict[str, str]:
    """Return the names of the tables by role; every run has a training table."""
    index = json.loads(path.read_text(encoding="utf-8"))
    return {SourceRole.TRAIN.value: str(index[SourceRole.TRAIN.value]), **index}


def is_in_use(root: Path) -> bool:
    """Whether a process is working on the run in this directory right now."""
    try:
        with (root / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def write_text(path: Path, text: str) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half of one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
