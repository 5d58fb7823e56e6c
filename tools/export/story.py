"""RunStory: a run in numbers, as the report tells it. Saved beside the run, so that a page can be drawn again at any time.

Nothing here is text from the data except names of columns and classes, which every page escapes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from open_autoglm.tools.task import Guess

SCHEMA_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class Violation(_Part):
    """What the code of an attempt tried and may not."""

    what: str
    """A system call with what it was about, or a limit."""
    why: str
    count: int


class Attempt(_Part):
    """One line of the leaderboard."""

    attempt_id: str
    title: str
    operator: str
    parents: tuple[str, ...] = ()
    status: str
    """`scored`, `failed`, `stopped` (hopeless: it never competes) or `running`."""
    mean: float | None = None
    """Cross-validated score over all folds, computed by the host."""
    standard_error: float | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    lesson: str = ""
    """What was learned, or why it failed."""
    violations: tuple[Violation, ...] = ()
    """Those of high severity, and limits that were met."""
    low_violations: int = 0
    """How many of low severity, such as innocent libraries cause, too."""


class Connection(_Part):
    """What the code of an attempt said to a host by the way that the policy opens, or wished to."""

    attempt_id: str
    host: str
    port: int
    """0 where none was named."""
    refused: str = ""
    """Why it was not let out, one of `words.REFUSALS`; empty where it was."""
    count: int
    size_bytes: int = 0
    """What went either way."""

    @property
    def place(self) -> str:
        """`example.org:443`, or the host alone."""
        return f"{self.host}:{self.port}" if self.port else self.host


class CurvePoint(_Part):
    """The moment a better attempt was found."""

    seconds: float
    """Since the run began."""
    score: float
    attempt_id: str = ""


class Scores(_Part):
    """The winner's scores beside simple answers. All are computed by the host."""

    metric: str
    greater_is_better: bool
    cv_mean: float | None = None
    cv_se: float | None = None
    folds: int | None = None
    seeds: int = 1
    """How many seeds `cv_mean` is the mean over; the leaderboard shows the first."""
    holdout: float | None = None
    holdout_low: float | None = None
    """Bounds of the 95 % bootstrap interval over holdout rows."""
    holdout_high: float | None = None
    holdout_rows: int | None = None
    dummy: float | None = None
    """On the same rows as `holdout`; without a holdout, on the folds."""
    linear: float | None = None


class Check(_Part):
    """One of the four checks in a clean sandbox: a, b, c or d."""

    letter: Literal["a", "b", "c", "d"]
    result: Literal["passed", "failed", "skipped"]
    sentence: str
    """What was compared, and what came out."""


class StageTime(_Part):
    """Where the time went."""

    stage: str
    seconds: float


class ColumnSummary(_Part):
    """One column of the training table."""

    name: str
    kind: str
    role: str = "feature"
    distinct: int | None = None
    missing_fraction: float = 0.0


class DataSummary(_Part):
    """The training table, without a cell of it."""

    rows: int
    columns: tuple[ColumnSummary, ...] = ()
    class_counts: tuple[tuple[str, int], ...] = ()
    """Classes with their rows, in the order of the probability columns; empty for regression."""
    target_quantiles: tuple[tuple[float, float], ...] = ()
    """(share, value) pairs of a numeric target."""
    duplicate_rows: int | None = None
    notes: tuple[str, ...] = ()
    """Leakage suspects and other findings, in words."""


class ImportanceRow(_Part):
    """What the score loses when one feature is shuffled."""

    feature: str
    drop: float
    """Mean loss of score over the repeats; positive means that the model uses the feature, whatever the metric's direction."""
    standard_error: float


class Confusion(_Part):
    """Counts of rows: actual class by predicted class."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """[actual][predicted]."""


class CalibrationBin(_Part):
    """Rows with about the same predicted probability."""

    predicted: float
    observed: float
    rows: int


class RocCurve(_Part):
    """True positive rate over false positive rate, thinned to few points."""

    positive: str
    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    area: float


class Residuals(_Part):
    """Errors of a regression: a sample of points and the spread of all."""

    predicted: tuple[float, ...]
    actual: tuple[float, ...]
    quantiles: tuple[tuple[float, float], ...]
    """(share, actual minus predicted) pairs over all rows."""
    rows: int


class Diagnostics(_Part):
    """Where the model is right and wrong."""

    rows_from: str = "holdout"
    """Which predictions are looked at: `holdout`, or `folds` for out-of-fold predictions."""
    confusion: Confusion | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    roc: RocCurve | None = None
    residuals: Residuals | None = None
    importance: tuple[ImportanceRow, ...] = ()


class EnsembleWeight(_Part):
    """One member of an ensemble that won."""

    attempt_id: str
    title: str
    weight: float


class Isolation(_Part):
    """How many executions ran behind which walls."""

    backend: str
    tier: str
    isolating: bool
    executions: int


class Environment(_Part):
    """Where the run happened."""

    python: str
    platform: str
    cpus: int | None = None
    packages: tuple[tuple[str, str], ...] = ()


class Spending(_Part):
    """What was spent, beside what was allowed."""

    seconds: float = 0.0
    budget_seconds: float | None = None
    attempts: int = 0
    budget_attempts: int | None = None
    executions: int = 0
    tokens: int = 0
    money: float = 0.0
    calls: int = 0
    """Of the language model."""


class RunStory(_Part):
    """Everything a report tells."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    created: str
    """ISO 8601 time at which the run began."""
    prompt: str
    language: Literal["en", "zh"] = "en"
    target: str
    task_type: str
    strategist: str = "recipes"
    model: str | None = None
    """The language model that was asked."""
    author: str = "recipes"
    """Who wrote the winner's code."""
    best_attempt: str
    best_title: str
    refitted: bool = True
    """Whether the shipped model was fitted anew on all rows and so has no score of its own."""
    scores: Scores
    attempts: tuple[Attempt, ...] = ()
    """In the order in which they began."""
    curve: tuple[CurvePoint, ...] = ()
    checks: tuple[Check, ...] = ()
    stop_reason: str = ""
    """A sentence that goes on from "The search ended because"."""
    spending: Spending = Spending()
    timings: tuple[StageTime, ...] = ()
    guesses: tuple[Guess, ...] = ()
    warnings: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    """Wishes that the model does not meet."""
    latency_ms: float | None = None
    """What predicting one row alone takes, as claimed by the runtime inside the sandbox; None where nobody asked."""
    data: DataSummary
    split: str = ""
    """How rows were set aside, in a sentence."""
    diagnostics: Diagnostics = Diagnostics()
    ensemble: tuple[EnsembleWeight, ...] = ()
    isolation: tuple[Isolation, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    """What the policy lets code reach; empty where it opens no way out."""
    connections: tuple[Connection, ...] = ()
    """Those that were let out first."""
    environment: Environment
    left_out: tuple[str, ...] = ()
    """Parts of the deliverable that did not fit into the time."""

    @property
    def ranked(self) -> Sequence[Attempt]:
        """Scored attempts, best first, then the others in their order."""
        scored = [a for a in self.attempts if a.status == "scored" and a.mean is not None]
        sign = -1.0 if self.scores.greater_is_better else 1.0
        scored.sort(key=lambda a: (a.attempt_id != self.best_attempt, sign * (a.mean or 0.0)))
        placed = {a.attempt_id for a in scored}
        return scored + [a for a in self.attempts if a.attempt_id not in placed]

    def save(self, path: Path) -> None:
        """Write the story as JSON."""
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "RunStory":
        """Read a saved story; a damaged one raises pydantic's ValidationError."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))
