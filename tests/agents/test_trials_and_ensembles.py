"""Trials of one bundle with other PARAMS, and ensembles of what was found."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.nodes import writing
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.strategist import Operator
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec, TaskType
from open_autoglm.tools.tuning import Choice, Float, Space

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A run of one draft and five trials of it, one of which is better."""
    folder = tmp_path_factory.mktemp("tuned")
    space = Space(dimensions={"noise": Float(low=0.1, high=1.5)})
    writer = engine.strategist(2.0, space=space)
    return folder, engine.go(folder, writer=writer, budget=BudgetSpec(attempts=6))


def test_a_trial_is_an_attempt_of_the_same_code_with_other_params(tuned: tuple[Path, Outcome]) -> None:
    """Each trial has the bundle of its parent and PARAMS of its own; the best of them wins."""
    folder, outcome = tuned
    trials = engine.attempts(folder, Operator.TUNE)
    winner = next(trial for trial in trials if trial.id == outcome.best_attempt)

    assert len(trials) == 5
    assert {trial.bundle for trial in trials} == {engine.attempts(folder)[0].bundle}
    assert len({json.dumps(trial.params) for trial in trials}) == 5
    assert winner.params is not None


def test_a_trials_params_reach_the_deliverable(tuned: tuple[Path, Outcome]) -> None:
    """The delivered file has the winning PARAMS as its literal: it needs nobody to tell it."""
    folder, outcome = tuned
    params = next(trial.params for trial in engine.attempts(folder) if trial.id == outcome.best_attempt)
    source = (folder / "run" / "deliverable" / "solution.py").read_text(encoding="utf-8")
    delivered: dict[str, Any] = {}
    exec(compile(source, "solution.py", "exec"), delivered)  # the code of this test

    assert delivered["PARAMS"] == params


@pytest.mark.slow
def test_a_trial_that_was_made_before_ends_the_tuning(tmp_path: Path) -> None:
    """A space of two points: the second is tried, then there is nothing left, and the search has converged."""
    space = Space(dimensions={"noise": Choice(options=[2.0, 0.5])})
    outcome = engine.go(tmp_path, writer=engine.strategist(2.0, space=space), budget=BudgetSpec(attempts=9))

    assert outcome.stop_reason is StopReason.CONVERGED
    assert [trial.status for trial in engine.attempts(tmp_path, Operator.TUNE)][-1] is AttemptStatus.EMPTY


def merging(*noises: float) -> engine.Merging:
    return engine.Merging(engine.task(), [engine.bundle(noise) for noise in noises])


def test_an_ensemble_wins_by_its_cross_fitted_score(tmp_path: Path) -> None:
    """It is never executed on folds, is scored from its members' predictions, wins, and the story names the members."""
    played = engine.Played()
    outcome = engine.go(tmp_path, played, writer=merging(0.8, 1.1), budget=BudgetSpec(attempts=3))
    merged = engine.attempts(tmp_path, Operator.MERGE)[0]
    story = RunStory.load(tmp_path / "run" / "story.json")

    assert merged.status is AttemptStatus.SCORED
    assert outcome.best_attempt == merged.id
    assert not [name for name in played.executed if name.startswith(f"{merged.id}-fold")]
    assert not [a for a in engine.attempts(tmp_path, Operator.RERUN) if a.parents == (merged.id,)]
    assert sum(member.weight for member in story.ensemble) == pytest.approx(1.0)
    assert {member.attempt_id for member in story.ensemble} == {"a0001", "a0002"}


@pytest.mark.slow
def test_repeated_cross_validation_scores_each_repeat_by_itself(tmp_path: Path) -> None:
    """On tiny data an ensemble has as many fold scores as everybody else."""
    data = engine.table(tmp_path, TaskType.BINARY, rows=120)
    engine.go(tmp_path, data=data, writer=merging(0.8, 1.1), budget=BudgetSpec(attempts=3))
    merged, single = engine.attempts(tmp_path, Operator.MERGE)[0], engine.attempts(tmp_path)[0]

    assert merged.status is AttemptStatus.SCORED
    assert len(merged.fold_scores) == len(single.fold_scores) == 15


@pytest.mark.slow
def test_a_single_fold_is_cut_in_two_for_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one fold an ensemble is scored too, and passes the check that executes it."""
    from open_autoglm.tools.data import split  # noqa: PLC0415

    monkeypatch.setattr(split, "default_folds", lambda rows: (1, 1))
    outcome = engine.go(tmp_path, writer=merging(0.8, 1.1), budget=BudgetSpec(attempts=3))
    merged = engine.attempts(tmp_path, Operator.MERGE)[0]

    assert len(merged.fold_scores) == 1
    assert outcome.best_attempt == merged.id


@pytest.mark.slow
def test_the_same_ensemble_is_not_made_twice(tmp_path: Path) -> None:
    """New attempts that no ensemble wants lead to the same members and weights: no attempt is spent on that."""
    writer = merging(0.8, 1.1, 30.0, 31.0, 32.0, 33.0, 34.0, 35.0, 36.0)
    engine.go(tmp_path, writer=writer, budget=BudgetSpec(attempts=10))
    made = [a for a in engine.attempts(tmp_path, Operator.MERGE) if a.status is AttemptStatus.SCORED]

    assert len({a.bundle for a in made}) == len(made)


@pytest.mark.slow
def test_only_members_that_can_be_fitted_in_time_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitting both members three times would take the whole budget: there is no ensemble."""
    monkeypatch.setattr(writing, "ENSEMBLE_FIT_SHARE", 0.01)
    engine.on_a_clock(
        tmp_path, monkeypatch, lambda job: 1.0 if job.phase == "fold.fit" else 0.01, writer=merging(0.8, 1.1),
        budget=BudgetSpec(seconds=100, attempts=3),
    )  # fmt: skip

    assert {a.status for a in engine.attempts(tmp_path, Operator.MERGE)} == {AttemptStatus.EMPTY}
