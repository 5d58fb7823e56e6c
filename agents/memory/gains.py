"""What an attempt brought: its score against where it came from, and whether that is more than noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from open_autoglm.agents.strategist import Past
from open_autoglm.tools.metrics import get_metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A difference of two scores on the same folds, positive where the later is better."""

    amount: float
    noise: float
    """The larger of the two standard errors."""

    @property
    def is_clear(self) -> bool:
        """Whether it is more than noise, in either direction."""
        return abs(self.amount) > self.noise


def by_id(past: Sequence[Past]) -> Mapping[str, Past]:
    """Return attempts by their ids."""
    return {attempt.attempt_id: attempt for attempt in past}


def gain_of(attempt: Past, known: Mapping[str, Past], metric: str) -> Gain | None:
    """Return the gain over the best of its parents; None for a draft and where a score is not known."""
    sign = 1.0 if get_metric(metric).greater_is_better else -1.0
    parents = [known[name] for name in attempt.parents if name in known and known[name].mean is not None]
    if attempt.mean is None or not parents:
        return None
    best = max(parents, key=lambda parent: sign * (parent.mean or 0.0))
    assert best.mean is not None
    return Gain(
        amount=sign * (attempt.mean - best.mean), noise=max(attempt.standard_error or 0.0, best.standard_error or 0.0)
    )
