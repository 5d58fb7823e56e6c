"""Who writes code. A strategist answers what to write next; it never runs code and never sees the holdout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from open_autoglm.events import Json
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.data.profile import DataProfile
from open_autoglm.tools.data.read import TableSketch
from open_autoglm.tools.task import BudgetSpec, SourceRole, TaskSpec
from open_autoglm.tools.tuning import Space


class Operator(StrEnum):
    """How an attempt came to be."""

    DRAFT = "draft"
    IMPROVE = "improve"
    TUNE = "tune"
    MERGE = "merge"
    RERUN = "rerun"
    """The same bundle with another seed, to tell skill from luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a strategist may know of an earlier attempt."""

    attempt_id: str
    operator: Operator
    parents: tuple[str, ...]
    bundle: CodeBundle
    params: Mapping[str, Json] | None
    """PARAMS of a trial; None where the bundle's own literal was used."""
    status: str
    """`scored`, `failed`, or `stopped` (hopeless: it never competes)."""
    mean: float | None = None
    """Score over complete folds, greater or smaller is better as the metric says."""
    standard_error: float | None = None
    fit_seconds: float | None = None
    """Mean wall time of one fold's fit."""
    predict_seconds: float | None = None
    failure: str = ""
    lesson: str = ""


class RefusalKind(StrEnum):
    """What was repeated."""

    SAME_CODE = "same_code"
    """Code that an earlier attempt has, but for comments and layout."""
    SAME_EDIT = "same_edit"
    """A change that was made to an ancestor or a relative before, and brought nothing."""
    SAME_ERROR = "same_error"
    """A mend after which the code failed as it had failed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What was written in vain since it repeats what was there: to be named, so that it is not written again."""

    kind: RefusalKind
    attempt_id: str
    """The attempt for which it was written."""
    operator: Operator
    parents: tuple[str, ...]
    like: str
    """The attempt that it repeats; its own for an error that came again after a mend."""
    title: str
    """Of what was refused."""
    failure: str = ""
    """For an error the line that says it, as in `Past.failure`: not yet cleaned for a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One repair of the attempt in hand."""

    before: CodeBundle
    failure: str
    """What was wrong with it, as in `Past.failure`: not yet cleaned for a prompt."""
    after: CodeBundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Everything a strategist is told when it is asked for code."""

    task: TaskSpec
    profile: DataProfile
    classes: tuple[str | int | float | bool, ...]
    """In the order of the probability columns; empty for regression."""
    past: Sequence[Past] = ()
    """Oldest first; attempts still running have status `running`."""
    seed: int = 0
    n_jobs: int = 2
    spent: float = 0.0
    """Share of the budget that is spent, 0 to 1, by attempts where the budget is in attempts."""
    seconds_left: float | None = None
    """Seconds left for searching; None under a budget in attempts alone."""
    fold_seconds: float | None = None
    """Seconds that one fold may take at most."""
    folds: int = 5
    attempt_id: str = ""
    """The attempt that is written, mended or reflected on."""
    refused: Sequence[Refusal] = ()
    """What the loop guard refused lately, oldest first: of this attempt and of those with the same parents."""
    mends: Sequence[Mend] = ()
    """How the attempt in hand was mended so far, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user said and put on the table, before it is understood."""

    prompt: str
    tables: Mapping[SourceRole, TableSketch]
    """At least TRAIN. Column names, types and levels of the files as read."""
    target: str | None = None
    metric: str | None = None
    budget: BudgetSpec = field(default_factory=BudgetSpec)
    """What options said; the sentence fills what is None here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that must be known and that the words leave open."""

    field: str
    text: str
    """In the user's language, answerable in one word."""
    choices: tuple[str, ...]
    """Likeliest first; the first is taken when nobody answers."""
    reason: str
    """Why the first choice is the best guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """A task built on the best guesses, and what should be asked before trusting them."""

    task: TaskSpec
    questions: tuple[Question, ...] = ()


class Strategist(Protocol):
    """Writes code. All methods are coroutines, since a language model may be behind them."""

    name: str

    async def understand(self, request: Request, answers: Mapping[str, str]) -> Understanding:
        """Turn words into a task. `answers` holds what the user replied, by `Question.field`.

        Raises:
            Unsupported: The wish is something we do not do; the message names the nearest thing we can do.
            InputError: A target, metric or option that cannot be; the message names the valid choices.
        """
        ...

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write the `index`-th independent solution (from 0); None when there are no more ideas."""
        ...

    async def repair(self, brief: Brief, broken: CodeBundle, report: ExecutionReport) -> CodeBundle | None:
        """Mend code that failed; None when there is nothing left to try."""
        ...

    async def improve(self, brief: Brief, parent: Past) -> CodeBundle | None:
        """Change one influential block of a scored solution; None when every known change was tried."""
        ...

    async def merge(self, brief: Brief, parents: Sequence[Past], weights: Mapping[str, float]) -> CodeBundle | None:
        """Write the ensemble of the parents with these weights (by attempt id, summing to 1)."""
        ...

    async def propose_space(self, brief: Brief, parent: Past) -> Space | None:
        """Name the parameters of the parent worth tuning, with their ranges; None when there are none."""
        ...

    async def reflect(self, brief: Brief, attempt: Past) -> str:
        """Say in one line what was learned."""
        ...
