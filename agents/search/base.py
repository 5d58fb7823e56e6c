"""The contract of search policies: from what the journal holds to the next pick."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.strategist import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """What a policy may know. The same view gives the same pick."""

    made: dict[Operator, int] = field(default_factory=dict)
    """Picks of each operator so far, running and empty ones included: the next slot."""
    exhausted: frozenset[tuple[Operator, str]] = frozenset()
    """(operator, parent) pairs for which the strategist had nothing to write; the parent of a draft is ''."""
    best: Sequence[Attempt] = ()
    """The best scored attempts, the best first, at most 12."""
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
    """Tune picks by parent."""


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
