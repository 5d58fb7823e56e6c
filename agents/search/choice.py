"""Which search policy a run takes."""

from collections.abc import Callable, Mapping

from open_autoglm.agents.search.base import SearchPolicy
from open_autoglm.agents.search.greedy import GreedyPolicy
from open_autoglm.agents.search.single_loop import SingleLoopPolicy
from open_autoglm.agents.search.uct import UctPolicy

POLICIES: Mapping[str, Callable[[], SearchPolicy]] = {
    "greedy": GreedyPolicy,
    "uct": UctPolicy,
    "single-loop": SingleLoopPolicy,
}


def policy_for(name: str, strategist: str) -> SearchPolicy:
    """Return the policy of a name of `RunOptions.search`; `auto` takes the one that suits who writes the code."""
    if name == "auto":
        name = "uct" if strategist == "glm" else "greedy"
    return POLICIES[name]()
