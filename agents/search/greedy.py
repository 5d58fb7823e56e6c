"""Greedy search: a few independent drafts, then the best solution is improved, tuned and merged with the others.

The draft phase follows AIDE (arXiv 2502.13138): diversity first, then always the best node. Merging is nearly free
here, since an ensemble is scored from the out-of-fold predictions of its members.
"""

from open_autoglm.agents.search.base import Pick, SearchView, pick_of, singles
from open_autoglm.agents.strategist import Operator

FIRST_DRAFTS = 4
"""Drafts before anything else: a linear model, two kinds of boosting, a forest."""
EXPLORE_UNTIL = 0.6
"""Share of the budget up to which new drafts still alternate with work on the best."""
CLOSING = 0.75
"""Share of the budget from which the members found so far are merged before anything else."""
MERGE_EVERY = 4
"""Newly scored attempts between two merges."""
TRIALS_PER_PARENT = 25


class GreedyPolicy:
    """Drafts, then one step at a time on the best."""

    name = "greedy"

    def choose(self, view: SearchView) -> Pick | None:
        """See `SearchPolicy.choose`."""
        if self._should_merge(view):
            return pick_of(view, Operator.MERGE, tuple(attempt.id for attempt in singles(view)))
        for operator in self._order(view):
            pick = self._try(view, operator)
            if pick is not None:
                return pick
        return None

    @staticmethod
    def _order(view: SearchView) -> list[Operator]:
        """Operators in the order of their promise for this view."""
        drafts = view.made.get(Operator.DRAFT, 0)
        if drafts < FIRST_DRAFTS or not view.best:
            return [Operator.DRAFT, Operator.IMPROVE, Operator.TUNE]
        step = view.made.get(Operator.IMPROVE, 0) + view.made.get(Operator.TUNE, 0)
        work = (
            [Operator.IMPROVE, Operator.TUNE] if step % 3 != 2 else [Operator.TUNE, Operator.IMPROVE]
        )  # every third step tunes
        if view.share_spent < EXPLORE_UNTIL and (drafts + step) % 3 != 2:  # two drafts, then one step on the best
            return [Operator.DRAFT, *work]
        return [*work, Operator.DRAFT]

    @staticmethod
    def _try(view: SearchView, operator: Operator) -> Pick | None:
        if operator is Operator.DRAFT:
            return None if (operator, "") in view.exhausted else pick_of(view, operator)
        for parent in singles(view)[:3]:
            spent = operator is Operator.TUNE and view.trials.get(parent.id, 0) >= TRIALS_PER_PARENT
            if (operator, parent.id) not in view.exhausted and not spent:
                return pick_of(view, operator, (parent.id,))
        return None

    @staticmethod
    def _should_merge(view: SearchView) -> bool:
        fresh = view.scored - view.scored_at_last_merge
        if not view.may_merge or fresh <= 0 or len(singles(view)) < 2:  # two make an ensemble
            return False
        if view.last or (view.share_spent >= CLOSING and fresh > 1):
            return True
        return view.made.get(Operator.DRAFT, 0) >= FIRST_DRAFTS and fresh >= MERGE_EVERY
