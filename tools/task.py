"""TaskSpec: what is to be predicted, from which data, judged how. The contract between words and everything after."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from open_autoglm.errors import InputError

Label = str | int | float | bool
"""A class as it stands in the data."""


class TaskType(StrEnum):
    """What kind of answer is wanted. What a column holds (text, images) is the column's property, never the task's."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    FORECASTING = "forecasting"

    @property
    def is_classification(self) -> bool:
        """Whether the answer is one of a few classes."""
        return self in (TaskType.BINARY, TaskType.MULTICLASS)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnRoles(_Part):
    """Columns that are more than plain features. A column not named here is a feature."""

    id: list[str] = []
    """Names of rows: passed through to the predictions, never a feature."""
    time: str | None = None
    """Orders the rows; the split keeps later rows out of the training of earlier ones."""
    group: str | None = None
    """Rows of one group (a patient, a household) stay on one side of every split."""
    series: list[str] = []
    weight: str | None = None
    text: list[str] = []
    image: list[str] = []
    known_ahead: list[str] = []
    dropped: list[str] = []
    """Columns that the user asked to leave out."""

    def roles_of(self, column: str) -> tuple[str, ...]:
        """Name the roles of a column; empty for a plain feature."""
        roles = []
        for role in type(self).model_fields:
            named = getattr(self, role)
            if column in (named if isinstance(named, list) else [named]):
                roles.append(role)
        return tuple(roles)


class SourceRole(StrEnum):
    """What a file is for."""

    TRAIN = "train"
    TEST = "test"
    """Labelled rows that are the holdout."""
    PREDICT = "predict"
    """Unlabelled rows whose predictions go into the deliverable."""
    SAMPLE_SUBMISSION = "sample_submission"


class Source(_Part):
    """One file (or frame) of data."""

    uri: str
    format: Literal["csv", "parquet", "json", "jsonl", "excel", "sqlite", "frame"]
    role: SourceRole = SourceRole.TRAIN
    read: dict[str, JsonValue] = {}
    """How it was read: the arguments after sniffing (sep, header, encoding, compression, sheet, table)."""


class MetricSpec(_Part):
    """A metric by its name in `open_autoglm.tools.metrics`; the direction belongs to the metric."""

    name: str
    parameters: dict[str, JsonValue] = {}


class Constraints(_Part):
    """Wishes beyond the score."""

    latency_ms: Annotated[float, Field(gt=0)] | None = None
    model_mb: Annotated[float, Field(gt=0)] | None = None
    device: Literal["cpu", "cuda"] | None = None
    interpretable: bool = False
    forbidden_models: list[str] = []
    """Model families by the names of `ModelFamily`."""

    @field_validator("forbidden_models")
    @classmethod
    def _known_families(cls, families: list[str]) -> list[str]:
        for family in families:
            if family not in set(ModelFamily):
                raise ValueError(f"there is no model family {family!r}; there are {', '.join(ModelFamily)}")
        return families


class ModelFamily(StrEnum):
    """Families that a user can forbid and a recipe belongs to."""

    LINEAR = "linear"
    NEIGHBORS = "neighbors"
    TREES = "trees"
    """Random forest, extra trees, a single tree."""
    BOOSTING = "boosting"
    NEURAL = "neural"
    ENSEMBLE = "ensemble"


class BudgetSpec(_Part):
    """What a run may spend. None means no limit of that kind."""

    seconds: Annotated[float, Field(gt=0)] | None = None
    attempts: Annotated[int, Field(gt=0)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None
    money: Annotated[float, Field(ge=0)] | None = None


class Guess(_Part):
    """Something that was not said and was assumed."""

    field: str
    value: JsonValue
    reason: str


class TaskSpec(_Part):
    """What is asked. Plain JSON, checked on the way in; unknown keys are refused."""

    prompt: str
    language: Literal["en", "zh"] = "en"
    task_type: TaskType
    target: str
    positive: Label | None = None
    """The class that binary metrics count as positive."""
    columns: ColumnRoles = ColumnRoles()
    horizon: Annotated[int, Field(gt=0)] | None = None
    frequency: str | None = None
    quantiles: list[Annotated[float, Field(gt=0, lt=1)]] = []
    sources: list[Source] = []
    metric: MetricSpec
    constraints: Constraints = Constraints()
    budget: BudgetSpec = BudgetSpec()
    outputs: list[str] = []
    guesses: list[Guess] = []

    @model_validator(mode="after")
    def _check_target(self) -> "TaskSpec":
        if not self.target.strip():
            raise ValueError("the target has no name")
        roles = self.columns.roles_of(self.target)
        if roles:
            raise ValueError(f"the target {self.target!r} cannot also be a column of the role {roles[0]}")
        dropped = [name for name in self.columns.dropped if set(self.columns.roles_of(name)) - {"dropped", "id"}]
        if dropped:
            raise ValueError(f"the column {dropped[0]!r} cannot be dropped and have another role")
        return self

    @model_validator(mode="after")
    def _check_task_type(self) -> "TaskSpec":
        kind = self.task_type.value
        if self.positive is not None and self.task_type is not TaskType.BINARY:
            raise ValueError(f"a positive class belongs to a binary task, not to {kind}")
        if self.quantiles and self.task_type.is_classification:
            raise ValueError(f"quantiles belong to a regression or forecasting task, not to {kind}")
        if self.quantiles != sorted(set(self.quantiles)):
            raise ValueError(f"quantiles must be named once each, in rising order, not {self.quantiles}")
        ahead = {"horizon": self.horizon, "frequency": self.frequency, "known_ahead": self.columns.known_ahead or None}
        for name, value in ahead.items():
            if value is not None and self.task_type is not TaskType.FORECASTING:
                raise ValueError(f"{name} belongs to a forecasting task, not to {kind}")
        return self


def read_task(source: str | bytes | Mapping[str, JsonValue]) -> TaskSpec:
    """Read a task that was written outside: JSON text or a mapping.

    Raises:
        InputError: It is no task; one line that names the place and the reason of the first thing wrong.
    """
    try:
        if isinstance(source, str | bytes):
            return TaskSpec.model_validate_json(source)
        return TaskSpec.model_validate(source)
    except ValidationError as error:
        first, *more = error.errors(include_url=False, include_input=False)
        place = ".".join(str(step) for step in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        others = f" ({len(more)} more)" if more else ""
        raise InputError(f"This is not a task: {f'{place}: ' if place else ''}{reason}{others}.") from error
