"""Tells in Markdown what was measured: one row a set, what it was compared with, and what the sets are."""

from collections.abc import Sequence

import numpy as np

from open_autoglm.evals.compare import Difference, Interval, by_set, mean_interval, normalised
from open_autoglm.evals.results import FoldResult
from open_autoglm.evals.suite import DataSet

COLUMNS = (
    "set", "metric", "cv", "holdout", "dummy", "linear", "test", "floor", "reference", "normalised", "seconds", "exit",
)  # fmt: skip
NOTE = (
    "cv, holdout (95 % interval), dummy and linear are what the product says of itself, on its training rows. test is computed "
    "here on rows that it never saw, always by the set's metric (`told` names the product's own where the words left it open and it "
    "chose another); floor is a constant guess and reference the best of the suite's simple models on the same rows. "
    "normalised: 0 is the floor, 1 the reference; a failure counts -0.5. exit: of `run`, then of `predict`. A set with several "
    "test folds shows their means."
)


def table(results: Sequence[FoldResult]) -> str:
    """Return the table, one row a set, in the order of the results."""
    names = dict.fromkeys(result.name for result in results)
    rows = [_row([result for result in results if result.name == name]) for name in names]
    return "\n".join([_line(COLUMNS), _line(["---"] * len(COLUMNS)), *(_line(row) for row in rows)])


def summary(results: Sequence[FoldResult]) -> str:
    """Return what the table comes to: the mean over sets with its interval, and how many reached their reference."""
    scores = by_set(results)
    failed = sum(result.score is None for result in results)
    reached = sum(score >= 1 for score in scores.values())
    lines = [f"Normalised, mean over {len(scores)} sets: {_interval(mean_interval(list(scores.values())))}."]
    lines.append(f"At or over the reference: {reached} of {len(scores)} sets.")
    lines.append(f"Runs: {len(results)}, without a score: {failed}.")
    return "\n".join(lines)


def problems(results: Sequence[FoldResult]) -> str:
    """Return why runs failed, one line each; empty where none did."""
    return "\n".join(f"- {r.name} (fold {r.fold}): {r.problem}" for r in results if r.problem)


def sources(sets: Sequence[DataSet]) -> str:
    """Return which file each set is: where it comes from, and its content hash."""
    return "\n".join(
        f"- {item.name}: {item.meta.files[0].file}, sha256 {item.sha256[:16]}, from {_origin(item)}" for item in sets
    )


def comparison(difference: Difference) -> str:
    """Return a paired comparison in one line."""
    counts = f"{difference.won} better, {difference.lost} worse, {difference.tied} equal"
    return f"Paired difference over {difference.interval.count} sets: {_interval(difference.interval)} ({counts})."


def _origin(item: DataSet) -> str:
    source = item.meta.source[0] if item.meta.source else None
    return f"{source.repo}: {source.path} at {source.commit[:10]}" if source else "an unnamed source"


def _row(folds: Sequence[FoldResult]) -> list[str]:
    first = folds[0]
    told = [fold.told for fold in folds if fold.told is not None]
    scores = [fold.score for fold in folds if fold.score is not None]
    placed = [normalised(fold.score, floor=fold.floor, reference=fold.reference) for fold in folds]
    bounds = [_mean([t.score.holdout_low for t in told]), _mean([t.score.holdout_high for t in told])]
    exits = dict.fromkeys(
        f"{fold.run_exit}/{'-' if fold.predict_exit is None else fold.predict_exit}" for fold in folds
    )
    return [
        first.name + (f" ({len(folds)} folds)" if len(folds) > 1 else ""),
        _metrics(first),
        _number(_mean([t.score.cv_mean for t in told])),
        f"{_number(_mean([t.score.holdout for t in told]))} [{_number(bounds[0])}, {_number(bounds[1])}]",
        _number(_mean([t.baseline.dummy for t in told])),
        _number(_mean([t.baseline.linear for t in told])),
        _number(_mean(scores)) + ("" if len(scores) == len(folds) else f" ({len(scores)} of {len(folds)})"),
        _number(first.floor),
        _number(first.reference),
        f"{np.mean(placed):.3f}",
        f"{np.mean([fold.seconds for fold in folds]):.1f}",
        ", ".join(exits),
    ]


def _metrics(result: FoldResult) -> str:
    """Name the metric of the set, and the product's own where it understood another one."""
    told = "" if result.told is None else result.told.score.metric
    return result.metric if told in ("", result.metric) else f"{result.metric} (told: {told})"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _interval(interval: Interval) -> str:
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
