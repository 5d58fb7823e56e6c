"""Suites: folders of data sets, each described by a `meta.json` that says what it is and how it is cut and scored.

A suite is found, never shipped: the data stay where they are, and what was measured on them names each set by source
and sha256. The product under test sees the prompt and training rows, nothing else of this.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from open_autoglm.errors import InputError, UnknownName
from open_autoglm.tools.metrics import Metric, get_metric
from open_autoglm.tools.task import Label, TaskType

_TASK_TYPES = {
    "binary": TaskType.BINARY,
    "text_binary": TaskType.BINARY,
    "multiclass": TaskType.MULTICLASS,
    "regression": TaskType.REGRESSION,
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # sets describe themselves further, for people


class HashSplit(_Part):
    """Row i belongs to one of five folds by the hash of its number."""

    kind: Literal["hash5"]
    test_folds: list[int] = [0]


class GroupHashSplit(_Part):
    """As `hash5`, by the value of a column, so that no group is on both sides."""

    kind: Literal["group_hash5"]
    group: str
    """A column; `COLUMN before "X"` takes its text before the first X."""
    test_folds: list[int] = [0]


class TimeSplit(_Part):
    """The last rows by a column are the test rows."""

    kind: Literal["time"]
    column: str
    test_fraction: Annotated[float, Field(gt=0, lt=1)]
    test_folds: list[int] = [0]


class OriginSplit(_Part):
    """Forecasts from several origins; no recipe of this version can be measured on it."""

    kind: Literal["rolling_origin"]
    test_folds: list[int] = [0]


class ReadHints(_Part):
    """How the file departs from a comma-separated UTF-8 table with a header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sep: str = ","
    header: Literal[0] | None = 0
    encoding: str = "utf-8"


class SetFile(_Part):
    """One file of a set."""

    file: str
    sha256: str


class SetSource(_Part):
    """Where a file was found."""

    repo: str
    commit: str = ""
    path: str = ""


class Meta(_Part):
    """What `meta.json` says of one set."""

    name: str
    task: str
    target: str | int
    """A column, or its position where the file has no header."""
    metric: str
    positive: Label | None = None
    read: ReadHints = ReadHints()
    rows: int
    columns: int | None = None
    split: Annotated[HashSplit | GroupHashSplit | TimeSplit | OriginSplit, Field(discriminator="kind")]
    drop_for_task: list[str] = []
    """Columns that tell the target: left out of what the product sees."""
    prompt_en: str
    prompt_zh: str = ""
    reference_scores: dict[str, JsonValue] = {}
    baseline: str
    """Name of the reference score that is the floor."""
    best_reference: str
    """Name of the reference score to reach."""
    files: Annotated[list[SetFile], Field(min_length=1)]
    source: list[SetSource] = []
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One set of a suite."""

    root: Path
    meta: Meta

    @property
    def name(self) -> str:
        """Name of the set; part of the split's hash."""
        return self.meta.name

    @property
    def file(self) -> Path:
        """The raw file."""
        return self.root / self.meta.files[0].file

    @property
    def sha256(self) -> str:
        """Content hash that the raw file must have."""
        return self.meta.files[0].sha256

    @property
    def task_type(self) -> TaskType | None:
        """What kind of task it is; None for those that this version cannot be measured on."""
        return None if self.meta.split.kind == "rolling_origin" else _TASK_TYPES.get(self.meta.task)

    @property
    def metric(self) -> Metric:
        """What the test rows are scored with."""
        return get_metric(self.meta.metric)

    @property
    def floor(self) -> float:
        """Score of a constant guess on the same split."""
        return self._reference(self.meta.baseline)

    @property
    def reference(self) -> float:
        """Best score of the simple models of the suite on the same split."""
        return self._reference(self.meta.best_reference)

    def _reference(self, name: str) -> float:
        value = self.meta.reference_scores.get(name)
        if not isinstance(value, int | float):
            raise InputError(f"{self.root / 'meta.json'} has no reference score {name!r}.")
        return float(value)

    def prompt(self, language: Literal["en", "zh"]) -> str:
        """Return the task in the words of a user."""
        return (self.meta.prompt_zh if language == "zh" else "") or self.meta.prompt_en

    def check_file(self) -> None:
        """Compare the raw file with its hash.

        Raises:
            InputError: It is missing, or not the file that the references were computed on.
        """
        if not self.file.is_file():
            raise InputError(f"The set {self.name!r} has no file {self.file}.")
        found = hashlib.sha256(self.file.read_bytes()).hexdigest()
        if found != self.sha256:
            raise InputError(f"{self.file} has the sha256 {found[:12]}..., its meta.json says {self.sha256[:12]}...")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Several sets that are measured together."""

    root: Path
    sets: tuple[DataSet, ...]

    def pick(self, names: Sequence[str]) -> "Suite":
        """Keep the named sets, in the order named; all of them where none is named.

        Raises:
            UnknownName: There is no set of that name.
        """
        by_name = {item.name: item for item in self.sets}
        for name in names:
            if name not in by_name:
                raise UnknownName("data set", name, by_name)
        return Suite(root=self.root, sets=tuple(by_name[name] for name in names)) if names else self


def load_suite(root: Path) -> Suite:
    """Read the description of every set below a folder, by name.

    Raises:
        InputError: There is none, or a description cannot be used.
    """
    descriptions = sorted(root.glob("*/meta.json"))
    if not descriptions:
        raise InputError(f"{root} is no suite: no folder in it holds a meta.json.")
    return Suite(root=root, sets=tuple(_read_set(path) for path in descriptions))


def _read_set(path: Path) -> DataSet:
    try:
        item = DataSet(root=path.parent, meta=Meta.model_validate_json(path.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path} cannot be used: {place}: {first['msg']}.") from error
    if item.floor == item.reference:
        raise InputError(f"{path} cannot be used: its floor and its reference are the same score, {item.floor}.")
    return item
