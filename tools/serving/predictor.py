"""Predictor: predictions from a deliverable, in a sandbox.

Covered: code and model are compared with the manifest before anything runs; the host reads JSON and a matrix of numbers, and
opens no model; code that a model or a user's file wrote runs behind walls only, unless the caller says otherwise.
Not covered: who wrote the manifest. A deliverable from a stranger can claim any author; run it in an isolating sandbox.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import cast

import pandas as pd
from pydantic import JsonValue

from open_autoglm.errors import InputError, SandboxUnavailable
from open_autoglm.events import Json
from open_autoglm.sandbox.base import Limits, Sandbox, Session
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.sandbox.packages.provisioned import Packages
from open_autoglm.tools.data.cells import plain_frame
from open_autoglm.tools.data.read import new_rows
from open_autoglm.tools.data.schema import check_new_rows
from open_autoglm.tools.export.manifest import Manifest, load_manifest, verify
from open_autoglm.tools.serving.rows import CHUNK_ROWS, Model, predict_rows
from open_autoglm.tools.serving.table import assemble, write_csv
from open_autoglm.tools.task import TaskType

Warn = Callable[[str], None]


def _silent(_: str) -> None:
    """Take a warning and tell nobody."""


@dataclass(slots=True, kw_only=True)
class Predictor:
    """A delivered model, ready to predict. Use it in a `with` statement, or close it."""

    deliverable: Path
    sandbox: Sandbox
    trust: bool = False
    """Run code that recipes did not write without isolation, where the sandbox has none."""
    warn: Warn = _silent
    """Told in one line each what was odd about new rows."""
    limits: Limits | None = None
    chunk_rows: int = CHUNK_ROWS
    packages: Packages | None = None
    """Where packages come from that the code wishes for; None where all it needs is installed."""
    manifest: Manifest = field(init=False)
    _model: Model = field(init=False)
    _session: Session | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Read and verify the deliverable.

        Raises:
            InputError: It is incomplete, or a file in it was changed.
            SandboxUnavailable: Its code needs walls, and this sandbox has none.
        """
        self.manifest = load_manifest(self.deliverable)
        verify(self.deliverable, self.manifest.running)
        if self.manifest.author is not Author.RECIPES and not self.sandbox.isolating and not self.trust:
            raise SandboxUnavailable(
                f"This model's code was written by {self.manifest.author.value!r} and sandbox {self.sandbox.name!r} does not isolate it. "
                "Use an isolating sandbox (see `autoglm doctor`), or name this one: --sandbox process."
            )
        self._model = _model(self.deliverable, self.manifest)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Predict every row of a frame, in order: id columns, `prediction`, and for a classification `proba_<class>`.

        Raises:
            InputError: No rows, or most columns that the model knows are missing.
            AutoGLMError: The model failed on these rows.
        """
        return self._predict(frame, keep=False)

    def predict_file(
        self, path: Path, out: Path, *, keep: bool = False, read: Mapping[str, JsonValue] | None = None
    ) -> pd.DataFrame:
        """Predict the rows of a file, read as the training table was, into a CSV file, and return what was written.

        Args:
            path: Any format that a run can read.
            out: Replaced as a whole, or left as it is.
            keep: Pass all input columns through.
            read: What the user says about the file; the rest is as for the training table.

        Raises:
            InputError: As `predict`, or a file that cannot be read or written.
        """
        table = new_rows(path, self.manifest.input.source, read=read)
        for text in table.warnings:
            self.warn(text)
        made = self._predict(table.frame, keep=keep)
        write_csv(made, out)
        return made

    def _predict(self, frame: pd.DataFrame, *, keep: bool) -> pd.DataFrame:
        if frame.empty:
            raise InputError("There are no rows to predict. Give a table with at least one row.")
        frame, _ = plain_frame(frame)  # what it changes is told by the check
        rows, warnings = check_new_rows(frame, self.manifest.input)
        for text in warnings:
            self.warn(text)
        answers = predict_rows(self._open(), self._model, rows, limits=self.limits, chunk_rows=self.chunk_rows)
        return assemble(frame, answers, self._model.task, ids=self.manifest.input.ids, keep=keep)

    def _open(self) -> Session:
        if self._session is None:
            session = self.sandbox.open()
            self._session = self.packages.provide(session, self.sandbox.probe()) if self.packages else session
        return self._session

    def close(self) -> None:
        """Free the sandbox. Idempotent."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def __enter__(self) -> "Predictor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _model(deliverable: Path, manifest: Manifest) -> Model:
    """Return the model with the code as the manifest names it: files that were added later do not run."""
    own = {"predict.py", "runtime.py"}
    names = [
        name for name in manifest.files if name.endswith(".py") and name not in own and not name.startswith("model/")
    ]
    return Model(
        code={name: (deliverable / name).read_text(encoding="utf-8") for name in names}, folder=deliverable / "model", task=cast("Mapping[str, Json]", manifest.task),
        params=cast("Mapping[str, Json] | None", manifest.params), seed=manifest.seed, task_type=TaskType(str(manifest.task["task_type"])), classes=tuple(manifest.classes),
        quantiles=tuple(manifest.quantiles), requirements=manifest.requirements,
    )  # fmt: skip
