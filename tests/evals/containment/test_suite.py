"""The attack suite itself: every backend that is ready holds against all of it."""

import os

import pytest

from open_autoglm.evals.containment.manifest import load_manifest
from open_autoglm.evals.containment.runner import Outcome, run_programs
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.choice import backends

MANIFEST = load_manifest()


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


MARKS = {"docker": pytest.mark.docker}


@pytest.mark.slow
@pytest.mark.parametrize(
    "sandbox", [pytest.param(sandbox, id=sandbox.name, marks=MARKS.get(sandbox.name, ())) for sandbox in backends()]
)
def test_every_program_is_contained(sandbox: Sandbox) -> None:
    """Hostile ones do no harm and are reported as they must be; innocent ones work."""
    ready = sandbox.probe()
    if not ready.ready and "CI" not in os.environ:
        pytest.skip(ready.reason)

    assert wrong(run_programs(sandbox, MANIFEST.programs, listen=lambda _: None)) == {}
