"""The attack suite itself: every backend that is ready holds against all of it."""

import pytest

from open_autoglm.evals.containment.manifest import load_manifest
from open_autoglm.evals.containment.runner import Outcome, run_programs
from open_autoglm.evals.containment.ways import OTHER_WAYS, named
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.choice import backends
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.policy import default_policy

MANIFEST = load_manifest()
ENOUGH_NAMED = 0.95


def wrong(outcomes: list[Outcome]) -> dict[str, list[str]]:
    return {outcome.program: outcome.problems for outcome in outcomes if outcome.contained is False}


def refused(outcomes: list[Outcome]) -> list[str]:
    """Return what was left out although this machine has all that it needs."""
    kept_back = [o for o in outcomes if o.contained is None and o.promised]
    return [outcome.program for outcome in kept_back if not outcome.problems[0].startswith("needs ")]


def test_the_quick_programs_are_contained() -> None:
    """The few that take no time run with every change."""
    sandbox = BubblewrapSandbox(imports=())
    ready = sandbox.probe()
    demand(there=ready.ready, reason=ready.reason)

    outcomes = run_programs(lambda _: sandbox, [p for p in MANIFEST.programs if p.quick], listen=lambda _: None)

    assert wrong(outcomes) == {}
    assert len(outcomes) > 5


MARKS = {"docker": [pytest.mark.docker], "jupyter": [pytest.mark.docker]}
ELSEWHERE = ("landlock", "landlock/own_user")
"""As a user of its own it runs in `test_ordinary_user`; by itself it is that or `landlock/same_user`."""
WAYS = [name for name in (*(backend.name for backend in backends()), *OTHER_WAYS) if name not in ELSEWHERE]
ALL_IN = "bubblewrap"
"""Where every program runs; elsewhere half of them, which covers every mechanism: CI has ten minutes for the sandboxes."""


@pytest.mark.slow
@pytest.mark.service  # it starts a server for the programs that a policy lets out
@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name, marks=MARKS.get(name.partition("/")[0], ())) for name in WAYS]
)
def test_every_program_is_contained(name: str) -> None:
    """Hostile ones do no harm and are reported as they must be; innocent ones work."""
    readiness = named(name)(default_policy()).probe()
    demand(there=readiness.ready, reason=readiness.reason)

    outcomes = run_programs(
        named(name), MANIFEST.programs if name == ALL_IN else MANIFEST.half(), listen=lambda _: None
    )

    assert wrong(outcomes) == {}
    assert name != ALL_IN or refused(outcomes) == []
    told = [outcome.named for outcome in outcomes if outcome.named is not None]
    assert sum(told) >= ENOUGH_NAMED * len(told), [outcome.program for outcome in outcomes if outcome.named is False]
