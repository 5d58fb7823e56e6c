"""The report's charts, each a function from numbers to inline SVG; an empty string where there is nothing to show."""

from collections.abc import Sequence

import numpy as np

from open_autoglm.tools.export.story import (
    CalibrationBin,
    Confusion,
    CurvePoint,
    ImportanceRow,
    Residuals,
    RocCurve,
    RunStory,
    Scores,
)
from open_autoglm.tools.export.svg import Board, Scale, number, scale, shorten
from open_autoglm.tools.export.words import metric_title
from open_autoglm.tools.words import ENGLISH, Words

WIDTH = 760
STRIP = 480
SQUARE = 320
IMPORTANT = 20
"""Features shown at most."""
CLASSES = 20
"""Classes shown at most in a matrix."""


def score_strip(scores: Scores, say: Words = ENGLISH) -> str:
    """Draw the winner's score with its interval on one line with the simple answers."""
    best = scores.holdout if scores.holdout is not None else scores.cv_mean
    if best is None:
        return ""
    low, high = _interval(scores, best)
    points = [
        (say("constant guess"), scores.dummy, "mark-dummy"),
        (say("linear baseline"), scores.linear, "mark-linear"),
    ]
    known = [(name, value, css) for name, value, css in points if value is not None]
    board = Board(
        width=STRIP,
        height=92 + 26 * len(known),
        title=say("{metric} of the model beside simple answers", metric=scores.metric),
    )
    axis = scale([low, high, best, *(value for _, value, _ in known)], 130, STRIP - 24, pad=0.08)
    bottom = board.height - 34
    metric = metric_title(scores.metric, say)
    more = scores.greater_is_better
    label = say("{metric} (more is better)", metric=metric) if more else say("{metric} (less is better)", metric=metric)
    _x_axis(board, axis, 8, bottom, label)
    tip = say("95 % interval {low} to {high}", low=number(low), high=number(high))
    board.rect(axis(low), 20, axis(high) - axis(low), 14, "interval", tip=tip)
    board.dot(axis(best), 27, 6, "mark-best", tip=f"{say('this model')}: {number(best)}")
    board.text(118, 31, say("this model"), "label strong", anchor="end")
    for row, (name, value, css) in enumerate(known):
        y = 57 + 26 * row
        board.dot(axis(value), y - 4, 5, css, tip=f"{name}: {number(value)}")
        board.text(118, y, name, anchor="end")
    return board.svg()


def _interval(scores: Scores, best: float) -> tuple[float, float]:
    if scores.holdout is not None and scores.holdout_low is not None and scores.holdout_high is not None:
        return scores.holdout_low, scores.holdout_high
    error = 1.96 * (scores.cv_se or 0.0)
    return best - error, best + error


def learning_curve(story: RunStory, say: Words = ENGLISH) -> str:
    """Draw the best score over time, with the simple answers as dashed lines where they were scored on the same folds."""
    points = list(story.curve)
    if not points:
        return ""
    simple = [
        (say("linear"), story.scores.linear, "rule-linear"),
        (say("constant"), story.scores.dummy, "rule-dummy"),
    ]
    comparable = story.scores.holdout is None
    shown = [(name, value, css) for name, value, css in simple if value is not None and comparable]
    end = max(story.spending.seconds, points[-1].seconds) or 1.0
    board = Board(width=WIDTH, height=260, title=say("Best cross-validated score over time"))
    across = Scale(low=0.0, high=end, start=64, end=WIDTH - 90)
    up = _score_scale([p.score for p in points], [value for _, value, _ in shown])
    _axes(board, across, up, say("seconds since the start"), metric_title(story.scores.metric, say))
    for name, value, css in shown:
        if not up.low <= value <= up.high:
            continue
        board.line(across.start, up(value), across.end, up(value), css)
        board.text(across.end + 6, up(value) + 4, name)
    board.path(_steps(points, across, up), "curve")
    for point in points:
        after = number(point.seconds, 3)
        tip = say(
            "{attempt}: {score} after {seconds} s", attempt=point.attempt_id, score=number(point.score), seconds=after
        )
        board.dot(across(point.seconds), up(point.score), 4, "mark-best", tip=tip)
    board.text(across.end + 6, up(points[-1].score) + 4, number(points[-1].score), "label strong")
    return board.svg()


def _score_scale(scores: Sequence[float], simple: Sequence[float]) -> Scale:
    """Return a scale that shows what the search gained; a simple answer that would flatten it stays out of sight."""
    values = list(scores)
    for value in sorted(simple, key=lambda v: abs(v - scores[0])):
        spread = max(values) - min(values)
        if not spread or max(*values, value) - min(*values, value) <= 3 * spread:
            values.append(value)
    return scale(values, 214, 24)


def _steps(points: Sequence[CurvePoint], across: Scale, up: Scale) -> list[tuple[float, float]]:
    corners: list[tuple[float, float]] = []
    for point in points:
        if corners:
            corners.append((across(point.seconds), corners[-1][1]))
        corners.append((across(point.seconds), up(point.score)))
    return [*corners, (across.end, corners[-1][1])]


def importance_bars(rows: Sequence[ImportanceRow], metric: str, say: Words = ENGLISH) -> str:
    """Draw how much score is lost when each feature is shuffled, with one standard error."""
    shown = list(rows)[:IMPORTANT]
    if not shown:
        return ""
    board = Board(width=WIDTH, height=44 + 22 * len(shown), title=say("Permutation importance"))
    edges = [0.0, *(r.drop + r.standard_error for r in shown), *(min(0.0, r.drop - r.standard_error) for r in shown)]
    axis = scale(edges, 180, WIDTH - 70, pad=0.02)
    bottom = board.height - 34
    _x_axis(board, axis, 4, bottom, say("loss of {metric} when shuffled", metric=metric))
    for position, row in enumerate(shown):
        y = 8 + 22 * position
        left, right = sorted((axis(0.0), axis(row.drop)))
        tip = f"{row.feature}: {number(row.drop)} ± {number(row.standard_error, 2)}"
        board.rect(left, y, right - left, 14, "bar" if row.drop > 0 else "bar-weak", tip=tip)
        board.line(axis(row.drop - row.standard_error), y + 7, axis(row.drop + row.standard_error), y + 7, "whisker")
        board.text(170, y + 11, shorten(row.feature, 24), anchor="end")
        board.text(max(right, axis(row.drop + row.standard_error)) + 6, y + 11, number(row.drop, 2))
    return board.svg()


def confusion_matrix(matrix: Confusion, say: Words = ENGLISH) -> str:
    """Draw counts of actual by predicted class, shaded by the share of the actual class."""
    size = len(matrix.classes)
    if not 2 <= size <= CLASSES:
        return ""
    counts = np.asarray(matrix.counts)
    cell = max(26, min(84, 380 // size))
    left, top = 118, 52
    board = Board(
        width=left + cell * size + 12,
        height=top + cell * size + 12,
        title=say("Confusion matrix: actual by predicted class"),
    )
    board.text(left + cell * size / 2, 16, say("predicted"), anchor="middle")
    board.text(4, top - 8, say("actual"))
    for i, name in enumerate(matrix.classes):
        board.text(left + cell * (i + 0.5), top - 10, shorten(name, max(2, cell // 7)), anchor="middle")
        board.text(left - 8, top + cell * (i + 0.5) + 4, shorten(name, 14), anchor="end")
        for j, predicted in enumerate(matrix.classes):
            count, total = int(counts[i, j]), int(counts[i].sum())
            share = count / total if total else 0.0
            x, y = left + cell * j, top + cell * i
            tip = say(
                "{count} of {total} rows of {name} were predicted as {predicted} ({share})",
                count=count, total=total, name=name, predicted=predicted, share=f"{share:.0%}",
            )  # fmt: skip
            board.rect(x + 1, y + 1, cell - 2, cell - 2, "cell", tip=tip, opacity=0.06 + 0.84 * share)
            css = "cell-text strong" if share > 0.5 else "cell-text"
            board.text(x + cell / 2, y + cell / 2 + 4, f"{count:,}", css, anchor="middle")
    return board.svg()


def calibration_plot(bins: Sequence[CalibrationBin], say: Words = ENGLISH) -> str:
    """Draw observed shares over predicted probabilities; on the diagonal, the probabilities are what they say."""
    if len(bins) < 2:
        return ""
    board, across, up = _unit_square(
        say("Calibration: observed share by predicted probability"),
        say("predicted probability"),
        say("observed share"),
    )
    points = [(across(b.predicted), up(b.observed)) for b in bins]
    board.path(points, "curve")
    for bin_, (x, y) in zip(bins, points, strict=True):
        tip = say(
            "{rows} rows: predicted {predicted}, observed {observed}",
            rows=bin_.rows, predicted=number(bin_.predicted, 3), observed=number(bin_.observed, 3),
        )  # fmt: skip
        board.dot(x, y, 4, "mark-best", tip=tip)
    return board.svg()


def roc_plot(roc: RocCurve, say: Words = ENGLISH) -> str:
    """Draw the ROC curve."""
    board, across, up = _unit_square(say("ROC curve"), say("false positive rate"), say("true positive rate"))
    points = [(across(x), up(y)) for x, y in zip(roc.false_positive_rate, roc.true_positive_rate, strict=True)]
    board.path(points, "curve")
    board.text(across(0.97), up(0.06), say("area {area}", area=number(roc.area, 3)), "label strong", anchor="end")
    return board.svg()


def _unit_square(title: str, below: str, beside: str) -> tuple[Board, Scale, Scale]:
    board = Board(width=SQUARE, height=SQUARE, title=title)
    across = Scale(low=0.0, high=1.0, start=50, end=SQUARE - 12)
    up = Scale(low=0.0, high=1.0, start=SQUARE - 46, end=26)
    _axes(board, across, up, below, beside)
    board.line(across(0), up(0), across(1), up(1), "rule-dummy")
    return board, across, up


def residual_plot(residuals: Residuals, say: Words = ENGLISH) -> str:
    """Draw actual over predicted values; on the diagonal, the prediction is right."""
    if not residuals.predicted:
        return ""
    board = Board(width=SQUARE, height=SQUARE, title=say("Actual over predicted values"))
    values = [*residuals.predicted, *residuals.actual]
    across, up = scale(values, 62, SQUARE - 12), scale(values, SQUARE - 46, 26)
    _axes(board, across, up, say("predicted"), say("actual"), count=4)
    board.line(across(across.low), up(up.low), across(across.high), up(up.high), "rule-dummy")
    for x, y in zip(residuals.predicted, residuals.actual, strict=True):
        board.dot(across(x), up(y), 2.5, "point")
    return board.svg()


def _axes(board: Board, across: Scale, up: Scale, below: str, beside: str, *, count: int = 5) -> None:
    for value, label in up.ticks(count):
        board.line(across.start, up(value), across.end, up(value), "grid")
        board.text(across.start - 6, up(value) + 4, label, anchor="end")
    for value, label in across.ticks(count):
        board.text(across(value), up.start + 16, label, anchor="middle")
    board.line(across.start, up.start, across.end, up.start, "axis")
    board.text((across.start + across.end) / 2, up.start + 36, below, anchor="middle")
    board.text(2, 11, beside)


def _x_axis(board: Board, axis: Scale, top: float, bottom: float, label: str) -> None:
    for value, tick in axis.ticks(5):
        board.line(axis(value), top, axis(value), bottom, "grid")
        board.text(axis(value), bottom + 14, tick, anchor="middle")
    board.line(axis.start, bottom, axis.end, bottom, "axis")
    board.text((axis.start + axis.end) / 2, bottom + 31, label, anchor="middle")
