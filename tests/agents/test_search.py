"""How the search goes on and where it gives up."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.run import resume_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.strategist import Brief, Operator
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.tools.task import BudgetSpec, TaskType

pytestmark = pytest.mark.slow


def test_a_hopeless_attempt_is_given_up_after_two_folds(tmp_path: Path) -> None:
    """Far behind on the same folds: the others are saved, and it never competes."""
    played = engine.Played()
    engine.go(tmp_path, played, writer=engine.strategist(0.1, 500.0))
    stopped = engine.attempts(tmp_path)[1]

    assert (stopped.status, stopped.mean) == (AttemptStatus.STOPPED, None)
    assert stopped.failure == "given up after 2 folds, far behind the best"
    assert len([name for name in played.executed if name.startswith("a0002-fold.fit")]) == 2


class Worsening(ScriptedStrategist):
    """Always has another draft, a little worse than the last."""

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        """Write the next."""
        return engine.bundle(0.5 + 0.01 * index)


@pytest.mark.slow
def test_the_search_ends_where_nothing_gains_any_more(tmp_path: Path) -> None:
    """Small data, many attempts without gain: on and on would fit the folds by chance. More budget opens it again."""
    data = engine.table(tmp_path, TaskType.BINARY, rows=160)
    writer = Worsening(engine.task(), [])
    outcome = engine.go(tmp_path, data=data, writer=writer, budget=BudgetSpec(attempts=60), holdout=0.2)
    more = resume_run(tmp_path / "run", budget=BudgetSpec(attempts=2), strategist=writer, sandbox=engine.sandbox())

    assert outcome.stop_reason is StopReason.NO_PROGRESS
    assert outcome.attempts < 20
    assert more.stop_reason is StopReason.BUDGET_ATTEMPTS
    assert more.attempts == outcome.attempts + 2


@pytest.mark.slow
def test_an_improvement_follows_its_parent(tmp_path: Path) -> None:
    """When the drafts are over, the best is improved."""
    writer = ScriptedStrategist(engine.task(), [engine.bundle(2.0)], improvements=[engine.bundle(0.5)])
    outcome = engine.go(tmp_path, writer=writer)
    improved = engine.attempts(tmp_path, Operator.IMPROVE)[0]

    assert (improved.parents, outcome.best_attempt) == (("a0001",), improved.id)


@pytest.mark.slow
def test_importing_the_nodes_needs_no_graph() -> None:
    """Only `agents.graph` knows LangGraph."""
    code = "import sys, open_autoglm.agents.nodes.worker, open_autoglm.agents.nodes.run; sys.exit('langgraph' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
