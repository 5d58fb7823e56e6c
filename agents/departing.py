"""Where a run's policy departs from the default: said before it starts, in its result and in its report."""

from open_autoglm.agents.deps import Deps
from open_autoglm.sandbox.policy import Departure, departures
from open_autoglm.tools.words import Words


def policy_lines(deps: Deps) -> list[str]:
    """Return a sentence for each place where this run's policy says something else than the default."""
    policy = deps.workspace.options.policy
    return [] if policy is None else [sentence(departure, deps.say) for departure in departures(policy)]


def allowed_hosts(deps: Deps) -> tuple[str, ...]:
    """Return the hosts that this run's policy lets code reach, where there are walls around it at all."""
    policy = deps.workspace.options.policy
    return () if policy is None or not deps.sandbox.probe().isolating else policy.network.allow


def sentence(departure: Departure, say: Words) -> str:
    """Return one departure in words."""
    place = departure.place
    more, fewer = ", ".join(departure.more), ", ".join(departure.fewer)
    if more and fewer:
        return say("Policy of its own, {place}: also {more}; no longer {fewer}.", place=place, more=more, fewer=fewer)
    if more:
        return say("Policy of its own, {place}: also {more}.", place=place, more=more)
    if fewer:
        return say("Policy of its own, {place}: no longer {fewer}.", place=place, fewer=fewer)
    value, default = departure.value, departure.default
    return say("Policy of its own, {place}: {value} (by default {default}).", place=place, value=value, default=default)
