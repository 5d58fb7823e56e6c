"""Compares over sets: scores become comparable by a floor and a reference, systems by paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from open_autoglm.evals.results import FoldResult

FAILED = -0.5
"""What a run without a usable prediction counts: worse than a constant guess."""
LOWEST, HIGHEST = -0.5, 1.5
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with the 95 % percentile interval of its bootstrap."""

    mean: float
    low: float
    high: float
    count: int
    """Sets that it is the mean of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One system minus another, over the sets that both were run on."""

    interval: Interval
    won: int
    lost: int
    tied: int


def normalised(score: float | None, *, floor: float, reference: float) -> float:
    """Place a score between a constant guess (0) and the reference (1), clipped to -0.5 to 1.5.

    The direction of the metric cancels. A missing or infinite score counts as failed.
    """
    if score is None or not np.isfinite(score):
        return FAILED
    return float(np.clip((score - floor) / (reference - floor), LOWEST, HIGHEST))


def by_set(results: Sequence[FoldResult]) -> dict[str, float]:
    """Return the normalised score of each set: the mean over the folds that were run, failures included."""
    found: dict[str, list[float]] = {}
    for result in results:
        value = normalised(result.score, floor=result.floor, reference=result.reference)
        found.setdefault(result.name, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def mean_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the mean over sets with its interval; sets are resampled whole (Efron and Tibshirani 1993, chapter 13).

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("There is nothing to take the mean of.")
    sample = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(seed).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.quantile(sample[drawn].mean(axis=1), [0.025, 0.975])
    return Interval(mean=float(sample.mean()), low=float(low), high=float(high), count=len(sample))


def paired(ours: Mapping[str, float], theirs: Mapping[str, float], *, seed: int = 0) -> Difference:
    """Compare two systems by their normalised scores on the same sets: pairing takes out how hard a set is.

    Raises:
        ValueError: They share no set.
    """
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise ValueError("The two share no set.")
    gains = [ours[name] - theirs[name] for name in shared]
    return Difference(
        interval=mean_interval(gains, seed=seed),
        won=sum(gain > 0 for gain in gains),
        lost=sum(gain < 0 for gain in gains),
        tied=sum(gain == 0 for gain in gains),
    )
