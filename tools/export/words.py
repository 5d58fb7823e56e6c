"""Fixed words of the pages: metrics, sections, states, refusals and sizes as people write them."""

from collections.abc import Mapping
from typing import Final

from open_autoglm.tools.task import Guess
from open_autoglm.tools.words import ENGLISH, Words

METRICS: Final[Mapping[str, str]] = {
    "roc_auc": "ROC AUC", "average_precision": "average precision", "log_loss": "log loss", "accuracy": "accuracy", "balanced_accuracy": "balanced accuracy",
    "f1": "F1", "f1_macro": "macro F1", "f1_weighted": "weighted F1", "mcc": "MCC", "quadratic_kappa": "quadratic kappa",
    "brier": "Brier score", "rmse": "RMSE", "rmsle": "RMSLE", "mae": "MAE", "mape": "MAPE", "smape": "sMAPE", "r2": "R²",
    "pinball": "pinball loss", "spearman": "Spearman correlation", "mase": "MASE",
}  # fmt: skip
"""Metrics as people write them."""

SECTIONS: Final[Mapping[str, str]] = {
    "attention": "What to know first",
    "checks": "Checks in a clean sandbox",
    "leaderboard": "Leaderboard",
    "search": "How the search went",
    "importance": "What the model looks at",
    "diagnostics": "Where it is right and wrong",
    "data": "The data",
    "cost": "Time and cost",
    "use": "How to use it",
}
"""Anchors of the report to titles."""

SHIPPED: Final = (
    "The shipped model was fitted anew on all rows, with the winner's code, parameters and seed. It has no score of its own: "
    "the scores here belong to its twin, fitted without the rows set aside."
)
SCORED_SHIPS: Final = "The shipped model is the one that was scored."
VERDICTS: Final[Mapping[str, str]] = {
    "better": "The linear baseline lies outside the interval: the gain is larger than chance.",
    "unclear": "The linear baseline lies within the interval: these rows alone cannot tell the gain from chance.",
    "same": "The winner is the linear baseline itself.",
    "worse": "The linear baseline did better on these rows. Prefer it, or search longer.",
}
"""What the score means beside that of a linear model."""
NAMES: Final = frozenset({
    "scored", "failed", "stopped", "running", "passed", "skipped",
    "draft", "improve", "tune", "merge", "rerun",
    "binary", "multiclass", "regression", "forecasting",
    "numeric", "boolean", "categorical", "text", "datetime", "identifier", "constant", "empty", "numeric_text",
    "feature", "target", "id", "time", "group", "series", "weight", "dropped",
    "understand", "profile", "confirm", "search", "finalise", "export", "report",
    "recipes", "model", "user", "stratified",
    "unfinished", "damaged", "train", "test", "predict", "sample_submission", "metric", "task_type", "positive", "horizon",
})  # fmt: skip
"""Names of states, operators, kinds, roles, stages and authors: programs read them as they are, pages in the user's language."""

REFUSALS: Final = frozenset({
    "too many connections at once", "the request does not end", "only CONNECT is understood", "no host and port", "not on the list of the policy", "its name leads nowhere",
    "its name leads to no public address", "it does not answer",
})  # fmt: skip
"""Why a connection was not let out."""


def shown_refusal(reason: str, say: Words) -> str:
    """Return one of `REFUSALS` as a page shows it; any other reason as it is."""
    return say(reason) if reason in REFUSALS else reason


def size_text(size_bytes: float) -> str:
    """Return bytes as `12 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def shown_name(name: str, say: Words) -> str:
    """Return one of `NAMES` as a page shows it; any other name as it is."""
    return say(name) if name in NAMES else name


def guess_name(guess: Guess, say: Words) -> str:
    """Return what was guessed: `metric`, `id column`."""
    if not guess.field.startswith("columns."):
        return shown_name(guess.field, say)
    role = shown_name(guess.field.removeprefix("columns.").replace("_", " "), say)
    several = isinstance(guess.value, list) and len(guess.value) > 1
    return say("{role} columns" if several else "{role} column", role=role)


def metric_title(name: str, say: Words = ENGLISH) -> str:
    """Return a metric's name as people write it."""
    return say(METRICS[name]) if name in METRICS else name.replace("_", " ")


def without_title(lesson: str, title: str) -> str:
    """Return a lesson without the title it begins with, where that stands beside it."""
    return lesson.removeprefix(f"{title}: ").removeprefix(f"{title}\uff1a")
