"""The attack suite itself: every backend that is ready holds against all of it."""

import os

import pytest

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.evals.containment.manifest import load_manifest
from open_autoglm.evals.containment.runner import Outcome, run_programs
from open_autoglm.evals.containment.ways import FALLBACKS, chosen
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.choice import backends

MANIFEST = load_manifest()
ENOUGH_NAMED = 0.95
MAY_BE_MISSING = ("landlock",)
"""Machines of CI may have a kernel without it."""


def wrong(outcomes: list[Outcome]) -> dict[str, list[str]]:
    return {outcome.program: outcome.problems for outcome in outcomes if outcome.contained is False}


def test_the_quick_programs_are_contained() -> None:
    """The few that take no time run with every change."""
    sandbox = BubblewrapSandbox(imports=())
    ready = sandbox.probe()
    if not ready.ready and "CI" not in os.environ:
        pytest.skip(ready.reason)

    outcomes = run_programs(sandbox, [p for p in MANIFEST.programs if p.quick], listen=lambda _: None)

    assert wrong(outcomes) == {}
    assert len(outcomes) > 5


MARKS = {"docker": [pytest.mark.docker], "jupyter": [pytest.mark.docker]}
WAYS = [*(backend.name for backend in backends()), *FALLBACKS]
ALL_IN = "bubblewrap"
"""Where every program runs; elsewhere half of them, which covers every mechanism: CI has ten minutes for the sandboxes."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name, marks=MARKS.get(name.partition("/")[0], ())) for name in WAYS]
)
def test_every_program_is_contained(name: str) -> None:
    """Hostile ones do no harm and are reported as they must be; innocent ones work."""
    try:
        sandbox = chosen([name])[0]
    except SandboxUnavailable as error:
        if "CI" in os.environ and name not in MAY_BE_MISSING:
            raise
        pytest.skip(str(error))

    outcomes = run_programs(sandbox, MANIFEST.programs if name == ALL_IN else MANIFEST.half(), listen=lambda _: None)

    assert wrong(outcomes) == {}
    named = [outcome.named for outcome in outcomes if outcome.named is not None]
    assert sum(named) >= ENOUGH_NAMED * len(named), [outcome.program for outcome in outcomes if outcome.named is False]
