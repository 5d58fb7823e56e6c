"""Wishes for a fast or a small model: measured where somebody asked, preferred when the winner is named, told when missed."""

from functools import partial
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents import run as run_module
from open_autoglm.agents.budget import Budget
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec, TaskType

pytestmark = pytest.mark.slow


class Weighed(engine.Played):
    """Plays models of a size, each row of which takes a time; `slow` says which code is the slow and large one."""

    def __init__(self, *, milliseconds: float, start: float = 0.5, megabytes: float = 0.0) -> None:
        super().__init__()
        self._milliseconds, self._start, self._megabytes = milliseconds, start, megabytes

    def __call__(self, job: Job) -> ExecutionReport:
        report = super().__call__(job)
        best = "0.5}" in job.code["solution.py"]
        batches = job.context.get("batches")
        if job.call == "predict" and isinstance(batches, list):
            each = self._milliseconds if best else 0.1
            report.claimed_seconds["call"] = self._start + (len(batches) - 1) * each / 1000
        if job.call == "fit" and best:
            (job.collect / "model" / "trees.bin").write_bytes(bytes(int(self._megabytes * 1e6)))
        return report


def wishing(*noises: float, **constraints: float) -> ScriptedStrategist:
    task = engine.a_task(TaskType.BINARY, "roc_auc", constraints=constraints)
    return ScriptedStrategist(task, [engine.bundle(noise) for noise in noises])


def wished(folder: Path, played: engine.Played, *noises: float, latency_ms: float = 0, model_mb: float = 0) -> Outcome:
    constraints = {name: value for name, value in (("latency_ms", latency_ms), ("model_mb", model_mb)) if value}
    return engine.go(folder, played, writer=wishing(*noises, **constraints), budget=BudgetSpec(attempts=len(noises)))


@pytest.mark.slow
def test_nobody_measures_what_nobody_asked(tmp_path: Path) -> None:
    """Without a wish there is no such execution, and no figure."""
    played = Weighed(milliseconds=50.0)
    engine.go(tmp_path, played)

    assert not [name for name in played.executed if "latency" in name]
    assert RunStory.load(tmp_path / "run" / "story.json").latency_ms is None


def test_a_fast_model_is_preferred_to_a_better_one(tmp_path: Path) -> None:
    """The best takes 50 ms a row, 5 were wished for: the next that keeps to it is delivered, and no wish is unmet."""
    outcome = wished(tmp_path, Weighed(milliseconds=50.0), 2.0, 0.5, latency_ms=5.0)
    story = RunStory.load(tmp_path / "run" / "story.json")

    assert outcome.best_attempt == "a0001"
    assert (outcome.unmet, outcome.exit_code) == ([], 0)
    assert story.latency_ms == pytest.approx(0.1, rel=0.01)
    assert "measured inside the sandbox" in (tmp_path / "run" / "deliverable" / "report.html").read_text(
        encoding="utf-8"
    )


@pytest.mark.slow
def test_the_time_to_warm_up_is_nobodys_latency(tmp_path: Path) -> None:
    """Half a second for the first row says nothing about those after it."""
    outcome = wished(tmp_path, Weighed(milliseconds=2.0), 2.0, 0.5, latency_ms=5.0)

    assert outcome.best_attempt == "a0002"
    assert outcome.unmet == []


def test_where_no_model_is_fast_enough_the_best_ships_and_the_wish_is_unmet(tmp_path: Path) -> None:
    """Exit code 3, with the figure and where it comes from."""
    outcome = wished(tmp_path, Weighed(milliseconds=50.0), 2.0, 0.5, latency_ms=0.05)

    assert outcome.best_attempt == "a0002"
    assert outcome.exit_code == 3
    assert outcome.unmet == [
        "One row takes 50.0 ms to predict, as measured inside the sandbox; 0.05 ms were wished for."
    ]
    assert RunStory.load(tmp_path / "run" / "story.json").unmet == tuple(outcome.unmet)


def test_a_small_model_is_preferred_to_a_better_one(tmp_path: Path) -> None:
    """The size counts as the files lie on the disk."""
    outcome = wished(tmp_path, Weighed(milliseconds=0.0, megabytes=2.0), 2.0, 0.5, model_mb=1.0)

    assert outcome.best_attempt == "a0001"
    assert outcome.unmet == []


@pytest.mark.slow
def test_where_no_model_is_small_enough_the_wish_is_unmet(tmp_path: Path) -> None:
    """One model, too large."""
    outcome = wished(tmp_path, Weighed(milliseconds=0.0, megabytes=2.0), 0.5, model_mb=1.0)

    assert outcome.unmet == ["The model takes 2.00 MB; 1 MB were wished for."]
    assert outcome.exit_code == 3


@pytest.mark.slow
def test_folds_that_are_too_large_already_need_no_fit(tmp_path: Path) -> None:
    """A model that was too large on fewer rows is fitted on all of them only where nothing else is left."""

    def large(job: Job, report: ExecutionReport) -> None:
        if "0.5}" in job.code["solution.py"]:
            report.artefacts.add(path="model/trees.bin", size_bytes=2_000_000)

    played = engine.Tampered("fold.fit", large)
    outcome = wished(tmp_path, played, 2.0, 0.5, model_mb=1.0)

    assert outcome.best_attempt == "a0001"
    assert not [name for name in played.executed if name.startswith("a0002-scored")]


@pytest.mark.slow
def test_what_cannot_be_measured_is_unmet(tmp_path: Path) -> None:
    """The executions that measure break: the model ships, and nobody claims that it is fast."""
    outcome = wished(tmp_path, engine.Tampered("latency.predict", engine.fail), 0.5, latency_ms=5.0)

    assert outcome.unmet == ["How long one row takes could not be measured; 5 ms were wished for."]


@pytest.mark.slow
def test_predictions_that_cannot_be_used_are_no_matter_of_wishes(tmp_path: Path) -> None:
    """The favourite breaks its contract: it is named as such, and the next one wins."""
    played = engine.Tampered("scored.predict", engine.spoil, attempt="a0002")
    outcome = wished(tmp_path, played, 2.0, 0.5, model_mb=1.0)

    assert outcome.best_attempt == "a0001"
    assert [text for text in outcome.warnings if "its predictions cannot be used" in text]


@pytest.mark.slow
def test_no_candidate_is_fitted_for_a_wish_where_time_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits take most of what is left: one candidate is fitted, not all of them."""
    clock = engine.Clock()

    def cost(job: Job) -> float:
        batches = job.context.get("batches")
        each = len(batches) if isinstance(batches, list) else 1
        return {"fold.fit": 2.0, "scored.fit": 26.0}.get(job.phase, 0.01 * each)

    monkeypatch.setattr(run_module, "Budget", partial(Budget, clock=clock))
    played = engine.Timed(clock, cost)
    writer = wishing(2.0, 0.5, 1.0, latency_ms=0.001)
    outcome = engine.go(tmp_path, played, writer=writer, budget=BudgetSpec(seconds=60))

    assert outcome.exit_code == 3
    assert len([name for name in played.executed if "scored.fit" in name]) <= 2
    assert clock.now - 1000 <= 60 + 5
