"""Where a policy departs from the default is said in words."""

from open_autoglm.agents.departing import sentence
from open_autoglm.sandbox.policy import Departure
from open_autoglm.tools.words import Words


def test_each_departure_is_a_sentence() -> None:
    """Of a value with the default's, of a list by what there is more and less; in Chinese, too."""
    say, cn = Words(language="en"), Words(language="zh")
    value = Departure(place="limits.processes", value="9", default="256")
    more, fewer = Departure(place="a", more=("x", "y")), Departure(place="a", fewer=("z",))
    both = Departure(place="a", more=("x",), fewer=("z",))

    assert sentence(value, say) == "Policy of its own, limits.processes: 9 (by default 256)."
    assert sentence(more, say) == "Policy of its own, a: also x, y."
    assert sentence(fewer, say) == "Policy of its own, a: no longer z."
    assert sentence(both, say) == "Policy of its own, a: also x; no longer z."
    assert "默认 256" in sentence(value, cn)
