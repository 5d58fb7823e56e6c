"""Choosing the next parameters to try. Nothing is kept between calls: the journal's trials are the only memory."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from open_autoglm.tools.tuning.space import Choice, Dimension, Float, Int, Space, Trial

__all__ = ["Choice", "Dimension", "Float", "Int", "Space", "Trial", "suggest"]


def suggest(
    space: Space,
    trials: Sequence[Trial],
    *,
    greater_is_better: bool,
    seed: int,
    start: Mapping[str, JsonValue] | None = None,
) -> dict[str, JsonValue]:
    """Suggest parameters by the tree-structured Parzen estimator (Bergstra et al. 2011) from all past trials.

    The same arguments give the same suggestion. Failed trials count as worse than every scored one, so that their
    neighbourhood is avoided; pending ones count as poor ones (constant liar), so that workers do not crowd. A point that was
    tried is not suggested again, unless the space has no other.

    Args:
        space: What to choose, and from where. The suggestion has exactly its names.
        trials: All of this space so far, oldest first. Numbers outside the bounds count as the nearest bound; a trial that
            lacks a name, or has an unknown option, is only counted.
        greater_is_better: Direction of the values.
        seed: Of the run; each number of trials draws anew from it.
        start: Parameters to try before all others: names outside the space are ignored, missing ones are drawn.
    """
    from open_autoglm.tools.tuning.tpe import next_params  # noqa: PLC0415 - Optuna loads when tuning begins, not with Space

    return next_params(space, trials, greater_is_better=greater_is_better, seed=seed, start=start or {})
