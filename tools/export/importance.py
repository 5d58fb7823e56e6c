"""Permutation importance where the sandbox only predicts and the host scores (Breiman 2001, section 10).

The host stacks copies of some rows, each with one column shuffled, and sends them through one `predict` job.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from open_autoglm.tools.export.story import ImportanceRow
from open_autoglm.tools.metrics.base import Metric
from open_autoglm.tools.metrics.predictions import Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which block of the stacked rows is what. Block 0 holds the rows as they are."""

    columns: tuple[str, ...]
    repeats: int
    rows: NDArray[np.int64]
    """[n] positions of the rows in the frame that was given."""


def permuted_rows(
    frame: pd.DataFrame, columns: Sequence[str], seed: int, repeats: int = 3, rows: int = 500
) -> tuple[pd.DataFrame, Layout]:
    """Return the rows as they are, then for each column and repeat the same rows with that column shuffled.

    Args:
        frame: Rows without the target.
        columns: Features to shuffle, one at a time.
        seed: Of the sample of rows and of every shuffle.
        repeats: Shuffles per column.
        rows: Rows at most; fewer are used where the frame is smaller.

    Returns:
        A frame of n * (1 + columns * repeats) rows, and its layout.
    """
    generator = np.random.default_rng(seed)
    picked = np.sort(generator.choice(len(frame), min(rows, len(frame)), replace=False)).astype(np.int64)
    base = frame.iloc[picked].reset_index(drop=True)
    blocks = [base]
    for column in columns:
        for _ in range(repeats):
            shuffled = base[column].take(generator.permutation(len(base))).reset_index(drop=True)
            blocks.append(base.assign(**{column: shuffled}))
    return pd.concat(blocks, ignore_index=True), Layout(columns=tuple(columns), repeats=repeats, rows=picked)


def importance_from(
    predictions: Predictions, layout: Layout, y: NDArray[np.int64] | NDArray[np.float64], metric: Metric
) -> tuple[ImportanceRow, ...]:
    """Score every block and return what each column is worth, largest first.

    Args:
        predictions: Of all stacked rows.
        layout: What `permuted_rows` returned.
        y: The answers of the frame that was given to `permuted_rows`.
        metric: The run's metric.
    """
    size = len(layout.rows)
    truth = y[layout.rows]
    blocks = np.arange(len(predictions.matrix)).reshape(-1, size)
    scores = [metric.score(truth, predictions.take(block), predictions.classes) for block in blocks]
    sign = 1.0 if metric.greater_is_better else -1.0
    losses = sign * (scores[0] - np.asarray(scores[1:]).reshape(len(layout.columns), layout.repeats))
    error = losses.std(axis=1, ddof=1) / np.sqrt(layout.repeats) if layout.repeats > 1 else np.zeros(len(losses))
    rows = [
        ImportanceRow(feature=name, drop=float(mean), standard_error=float(se))
        for name, mean, se in zip(layout.columns, losses.mean(axis=1), error, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: -row.drop))
