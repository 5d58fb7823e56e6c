"""Tree search: the upper confidence bound says which branch to go into, and which of its attempts to work on.

A branch is a draft with all that was made of it. UCT is Kocsis and Szepesvari's (ECML 2006), used on attempts as by AIRA
(arXiv 2507.02554) and ML-Master (arXiv 2506.16499), whose exploration also shrinks with the budget. A pick that still runs
counts as a visit without reward (virtual loss: Chaslot, Winands and van den Herik, Computers and Games 2008), so that workers
spread without knowing of each other. New branches are opened as the square root of all visits grows (progressive widening:
Coulom, Computers and Games 2006). Where a branch stagnates, work goes to others, and the best of several branches are merged,
as MLEvolve does. The tree has two levels below the root on purpose: a lineage is worth what its best attempts are, and a view
of those few is of constant size. The constants were chosen on made-up landscapes (`benchmarks/search.py`), not on the data sets
that the product is measured on.
"""

import math
from collections.abc import Iterator, Sequence

from open_autoglm.agents.search.base import Branch, Node, Pick, SearchView, pick_of, singles
from open_autoglm.agents.strategist import Operator

FIRST_DRAFTS = 5
"""Drafts before anything else."""
EXPLORATION = 0.6
"""Weight of what is not known yet while nothing is spent; it falls to nothing with the budget."""
WIDENING = 4.0
"""Branches per square root of all visits."""
EXPLORE_UNTIL = 0.7
"""Share of the budget from which no new branch is opened: its improvements would come too late."""
STALE_AFTER = 8
"""Attempts of a branch without a new best after which its promise falls."""
STALE = 0.7
"""What is left of its promise then, and again after each so many more."""
FALL = 0.5
"""What each place in the order of scores is worth of the place before: ranks are the same on every metric, and no outlier outweighs the rest."""
PROGRESS = 0.1
"""Weight of how often work on a branch gained, against how good its best is."""
CREDIT = 2
"""Visits that everything is credited with: one pick that still runs must not make the best look like the second best."""
MOST_IMPROVEMENTS = 10
"""Of one attempt: what comes after them seldom helps."""
MOST_TRIALS = 25
TUNE_EVERY = 4
"""Of so many steps on attempts, one tunes."""
MERGE_EVERY = 8
"""Newly scored attempts between two merges."""
MERGE_WHEN_STALE = 4
"""The same while the best branch does not get better by itself, and near the end of the budget."""
CLOSING = 0.75
"""Share of the budget from which the end is near."""
MOST_MERGED = 12


class UctPolicy:
    """Drafts, then the branch and the attempt with the highest upper confidence bound."""

    name = "uct"

    def choose(self, view: SearchView) -> Pick | None:
        """See `SearchPolicy.choose`."""
        if _should_merge(view):
            return pick_of(view, Operator.MERGE, across_branches(view))
        if view.made.get(Operator.DRAFT, 0) < FIRST_DRAFTS and _may_draft(view):
            return pick_of(view, Operator.DRAFT)
        if _widens(view):
            return pick_of(view, Operator.DRAFT)
        for branch in _by_promise(view):
            for node in _by_bound(branch, view):
                operator = _operator(node, view)
                if operator is not None:
                    return pick_of(view, operator, (node.attempt.id,))
        return pick_of(view, Operator.DRAFT) if _may_draft(view) else None


def across_branches(view: SearchView) -> tuple[str, ...]:
    """Return what to merge: the best of each branch first, since those differ most, then the best of all."""
    heads = [branch.best for branch in view.branches]
    chosen = {attempt.id: attempt for attempt in [*heads[: MOST_MERGED // 2], *singles(view)]}
    return tuple(chosen)[:MOST_MERGED]


def _should_merge(view: SearchView) -> bool:
    fresh = view.scored - view.scored_at_last_merge
    if not view.may_merge or fresh <= 0 or len(singles(view)) < 2:  # two make an ensemble
        return False
    if view.last or (view.share_spent >= CLOSING and fresh >= MERGE_WHEN_STALE):
        return True
    if view.made.get(Operator.DRAFT, 0) < FIRST_DRAFTS and _may_draft(view):
        return False
    stuck = len(view.branches) > 1 and view.branches[0].stale >= STALE_AFTER
    return fresh >= (MERGE_WHEN_STALE if stuck else MERGE_EVERY)


def _may_draft(view: SearchView) -> bool:
    return (Operator.DRAFT, "") not in view.exhausted


def _widens(view: SearchView) -> bool:
    """Whether a new branch is due: none is open, or there are few for so many visits."""
    if not _may_draft(view) or (view.share_spent >= EXPLORE_UNTIL and view.branches):
        return False
    picks = sum(view.made.get(operator, 0) for operator in (Operator.DRAFT, Operator.IMPROVE, Operator.TUNE))
    return not view.branches or view.made.get(Operator.DRAFT, 0) < FIRST_DRAFTS + WIDENING * (
        math.sqrt(picks) - math.sqrt(FIRST_DRAFTS)
    )


def _by_promise(view: SearchView) -> Sequence[Branch]:
    """Return the branches, the one with the highest bound first."""
    total = sum(branch.visits + branch.running for branch in view.branches)

    def bound(place: int, branch: Branch) -> float:
        quality = FALL**place
        value = (1 - PROGRESS) * quality + PROGRESS * branch.reward
        value *= STALE ** (branch.stale // STALE_AFTER)
        return _upper(value, branch.visits, branch.running, total, view)

    ranked = sorted(enumerate(view.branches), key=lambda pair: (-bound(*pair), pair[0]))
    return [branch for _, branch in ranked]


def _by_bound(branch: Branch, view: SearchView) -> Iterator[Node]:
    """Yield the attempts of a branch, the one with the highest bound first; those that nobody works on go before the others."""
    count = len(branch.nodes)
    total = sum(node.children + node.running for node in branch.nodes)

    def bound(place: int, node: Node) -> float:
        return _upper(FALL**place, node.children + 1, node.running, total + count, view)

    for _, node in sorted(enumerate(branch.nodes), key=lambda pair: (pair[1].running, -bound(*pair))):
        yield node


def _upper(value: float, visits: int, running: int, total: int, view: SearchView) -> float:
    """Return the upper confidence bound; what runs counts as visits that brought nothing."""
    known = max(1, visits) + CREDIT
    seen = max(1, visits + running)
    weight = EXPLORATION * (1.0 - view.share_spent)
    return value * known / (known + running) + weight * math.sqrt(math.log(max(2, total)) / seen)


def _operator(node: Node, view: SearchView) -> Operator | None:
    """Return what to do with an attempt; None where all was done."""
    open_to: list[Operator] = []
    if Operator.IMPROVE not in node.exhausted and node.improvements < MOST_IMPROVEMENTS:
        open_to.append(Operator.IMPROVE)
    if Operator.TUNE not in node.exhausted and node.trials < MOST_TRIALS:
        open_to.append(Operator.TUNE)
    steps = view.made.get(Operator.IMPROVE, 0) + view.made.get(Operator.TUNE, 0)
    if len(open_to) == 2:
        return Operator.TUNE if steps % TUNE_EVERY == TUNE_EVERY - 1 else Operator.IMPROVE
    return open_to[0] if open_to else None
