"""The contract of search policies: from what the journal holds to the next pick."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.strategist import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A scored attempt that further work can start from."""

    attempt: Attempt
    children: int = 0
    """Improvements and trials of it that have ended."""
    running: int = 0
    """Those that have not."""
    improvements: int = 0
    """Improvements of it, running ones included."""
    trials: int = 0
    """Trials of it, running ones included."""
    exhausted: frozenset[Operator] = frozenset()
    """Operators for which the strategist had nothing to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A draft and all that was made of it by improvements and trials."""

    id: str
    """The draft's attempt."""
    visits: int
    """Attempts of it that have ended."""
    running: int
    """Attempts of it that have not."""
    reward: float
    """Mean reward of those that have ended (`reward.reward`); a failure counts as 0."""
    stale: int
    """Attempts of it that ended since its best was written."""
    nodes: Sequence[Node]
    """The best scored ones, the best first, at least one and at most `view.NODES_IN_VIEW`."""

    @property
    def best(self) -> Attempt:
        """The best of the branch."""
        return self.nodes[0].attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """What a policy may know: of constant size, however long the run. The same view gives the same pick."""

    made: dict[Operator, int] = field(default_factory=dict)
    """Picks of each operator so far, running and empty ones included: the next slot."""
    running: int = 0
    """Picks that have not ended."""
    exhausted: frozenset[tuple[Operator, str]] = frozenset()
    """(operator, parent) pairs for which the strategist had nothing to write: of the parents in `best` and of
    `latest`; the parent of a draft is ''."""
    best: Sequence[Attempt] = ()
    """The best scored attempts, the best first, at most 12."""
    branches: Sequence[Branch] = ()
    """The branches with the best scores, the best first, at most 12. Ensembles are of no branch."""
    latest: Attempt | None = None
    """The scored attempt that was begun last; no ensemble."""
    scored: int = 0
    """How many attempts are scored."""
    scored_at_last_merge: int = 0
    share_spent: float = 0.0
    """Share of the search's budget that is spent, 0 to 1."""
    may_merge: bool = True
    """Whether the task allows ensembles: one model was wished for, or one that explains itself, where it does not."""
    last: bool = False
    """Whether there is time (or an attempt) for one more pick at most."""
    trials: dict[str, int] = field(default_factory=dict)
    """Tune picks by parent, of the parents in `best`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """What to try next."""

    operator: Operator
    slot: int
    parents: tuple[str, ...] = ()


class SearchPolicy(Protocol):
    """Decides what is tried next."""

    name: str

    def choose(self, view: SearchView) -> Pick | None:
        """Return the next pick; None where nothing is left that could help."""
        ...


def singles(view: SearchView) -> list[Attempt]:
    """Return the best attempts that are no ensembles, the best first."""
    return [attempt for attempt in view.best if attempt.operator is not Operator.MERGE]


def pick_of(view: SearchView, operator: Operator, parents: tuple[str, ...] = ()) -> Pick:
    """Return the pick with the next slot of its operator."""
    return Pick(operator=operator, slot=view.made.get(operator, 0), parents=parents)
