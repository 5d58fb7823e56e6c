"""How a run ended: the one object that `--json` prints, `result.json` keeps and `RunResult` shows."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from open_autoglm.tools.task import Guess, TaskSpec


class StopReason(StrEnum):
    """Every way a search can end."""

    BUDGET_SECONDS = "budget_seconds"
    BUDGET_ATTEMPTS = "budget_attempts"
    BUDGET_TOKENS = "budget_tokens"
    BUDGET_MONEY = "budget_money"
    CONVERGED = "converged"
    TARGET_REACHED = "target_reached"
    INTERRUPTED = "interrupted"
    NO_PROGRESS = "no_progress"
    FAILED = "failed"

    @property
    def sentence(self) -> str:
        """What it means, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    StopReason.BUDGET_SECONDS: "the time budget is spent",
    StopReason.BUDGET_ATTEMPTS: "the attempts of the budget are made",
    StopReason.BUDGET_TOKENS: "the token budget is spent",
    StopReason.BUDGET_MONEY: "the money budget is spent",
    StopReason.CONVERGED: "there are no more ideas that are likely to help",
    StopReason.TARGET_REACHED: "the wished score is reached",
    StopReason.INTERRUPTED: "the user stopped the search",
    StopReason.NO_PROGRESS: "the last attempts brought no gain",
    StopReason.FAILED: "nothing that was tried could be scored",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Score(_Part):
    """The winner's score, all numbers computed by the host."""

    metric: str
    greater_is_better: bool
    cv_mean: float | None = None
    cv_se: float | None = None
    holdout: float | None = None
    holdout_low: float | None = None
    """Bounds of the 95 % bootstrap interval over holdout rows."""
    holdout_high: float | None = None


class Baseline(_Part):
    """What simple answers score on the same rows as the winner (the holdout; without one, the folds)."""

    dummy: float | None = None
    linear: float | None = None


class Cost(_Part):
    """What was spent on a language model."""

    tokens: int = 0
    money: float = 0.0
    """By the prices that are known; 0 for an endpoint without any."""
    calls: int = 0


class Writer(_Part):
    """Who wrote the code."""

    strategist: str = "recipes"
    model: str | None = None
    """The language model that was asked."""
    degraded: str | None = None
    """Why it was not asked to the end, in a sentence."""


class Outcome(_Part):
    """One run, from the outside."""

    run_id: str
    run_dir: Path
    status: Literal["delivered", "delivered_with_warnings", "failed", "interrupted"]
    stop_reason: StopReason
    task: TaskSpec
    score: Score
    baseline: Baseline = Baseline()
    best_attempt: str | None = None
    attempts: int = 0
    seconds: float = 0.0
    cost: Cost = Cost()
    writer: Writer = Writer()
    deliverable: Path | None = None
    guesses: list[Guess] = []
    warnings: list[str] = []
    unmet: list[str] = []
    """Wishes that the delivered model does not meet (target score, latency, size)."""

    printed: ClassVar[set[str]] = {
        "run_id", "run_dir", "status", "stop_reason", "task", "score", "baseline", "best_attempt", "attempts",
        "seconds", "cost", "writer", "deliverable", "guesses", "warnings",
    }  # fmt: skip
    """The keys of the object that `--json` prints."""

    @property
    def exit_code(self) -> int:
        """Exit status of the command that ends with this outcome."""
        if self.deliverable is not None:
            return 3 if self.unmet else 0
        if self.status == "interrupted":
            return 130
        return 53 if self.stop_reason.value.startswith("budget_") else 1
