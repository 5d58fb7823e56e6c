"""Finalise under a budget in seconds: what is left out, who is passed over, and that the deadline holds."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.agents import engine

from open_autoglm.agents.finalise import settle as settle_module
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.data import split
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec, TaskType

pytestmark = pytest.mark.slow

Change = Callable[[Job, ExecutionReport], None]


def costs(**by_phase: float) -> Callable[[Job], float]:
    """Return what each phase takes; others take no time."""
    table = {name.replace("_", "."): seconds for name, seconds in by_phase.items()}
    return lambda job: table.get(job.phase, 0.01)


def test_a_refit_is_left_out_where_time_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fit on all rows took nearly all the time: neither (c) nor the refit begins, and the scored model ships."""
    cost = costs(fold_fit=3.0, scored_fit=26.0)
    outcome, clock, played = engine.on_a_clock(tmp_path, monkeypatch, cost, budget=BudgetSpec(seconds=60))

    assert engine.results(tmp_path)["c"] == "skipped"
    assert engine.settled(tmp_path).shipped == "scored"
    assert [text for text in outcome.warnings if "No time was left to refit" in text]
    assert clock.now - 1000 <= 60 + 5
    assert not [name for name in played.executed if "shipped.fit" in name]


def test_a_favourite_too_slow_for_all_rows_leaves_time_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fit on all rows never ends; it is killed early enough for the cheap one, and the run is not empty-handed."""

    def cost(job: Job) -> float:
        slow = "0.5}" in job.code["solution.py"]
        if job.phase == "scored.fit" and slow:
            return 1e6
        return {"fold.fit": 3.0 if slow else 0.5, "scored.fit": 1.0}.get(job.phase, 0.01)

    writer = engine.strategist(2.0, 0.5)
    outcome, clock, _ = engine.on_a_clock(tmp_path, monkeypatch, cost, budget=BudgetSpec(seconds=60), writer=writer)

    assert outcome.best_attempt == "a0001"
    assert [text for text in outcome.warnings if "could not be fitted on all rows" in text]
    assert clock.now - 1000 <= 60 + 5


@pytest.mark.slow
def test_a_slow_rerun_never_breaks_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the other seed the code hangs: it is killed after a few times what it took before."""

    def cost(job: Job) -> float:
        return 1e6 if job.execution_id.startswith("a0003-fold") else 0.05

    outcome, clock, _ = engine.on_a_clock(
        tmp_path, monkeypatch, cost, budget=BudgetSpec(seconds=60), writer=engine.strategist(2.0, 0.5)
    )

    assert outcome.best_attempt == "a0002"
    assert clock.now - 1000 < 30


def test_incomplete_attempts_are_better_than_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time sufficed for some folds of one attempt: it is delivered, and the warning says on what it rests."""
    outcome, clock, _ = engine.on_a_clock(
        tmp_path, monkeypatch, costs(fold_fit=5.0, scored_fit=7.0), budget=BudgetSpec(seconds=25)
    )

    assert outcome.stop_reason is StopReason.BUDGET_SECONDS
    assert outcome.score.cv_mean is None
    assert outcome.score.holdout is not None
    assert [text for text in outcome.warnings if "No attempt was finished on all folds" in text]
    assert clock.now - 1000 <= 30 + 5


def test_nothing_at_all_ends_with_53(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fold ends in time: no model, the budget's reason, and the budget's exit code."""
    writer = engine.strategist(2.0, 0.5, 1.0, 1.5)
    outcome, clock, _ = engine.on_a_clock(
        tmp_path, monkeypatch, costs(fold_fit=1e6), budget=BudgetSpec(seconds=20), writer=writer
    )

    assert (outcome.deliverable, outcome.exit_code) == (None, 53)
    assert outcome.stop_reason is StopReason.BUDGET_SECONDS
    assert clock.now - 1000 <= 20 + 5


@pytest.mark.slow
def test_a_slow_linear_baseline_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take most of the time that is left."""

    def cost(job: Job) -> float:
        linear = '"noise": 2.0' in job.code["solution.py"]
        return {"scored.fit": 26.0, "fold.fit": 5.0 if linear else 0.1}.get(job.phase, 0.01)

    writer = ScriptedStrategist(engine.task(), [engine.bundle(0.5), engine.bundle(2.0, family="linear")])
    outcome, _, _ = engine.on_a_clock(tmp_path, monkeypatch, cost, budget=BudgetSpec(seconds=60), writer=writer)

    assert outcome.best_attempt == "a0001"
    assert outcome.baseline.linear is None


@pytest.mark.slow
def test_an_ensemble_without_holdout_and_time_has_no_diagnostics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was executed on no fold: there are no honest predictions to look at."""
    monkeypatch.setattr(settle_module, "CHECK_SHARE", 0.0)
    writer = engine.Merging(engine.task(), [engine.bundle(0.8), engine.bundle(1.1)])
    budget = BudgetSpec(seconds=60, attempts=3)
    outcome = engine.go(tmp_path, engine.Tampered("fold.fit", slow), writer=writer, holdout="none", budget=budget)

    assert outcome.best_attempt == "a0003"
    assert RunStory.load(tmp_path / "run" / "story.json").diagnostics.confusion is None


def slow(job: Job, report: ExecutionReport) -> None:
    """Say that it took a while."""
    report.wall_seconds = 0.2


@pytest.mark.slow
def test_a_candidate_that_cannot_be_fitted_in_time_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The favourite ate the time and failed; what is left is less than a fold of the second took: the cheap third ships."""
    monkeypatch.setattr(split, "default_folds", lambda rows: (2, 1))

    def cost(job: Job) -> float:
        if job.execution_id == "a0003-check-a.predict-0":
            return 1e6
        heavy = '"noise": 0.25' in job.code["solution.py"]
        return 11.0 if heavy and job.phase == "fold.fit" else 0.01

    outcome, clock, _ = engine.on_a_clock(
        tmp_path, monkeypatch, cost, budget=BudgetSpec(seconds=60), writer=engine.strategist(0.5, 0.25, 0.2)
    )

    assert outcome.best_attempt == "a0001"
    assert [text for text in outcome.warnings if "no time left to fit it on all rows" in text]
    assert clock.now - 1000 <= 60 + 5


def test_a_first_model_learns_from_as_many_rows_as_surely_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows would take longer than the budget: a part of them gives a model, scored by the host, and a warning says so."""
    data = engine.table(tmp_path, TaskType.BINARY, rows=20_000)

    def cost(job: Job) -> float:
        rows = len(pd.read_parquet(job.inputs["train"])) if job.call == "fit" else 0
        return 0.05 + 0.002 * rows

    writer = engine.strategist(0.5)
    outcome, clock, played = engine.on_a_clock(
        tmp_path, monkeypatch, cost, budget=BudgetSpec(seconds=20), writer=writer, data=data
    )

    assert outcome.exit_code == 0
    assert outcome.score.holdout is not None
    assert [text for text in outcome.warnings if "To have a model in time, each fold learned from" in text]
    assert clock.now - 1000 <= 20 + 5
    assert len([name for name in played.executed if "fold.fit" in name]) >= 1


def test_a_check_that_had_no_time_is_skipped_and_not_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scored model predicted in ten seconds; the second time there are fewer left: that says nothing against it."""
    slow = {"fold.fit": 1.0, "scored.predict": 17.0, "check-a.predict": 17.0}
    outcome, _, _ = engine.on_a_clock(
        tmp_path, monkeypatch, lambda job: slow.get(job.phase, 0.01), budget=BudgetSpec(seconds=40)
    )

    assert outcome.exit_code == 0
    assert engine.results(tmp_path)["a"] == "skipped"
