"""What an attempt is worth to a search, between 0 and 1 on any metric: how surely it is better than what it was made from."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

EVEN = 0.5
"""Neither better nor worse, or nothing to compare with."""


def reward(scores: Sequence[float], before: Sequence[float], *, greater_is_better: bool, test_share: float) -> float:
    """Return the chance that the difference of two scores on the same folds is a true gain.

    One far fold cannot make it great: what widens the mean difference widens its error, too. The error is corrected for
    folds that share training rows (Nadeau and Bengio, Machine Learning 52, 2003).

    Args:
        scores: Of the attempt, one per fold.
        before: Of what it was made from, on the same folds.
        greater_is_better: The metric's direction.
        test_share: Rows that score a fold, per row that it learns from.
    """
    sign = 1.0 if greater_is_better else -1.0
    gains = [sign * (ours - theirs) for ours, theirs in zip(scores, before, strict=False)]
    if not gains or not all(math.isfinite(gain) for gain in gains):
        return EVEN
    middle = mean(gains)
    error = stdev(gains) * math.sqrt(1 / len(gains) + test_share) if len(gains) > 1 else 0.0
    if error <= 1e-12 * max(map(abs, gains)) or error == 0.0:
        return EVEN if middle == 0.0 else float(middle > 0.0)
    return 0.5 * (1.0 + math.erf(middle / error / math.sqrt(2.0)))
