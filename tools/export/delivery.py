"""Writes the deliverable: first what makes the model usable, then what explains it, as far as the time goes.

The model, `predict.py` and the manifest appear at once, by renaming a finished folder. Everything after that is added file by
file, and the manifest last, so that a deliverable is usable from the first moment on and never holds half a file.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pandas as pd
from pydantic import JsonValue

from open_autoglm.errors import AutoGLMError
from open_autoglm.events import Json
from open_autoglm.sandbox.base import Limits, Session
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.tools.data.schema import InputSchema, check_new_rows
from open_autoglm.tools.export.code import with_params
from open_autoglm.tools.export.lock import pinned
from open_autoglm.tools.export.manifest import FILE_NAME, Manifest, files_with_code, hash_tree, load_manifest
from open_autoglm.tools.export.notebook import Walk, notebook_seconds, run_notebook
from open_autoglm.tools.export.pages import model_card, read_me
from open_autoglm.tools.export.report import report_page
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.places import how_to_resume
from open_autoglm.tools.serving.rows import Model, generous_limits, predict_rows
from open_autoglm.tools.serving.submission import fill_submission
from open_autoglm.tools.serving.table import assemble, write_csv
from open_autoglm.tools.task import Label, TaskSpec
from open_autoglm.tools.words import Words, in_language
from open_autoglm.tools.words.overheard import overheard

FOLDER = "deliverable"
REPORT_SECONDS = 1.0
LOCK_SECONDS = 1.0
PAGE_SECONDS = 0.3
PREDICTIONS = "predictions.csv"
PREDICT_SECONDS = 2.0
"""Starting a job and reading what it wrote, beside the model's own time."""
NOTEBOOK_NEEDS = ("scikit-learn",)
"""Its metrics judge the notebook's split; Jupyter itself is the reader's."""
WORTH_TRYING = 0.5
"""Share of the time that the notebook is thought to take which must be left to begin it: estimates are on the safe side."""
STANDALONE = Path(__file__).parents[1] / "serving" / "standalone.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Everything that finalise hands over."""

    directory: Path
    """The run directory; the deliverable becomes a folder in it."""
    run_id: str
    task: TaskSpec
    schema: InputSchema
    classes: tuple[Label, ...]
    """In the order of the probability columns; empty for regression."""
    bundle: CodeBundle
    params: Mapping[str, Json] | None
    """PARAMS of the winning trial; None where the bundle's own literal won."""
    seed: int
    model: Path
    """Folder of the model that ships."""
    scored_model: Path
    """Folder of the model that earned the holdout score; the same one with --no-refit."""
    story: RunStory
    runtime_source: str
    training_table: Path | None = None
    """The rows for the notebook, as staged for the sandbox; without it there is no notebook."""
    new_rows: pd.DataFrame | None = None
    """Rows of an unlabelled --test file, as read."""
    sample_submission: pd.DataFrame | None = None
    fit_seconds: float = 1.0
    """Wall time of fitting the shipped model."""
    pace: float = 1.0
    """How many times as long as usual things take on this machine that are no fits."""
    limits: Limits | None = None
    """Of the jobs that export runs; the wall time is cut to what is left."""

    @property
    def refitted(self) -> bool:
        """Whether the shipped model was fitted anew and so has no score of its own."""
        return self.model.resolve() != self.scored_model.resolve()

    @property
    def task_context(self) -> dict[str, Json]:
        """What `ctx.task` is inside: plain JSON."""
        return {
            "target": self.task.target,
            "task_type": self.task.task_type.value,
            "metric": self.task.metric.name,
            "classes": list(self.classes),
            "columns": self.task.columns.model_dump(mode="json"),
            "quantiles": list(self.task.quantiles),
            "read": cast("Json", self.csv_options),
        }

    @property
    def csv_options(self) -> dict[str, JsonValue]:
        """Arguments of pandas.read_csv for tables like the training table."""
        source = self.schema.source
        return {key: value for key, value in source.read.items() if key != "member"} if source.format == "csv" else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What was written."""

    directory: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Parts that did not fit into the time or could not be made, each with its reason."""
    warnings: tuple[str, ...] = ()


def export(delivery: Delivery, session: Session, seconds_left: Callable[[], float]) -> ExportResult:
    """Write the whole deliverable; an older one of the same run is replaced.

    Raises:
        OSError: The run directory cannot be written.
    """
    deliver_model(delivery)
    return deliver_rest(delivery, session, seconds_left)


def deliver_model(delivery: Delivery) -> Path:
    """Write code, model, `predict.py` and manifest in one rename, and return the folder: from here on there is a usable model."""
    target = delivery.directory / FOLDER
    _clear_leftovers(delivery.directory)
    fresh = Path(tempfile.mkdtemp(prefix=f".{FOLDER}-new-", dir=delivery.directory))
    for name, text in _code(delivery).items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (fresh / "runtime.py").write_text(delivery.runtime_source, encoding="utf-8")
    shutil.copyfile(STANDALONE, fresh / "predict.py")
    shutil.copytree(delivery.model, fresh / "model", copy_function=shutil.copyfile)
    _write_manifest(delivery, fresh, ())
    fresh.chmod(0o755)  # mkdtemp makes it private
    _replace(fresh, target)
    return target


def _code(delivery: Delivery) -> dict[str, str]:
    files = dict(delivery.bundle.files)
    if delivery.params is not None:
        files["solution.py"] = with_params(files["solution.py"], delivery.params)
    return files


def _write_manifest(delivery: Delivery, folder: Path, left_out: tuple[str, ...]) -> Manifest:
    manifest = Manifest(
        run_id=delivery.run_id,
        created=delivery.story.created,
        author=delivery.bundle.author,
        title=delivery.bundle.title,
        seed=delivery.seed,
        refitted=delivery.refitted,
        loading_runs_code=next(files_with_code(folder / "model"), None) is not None,
        task=delivery.task_context,
        classes=list(delivery.classes),
        params=dict(delivery.params) if delivery.params is not None else None,
        quantiles=list(delivery.task.quantiles),
        input=_without_folder(delivery.schema),
        scores=delivery.story.scores,
        environment=delivery.story.environment,
        requirements=list(delivery.bundle.requirements),
        left_out=list(left_out),
        files=hash_tree(folder),
    )
    _write(folder / FILE_NAME, manifest.model_dump_json(indent=1))
    return manifest


def _replace(fresh: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one."""
    old = target.with_name(f".{FOLDER}-old")
    if target.exists():
        target.rename(old)  # a folder cannot be renamed onto one that is not empty
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _clear_leftovers(directory: Path) -> None:
    """Undo what an export that was killed left behind."""
    old, target = directory / f".{FOLDER}-old", directory / FOLDER
    if old.exists() and not target.exists():
        old.rename(target)
    for leftover in [old, *directory.glob(f".{FOLDER}-new-*")]:
        shutil.rmtree(leftover, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@dataclass(slots=True, kw_only=True)
class _Rest:
    """One pass over the parts that are added to a usable deliverable."""

    delivery: Delivery
    session: Session
    seconds_left: Callable[[], float]
    folder: Path
    left_out: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    """Parts that there was no time for."""
    warnings: list[str] = field(default_factory=list)

    @property
    def say(self) -> Words:
        """The words of the run."""
        return Words(language=self.delivery.story.language)

    def step(self, name: str, seconds: float, write: Callable[[], None]) -> None:
        """Write one part if it fits into the time; one that cannot be made is listed and costs nobody the others."""
        if self.seconds_left() < seconds:
            self._leave_out_late(name, seconds)
            return
        try:
            write()
        except TimeoutError:  # it takes longer than it seemed
            self._leave_out_late(name, seconds)
        except (AutoGLMError, OSError) as error:
            why = overheard(str(error), self.say)
            self.left_out.append(f"{name} ({why})")
            self.warnings.append(self.say("{part} could not be made: {error}", part=name, error=why))

    def _leave_out_late(self, name: str, seconds: float) -> None:
        needed = max(1, round(seconds))
        self.left_out.append(self.say("{part} (no time left; it takes about {seconds} s)", part=name, seconds=needed))
        self.late.append(name)

    def _warn(self, texts: Iterable[str]) -> None:
        self.warnings += [in_language(text, self.delivery.story.language) for text in texts]

    def limits(self) -> Limits:
        """Limits of a job that may use the time that is left, but for what the pages after it take."""
        limits = self.delivery.limits or generous_limits()
        left = self.seconds_left() - PAGE_SECONDS - REPORT_SECONDS
        return replace(limits, wall_seconds=max(PREDICT_SECONDS, min(limits.wall_seconds, left)))

    def predictions(self) -> None:
        """Predict the rows of an unlabelled test file, in the layout of a sample submission if one was given."""
        delivery = self.delivery
        assert delivery.new_rows is not None  # asked for only where there are rows
        checked, odd = check_new_rows(delivery.new_rows, delivery.schema)
        self._warn(odd)
        answers = predict_rows(self.session, _model(delivery), checked, limits=self.limits())
        table = assemble(delivery.new_rows, answers, delivery.task_context, ids=delivery.schema.ids)
        if delivery.sample_submission is not None:
            table, misfits = fill_submission(delivery.sample_submission, table, delivery.task, delivery.classes)
            self._warn(misfits)
        write_csv(table, self.folder / PREDICTIONS)

    def report(self) -> None:
        """Write the page that tells the run."""
        story = self.delivery.story.model_copy(update={"left_out": (*self.delivery.story.left_out, *self.left_out)})
        _write(self.folder / "report.html", report_page(story))

    def lock(self) -> None:
        """Write the versions that the solution ran with."""
        lines = pinned(
            _code(self.delivery), [*self.delivery.bundle.requirements, *_reader(self.delivery), *_loader(self.folder)]
        )
        _write(self.folder / "requirements.lock", "\n".join(lines) + "\n")

    def notebook(self) -> None:
        """Write the notebook as it came back from the sandbox, executed."""
        delivery = self.delivery
        assert delivery.training_table is not None  # asked for only where there is one
        walk = Walk(
            story=delivery.story, task=delivery.task, classes=delivery.classes, code=_code(delivery) | {"runtime.py": delivery.runtime_source},
            table_path=_from(self.folder, delivery.schema.source.uri), read=delivery.csv_options, seed=delivery.seed,
            requirements=delivery.bundle.requirements,
        )  # fmt: skip
        text = run_notebook(self.session, walk, delivery.training_table, self.limits())
        _write(self.folder / "notebook.ipynb", text)

    def pages(self) -> None:
        """Write the model card and the few lines that say what is here."""
        manifest = load_manifest(self.folder)
        _write(self.folder / "MODEL_CARD.md", model_card(self.delivery.story, manifest))
        present = {path.name for path in self.folder.iterdir()}
        _write(self.folder / "README.md", read_me(self.delivery.story, manifest, present))


def deliver_predictions(delivery: Delivery, session: Session, seconds_left: Callable[[], float]) -> tuple[str, ...]:
    """Predict the rows of an unlabelled test file with what `deliver_model` wrote, and return the warnings.

    It is what the user asked for, so that it is tried with whatever time is left; what cannot be done is left to
    `deliver_rest`, which tries again and says what is missing.
    """
    if delivery.new_rows is None:
        return ()
    rest = _Rest(delivery=delivery, session=session, seconds_left=seconds_left, folder=delivery.directory / FOLDER)
    rest.step(PREDICTIONS, 0.0, rest.predictions)
    return () if rest.left_out else tuple(rest.warnings)


def deliver_rest(delivery: Delivery, session: Session, seconds_left: Callable[[], float]) -> ExportResult:
    """Add what explains the model to what `deliver_model` wrote: each part that fits into `seconds_left`, in order of worth.

    Predictions that `deliver_predictions` could not make come first.
    """
    folder = delivery.directory / FOLDER
    rest = _Rest(delivery=delivery, session=session, seconds_left=seconds_left, folder=folder)
    if delivery.new_rows is not None and not (folder / PREDICTIONS).exists():
        rest.step(PREDICTIONS, PREDICT_SECONDS, rest.predictions)
    rest.step("requirements.lock", LOCK_SECONDS, rest.lock)
    rest.step("MODEL_CARD.md, README.md", PAGE_SECONDS, rest.pages)
    rest.step("report.html", REPORT_SECONDS, rest.report)
    if delivery.training_table is not None:
        estimate = notebook_seconds(delivery.fit_seconds, delivery.pace)
        rest.step("notebook.ipynb", WORTH_TRYING * estimate, rest.notebook)  # the last part: it takes time from none
    if (folder / "README.md").exists():
        rest.pages()  # they name what came after them
    if rest.late:
        rest.warnings.append(
            rest.say(
                "There was no time to write {parts}. More time makes up for it: {command}",
                parts=rest.late,
                command=how_to_resume(delivery.directory, "--time 1m"),
            )
        )
    if rest.left_out and (folder / "report.html").exists():
        rest.report()  # it lists what did not fit, which was not known before
    manifest = _write_manifest(delivery, folder, tuple(rest.left_out))
    return ExportResult(
        directory=folder,
        files=(*manifest.files, FILE_NAME),
        left_out=tuple(rest.left_out),
        warnings=tuple(rest.warnings),
    )


def _model(delivery: Delivery) -> Model:
    return Model(
        code=_code(delivery), folder=delivery.model, task=delivery.task_context, params=delivery.params,
        seed=delivery.seed, task_type=delivery.task.task_type, classes=delivery.classes, quantiles=tuple(delivery.task.quantiles),
        requirements=delivery.bundle.requirements,
    )  # fmt: skip


def _without_folder(schema: InputSchema) -> InputSchema:
    """Return the schema with the bare name of the training table: a deliverable travels, the user's folders stay."""
    return schema.model_copy(update={"source": schema.source.model_copy(update={"uri": Path(schema.source.uri).name})})


def _from(folder: Path, uri: str) -> str:
    """Return the path of the user's table as seen from the deliverable, where both lie below one folder of the user's."""
    path, base = Path(uri).absolute(), folder.absolute()
    shared = Path(os.path.commonpath([path, base]))
    return os.path.relpath(path, base) if len(shared.parts) > 2 else uri  # else only / or /home is common


def _reader(delivery: Delivery) -> list[str]:
    """Return what reading tables of the user's format takes."""
    return ["openpyxl"] if delivery.schema.source.format == "excel" else []


def _loader(folder: Path) -> list[str]:
    """Return what the runtime needs to load the model where the solution has no `load` of its own."""
    return ["joblib"] if any((folder / "model").glob("*.joblib")) else []
