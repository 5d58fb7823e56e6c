"""What becomes of broken code, and of code that was written before."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.nodes import worker as worker_nodes
from open_autoglm.agents.run import resume_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.strategist import Operator
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.tools.task import BudgetSpec

pytestmark = pytest.mark.slow


def test_broken_code_is_mended_and_goes_on(tmp_path: Path) -> None:
    """The first repair is broken too, the second works: one attempt, two repairs, a score."""
    writer = engine.strategist(9.0, repairs=[engine.bundle(9.5), engine.bundle(0.5)])
    outcome = engine.go(tmp_path, engine.Refusing(), writer=writer, budget=BudgetSpec(attempts=1))

    assert [(a.status, a.repairs, a.title) for a in engine.attempts(tmp_path, Operator.DRAFT)] == [
        (AttemptStatus.SCORED, 2, "noise 0.5")
    ]
    assert outcome.attempts == 1


@pytest.mark.slow
def test_a_repair_that_was_recorded_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies between recording the mended code and moving on: the mended code is executed, not mended."""
    original = worker_nodes.repair

    async def repair(state: Any, deps: Any) -> Any:
        await original(state, deps)
        raise KeyboardInterrupt

    monkeypatch.setattr(worker_nodes, "repair", repair)
    first = engine.strategist(9.0, repairs=[engine.bundle(0.5)])
    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup, asyncio.CancelledError)):
        engine.go(tmp_path, engine.Refusing(), writer=first, budget=BudgetSpec(attempts=1))
    monkeypatch.setattr(worker_nodes, "repair", original)
    second = engine.strategist(9.0, repairs=[])
    outcome = resume_run(tmp_path / "run", strategist=second, sandbox=engine.sandbox(engine.Refusing()))

    assert outcome.deliverable is not None
    assert second.reports == []


@pytest.mark.slow
@pytest.mark.parametrize("noise", [9.0, 0.5], ids=["itself", "another's"])
def test_a_repair_that_is_no_news_ends_the_attempt(noise: float, tmp_path: Path) -> None:
    """The mended code is the broken one, or what another attempt has: nothing is executed twice."""
    writer = engine.strategist(0.5, 9.0, repairs=[engine.bundle(noise)])
    engine.go(tmp_path, engine.Refusing(), writer=writer)

    assert [a.status for a in engine.attempts(tmp_path, Operator.DRAFT)] == [AttemptStatus.SCORED, AttemptStatus.FAILED]


def test_a_wish_that_cannot_be_had_is_mended_like_an_error(tmp_path: Path) -> None:
    """The strategist reads which package was refused and why; nothing was executed for it."""
    wishing = engine.bundle(0.7).model_copy(update={"requirements": ["evil>=1"]})
    played = engine.Played()
    writer = ScriptedStrategist(engine.task(), [wishing], repairs=[engine.bundle(0.5)])
    outcome = engine.go(tmp_path, played, writer=writer, budget=BudgetSpec(attempts=1))

    assert [(a.status, a.repairs) for a in engine.attempts(tmp_path, Operator.DRAFT)] == [(AttemptStatus.SCORED, 1)]
    assert "'evil', which is not among those it may" in writer.reports[0].detail
    assert outcome.deliverable is not None


def test_code_against_the_rules_is_never_executed(tmp_path: Path) -> None:
    """What the rules refuse goes to repair with the line and the reason, and nowhere near a sandbox."""
    source = engine.CODE.format(noise=0.7) + "\nimport requests\n"
    broken = CodeBundle(files={"solution.py": source}, author=Author.RECIPES)
    played = engine.Played()
    writer = ScriptedStrategist(engine.task(), [broken, engine.bundle(0.5)], repairs=[None])
    engine.go(tmp_path, played, writer=writer)

    assert not [name for name in played.executed if name.startswith("a0001")]
    assert "solution.py:" in writer.reports[0].detail


@pytest.mark.slow
def test_a_model_that_cannot_predict_fails_the_smoke_test(tmp_path: Path) -> None:
    """What it says is what the repair is asked with."""
    writer = engine.strategist(2.0, 0.5, repairs=[None])
    engine.go(tmp_path, engine.Tampered("smoke.predict", engine.fail, attempt="a0001"), writer=writer)

    assert writer.reports[0].detail == "it broke"


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["smoke.predict", "fold.predict"])
def test_predictions_that_cannot_be_used_fail_the_attempt(phase: str, tmp_path: Path) -> None:
    """In the smoke test they are mended, on a fold they end the attempt, with the reason."""
    writer = engine.strategist(2.0, 0.5, repairs=[None])
    engine.go(tmp_path, engine.Tampered(phase, engine.spoil, attempt="a0001"), writer=writer)
    failed = engine.attempts(tmp_path)[0]

    assert failed.status is AttemptStatus.FAILED
    assert failed.failure
    assert len(writer.reports) == (1 if phase == "smoke.predict" else 0)


def test_the_same_draft_again_is_no_attempt(tmp_path: Path) -> None:
    """The loop guard: a twin is not executed and costs nothing of the budget."""
    outcome = engine.go(tmp_path, writer=engine.strategist(0.5, 0.5, 2.0))

    assert [a.status for a in engine.attempts(tmp_path, Operator.DRAFT)][1] is AttemptStatus.EMPTY
    assert outcome.attempts == 1
