"""DataProfile: what is known about the rows outside the holdout. Plain JSON; its schema is frozen by a test."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.task import Label

Fraction = Annotated[float, Field(ge=0, le=1)]
Role = Literal["feature", "target", "id", "time", "group", "series", "weight", "dropped"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")


class Level(_Part):
    """One value of a column and how often it comes."""

    value: Label
    count: int
    """Of the rows looked at (see `DataProfile.sampled_rows`)."""


class TextSummary(_Part):
    """How the texts of a column look."""

    mean_words: float
    mean_characters: float
    longest: int
    """Characters."""
    blank_fraction: Fraction
    """Of the values present: empty or only spaces."""
    chinese: bool
    """Mostly Chinese, Japanese or Korean characters: words are not cut by spaces."""


class ColumnProfile(_Part):
    """What is known about one column."""

    name: str
    kind: ColumnKind
    role: Role
    dtype: str
    """As pandas calls it: int64, float64, bool, str, datetime64[us]."""
    distinct: int
    """Distinct values present, of the rows looked at."""
    missing_fraction: Fraction
    """Of all rows, exact."""
    quantiles: dict[str, float] = {}
    """Of numbers (also those inside strings): 5, 25, 50, 75 and 95 %. Never the minimum or the maximum."""
    mean: float | None = None
    whole_numbers: bool | None = None
    negative: bool | None = None
    """Whether a number below zero occurs."""
    infinite: int = 0
    """Infinite values; they are left out of the quantiles."""
    levels: list[Level] = []
    """The most frequent values, most frequent first, of columns with few distinct values or of categories."""
    text: TextSummary | None = None
    date_format: str | None = None
    """For `pandas.to_datetime`, or `quarter` for values such as `1998 Q1`."""
    unit: str | None = None
    """What usually follows the number in a column of numbers inside strings."""


class TargetProfile(_Part):
    """What is known about the target."""

    name: str
    classes: list[Level] = []
    """Every class with its count, most frequent first; of a classification task, exact."""
    minority_fraction: Fraction | None = None
    distinct: int
    skew: float | None = None
    """Sample skewness of a regression target."""
    log_skew: float | None = None
    """The same after log1p; a value nearer to 0 speaks for fitting the logarithm. None with numbers below 0."""
    count_like: bool = False
    """Whole numbers from 0 on, many of them different."""
    capped_fraction: Fraction = 0.0
    """Rows at the largest value, where that is so frequent that it looks like a limit; else 0."""


class SuspectKind(StrEnum):
    """Why a column looks as if it told the target."""

    COPY = "copy"
    """The target under other names, or times a factor plus a constant."""
    NEAR_PERFECT = "near_perfect"
    """The column alone predicts the target almost without error."""
    GIVES_CLASS_AWAY = "gives_class_away"
    """One value of the column (or its being filled or empty) stands for one class."""
    FOLLOWS_FROM_TARGET = "follows_from_target"
    """Each class has one value in the column: it was derived from the target."""
    IDENTIFIER = "identifier"
    """The name or number of a row tells its target."""
    ROW_ORDER = "row_order"
    """The position in the file tells the target: the rows are sorted by it."""
    NAME = "name"
    """The name says that it is known after the fact. Only a hint."""


class Suspect(_Part):
    """Something that may leak the target. Nothing is dropped because of it: a person, or the search, decides."""

    column: str
    """The column's name; "" for the order of the rows."""
    kind: SuspectKind
    strength: Fraction
    """How much of what a constant guess leaves open the column alone explains; 0 for a mere hint."""
    explanation: str


class Candidate(_Part):
    """A column that could have a role of its own in the split."""

    column: str
    reason: str


class Duplicates(_Part):
    """Rows with the same values in all features."""

    rows: int
    """Rows that repeat an earlier one."""
    conflicting: int
    """Rows whose twins have another target."""


class DataProfile(_Part):
    """What is known about a table outside its holdout."""

    schema_version: Literal[1] = 1
    rows: int
    sampled_rows: int
    """Rows looked at for distinct values, quantiles, levels and suspects; evenly spaced. Equal to `rows` on small data."""
    columns: list[ColumnProfile]
    target: TargetProfile
    duplicates: Duplicates
    time_candidates: list[Candidate] = []
    group_candidates: list[Candidate] = []
    suspects: list[Suspect] = []
    warnings: list[str] = []

    def column(self, name: str) -> ColumnProfile:
        """Return the column of that name.

        Raises:
            KeyError: There is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
