"""The step at which a person sees the task: what they change is taken over, what they refuse is not run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.run import start_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.strategist import Request, Understanding
from open_autoglm.errors import InputError, Interrupted
from open_autoglm.sandbox.policy import Policy, default_policy
from open_autoglm.tools.task import BudgetSpec, Constraints, MetricSpec, TaskSpec, TaskType

Edit = Callable[[TaskSpec], TaskSpec | None]


class Obedient(ScriptedStrategist):
    """Takes target and metric from the options, as every strategist does."""

    async def understand(self, request: Request, answers: object) -> Understanding:
        """Return the task with what options said."""
        task = (await super().understand(request, {})).task
        said = {"target": request.target, "metric": request.metric and MetricSpec(name=request.metric)}
        return Understanding(task=task.model_copy(update={name: value for name, value in said.items() if value}))


def confirmed(folder: Path, edit: Edit, policy: Policy | None = None) -> tuple[Outcome, list[str]]:
    """Run with a person who edits the task; return the outcome, and what leaves the machine with where the policy departs."""
    told: list[str] = []

    def confirm(task: TaskSpec, leaves: list[str], departs: list[str]) -> TaskSpec | None:
        told.extend([*leaves, *departs])
        return edit(task)

    data = engine.table(folder, TaskType.BINARY)
    outcome = start_run(
        engine.options(folder, data=data, yes=False, budget=BudgetSpec(attempts=2), policy=policy),
        strategist=Obedient(engine.task(), [engine.bundle(0.5), engine.bundle(2.0)]),
        sandbox=engine.sandbox(),
        confirm=confirm,
    )
    return outcome, told


@pytest.mark.slow
def test_a_task_that_is_fine_goes_on_as_it_is(tmp_path: Path) -> None:
    """The person is told what a strategist that is no recipe gets to see."""
    outcome, told = confirmed(tmp_path, lambda task: task)

    assert told[0].startswith("To scripted: your words, column names and types, rounded aggregates")
    assert told[1] == "Not sent: rows, ids, free text, dates, rare values."
    assert (outcome.task.metric.name, outcome.attempts) == ("roc_auc", 2)


def test_where_the_policy_departs_is_shown_before_and_told_after(tmp_path: Path) -> None:
    """One line for each difference, in the confirmation and among the warnings."""
    usual = default_policy()
    policy = usual.model_copy(update={"limits": usual.limits.model_copy(update={"processes": 9})})
    outcome, told = confirmed(tmp_path, lambda task: task.model_copy(update={"budget": BudgetSpec(attempts=1)}), policy)
    line = f"Policy of its own, limits.processes: 9 (by default {usual.limits.processes})."

    assert line in told
    assert line in outcome.warnings


def test_another_metric_and_budget_are_taken_over(tmp_path: Path) -> None:
    """As if options had said so."""
    changes = {"metric": MetricSpec(name="log_loss"), "budget": BudgetSpec(attempts=1)}
    outcome, _ = confirmed(tmp_path, lambda task: task.model_copy(update=changes))

    assert (outcome.score.metric, outcome.attempts) == ("log_loss", 1)


@pytest.mark.slow
def test_what_no_option_says_is_taken_over_as_well(tmp_path: Path) -> None:
    """A wish that the person adds holds."""
    changes = {"constraints": Constraints(model_mb=1e-9)}
    outcome, _ = confirmed(tmp_path, lambda task: task.model_copy(update=changes))

    assert outcome.task.constraints.model_mb == 1e-9
    assert outcome.exit_code == 3


def test_another_target_is_judged_like_the_first(tmp_path: Path) -> None:
    """A column of numbers that are all different is no target for a classification."""
    with pytest.raises(InputError, match="no class occurs twice"):
        confirmed(tmp_path, lambda task: task.model_copy(update={"target": "z"}))
    assert not (tmp_path / "run").exists()


def test_no_means_no(tmp_path: Path) -> None:
    """Nothing is run."""
    with pytest.raises(Interrupted, match="nothing was run"):
        confirmed(tmp_path, lambda task: None)
