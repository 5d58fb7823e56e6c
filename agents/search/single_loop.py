"""The baseline: one plain conversation that writes one script and goes on changing it. Whatever searches must beat it."""

from open_autoglm.agents.search.base import Pick, SearchView, pick_of
from open_autoglm.agents.strategist import Operator


class SingleLoopPolicy:
    """One draft, then the latest version that works is changed, for better or worse; no branches, trials or ensembles.

    A version that fails is mended in place by the worker, and left for the one before it where that does not help.
    """

    name = "single-loop"

    def choose(self, view: SearchView) -> Pick | None:
        """See `SearchPolicy.choose`."""
        if view.running:  # a conversation has one turn at a time
            return None
        if view.latest is None:
            return None if (Operator.DRAFT, "") in view.exhausted else pick_of(view, Operator.DRAFT)
        if (Operator.IMPROVE, view.latest.id) in view.exhausted:
            return None
        return pick_of(view, Operator.IMPROVE, (view.latest.id,))
