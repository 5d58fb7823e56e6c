"""The four checks before delivery: whatever goes wrong, what ships has passed them, or says that it has not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.agents import engine

from open_autoglm.agents.run import resume_run
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport

pytestmark = pytest.mark.slow

Change = Callable[[Job, ExecutionReport], None]


def aside(job: Job, report: ExecutionReport) -> None:
    """Predict what no fold's model would."""
    for path in job.collect.glob("*.npy"):
        np.save(path, np.full_like(np.load(path), 0.5))


def decide(job: Job, report: ExecutionReport) -> None:
    """Add a column of decisions."""
    for path in job.collect.glob("*.npy"):
        matrix = np.load(path)
        np.save(path, np.column_stack([matrix, matrix.argmax(axis=1)]))


def lose(job: Job, report: ExecutionReport) -> None:
    """Leave nothing."""
    for path in job.collect.glob("*.npy"):
        path.unlink()


@pytest.mark.parametrize(
    ("phase", "change", "said"),
    [
        ("scored.fit", engine.fail, "could not be fitted on all rows"),
        pytest.param("scored.predict", engine.fail, "could not be fitted on all rows", marks=pytest.mark.slow),
        pytest.param("scored.predict", engine.spoil, "predictions cannot be used", marks=pytest.mark.slow),
        ("check-a.predict", engine.flip, "does not give the graded predictions back"),
        pytest.param("check-a.predict", decide, "does not give the graded predictions back", marks=pytest.mark.slow),
        pytest.param("check-a.predict", engine.fail, "could not predict again: it broke", marks=pytest.mark.slow),
        pytest.param("check-a.predict", engine.spoil, "cannot be used", marks=pytest.mark.slow),
        pytest.param("check-c.fit", engine.fail, "Fitted anew, the code failed: it broke", marks=pytest.mark.slow),
        pytest.param("check-c.predict", engine.fail, "Fitted anew, the model failed: it broke", marks=pytest.mark.slow),
        pytest.param(
            "check-c.predict", engine.spoil, "Fitted anew, the predictions cannot be used", marks=pytest.mark.slow
        ),
        ("check-c.predict", engine.flip, "Fitted anew on the first fold, the code scores"),
    ],
)
def test_a_favourite_that_fails_makes_way_for_the_next(phase: str, change: Change, said: str, tmp_path: Path) -> None:
    """Whatever goes wrong with the best until it is fitted and checked, the second is delivered, and the reason is told."""
    outcome = engine.go(tmp_path, engine.Tampered(phase, change, attempt="a0002"))

    assert outcome.best_attempt == "a0001"
    assert outcome.status == "delivered_with_warnings"
    assert outcome.exit_code == 0
    assert [text for text in outcome.warnings if said in text], outcome.warnings
    assert set(engine.results(tmp_path).values()) == {"passed"}


def test_why_nothing_ships_is_told(tmp_path: Path) -> None:
    """Both candidates fail a check: no model, and each reason once."""
    outcome = engine.go(tmp_path, engine.Tampered("check-a.predict", engine.flip))

    assert (outcome.status, outcome.deliverable, outcome.exit_code) == ("failed", None, 53)
    assert len([text for text in outcome.warnings if "failed a check" in text]) == 2
    again = resume_run(tmp_path / "run", strategist=engine.strategist(2.0, 0.5), sandbox=engine.sandbox())
    assert (again.status, again.warnings) == (outcome.status, outcome.warnings)


@pytest.mark.parametrize(
    "change",
    [
        engine.flip,
        pytest.param(engine.fail, marks=pytest.mark.slow),
        pytest.param(engine.spoil, marks=pytest.mark.slow),
    ],
)
def test_shipped_bytes_that_answer_otherwise_are_replaced_by_the_scored_model(change: Change, tmp_path: Path) -> None:
    """Check (b) fails: the scored model ships, is checked itself, and the warning says why."""
    outcome = engine.go(tmp_path, engine.Tampered("check-b.shipped.predict", change))
    found = engine.settled(tmp_path)

    assert found.shipped == "scored"
    assert found.shipped_model == found.scored_model
    assert engine.results(tmp_path)["b"] == "passed"
    assert [text for text in outcome.warnings if text.endswith("So the scored model ships.")]
    assert outcome.status == "delivered_with_warnings"
    model = tmp_path / "run" / "deliverable" / "model" / "model.json"
    assert model.read_bytes() == (tmp_path / "run" / found.scored_model / "model.json").read_bytes()


@pytest.mark.slow
def test_bytes_that_never_answer_the_same_ship_with_a_warning(tmp_path: Path) -> None:
    """Without a refitted model there is nothing to fall back on: the warning is all that can be done."""
    outcome = engine.go(tmp_path, engine.Tampered("check-b.scored.predict", engine.flip), refit=False)

    assert engine.results(tmp_path) == {"a": "passed", "b": "failed", "c": "passed", "d": "skipped"}
    assert outcome.deliverable is not None
    assert [text for text in outcome.warnings if "does not answer" in text]


@pytest.mark.slow
def test_a_kill_between_the_two_records_of_an_export_repeats_nothing(tmp_path: Path) -> None:
    """The export is made anew from what was settled: each check and each warning still stands there once."""
    played = engine.Tampered("check-b.shipped.predict", engine.flip)
    first = engine.go(tmp_path, played)
    before = len(played.executed)
    with engine.journal(tmp_path) as journal:
        journal.forget_stages(["export", "explain", "report"])
    again = resume_run(tmp_path / "run", strategist=engine.strategist(2.0, 0.5), sandbox=engine.sandbox(played))

    assert engine.results(tmp_path)["b"] == "passed"
    assert again.warnings == first.warnings
    assert not [name for name in played.executed[before:] if name.startswith("a0")]


def test_a_refitted_model_that_disagrees_does_not_ship(tmp_path: Path) -> None:
    """Check (d) fails: the scored model ships with a warning."""
    outcome = engine.go(tmp_path, engine.Tampered("shipped.predict", aside))

    assert engine.results(tmp_path)["d"] == "failed"
    assert engine.settled(tmp_path).shipped == "scored"
    assert [text for text in outcome.warnings if "differs from the scored one" in text and "scored model ships" in text]


@pytest.mark.parametrize(
    ("phase", "change"),
    [
        ("shipped.fit", engine.fail),
        pytest.param("shipped.fit", lose, marks=pytest.mark.slow),
        pytest.param("shipped.predict", engine.fail, marks=pytest.mark.slow),
        pytest.param("shipped.predict", engine.spoil, marks=pytest.mark.slow),
    ],
)
def test_a_refit_that_fails_leaves_the_scored_model(phase: str, change: Change, tmp_path: Path) -> None:
    """The model could not be refitted on all rows: the scored one ships, and that is said."""
    outcome = engine.go(tmp_path, engine.Tampered(phase, change))

    assert engine.settled(tmp_path).shipped == "scored"
    assert engine.results(tmp_path)["d"] == "skipped"
    assert [text for text in outcome.warnings if "could not be refitted" in text]


@pytest.mark.slow
def test_predictions_right_after_the_fit_that_cannot_be_used_fail_check_b(tmp_path: Path) -> None:
    """What the fitting process said of the stored rows is as hostile as everything else."""
    engine.go(tmp_path, engine.Tampered("shipped.fit", engine.spoil))

    assert engine.settled(tmp_path).shipped == "scored"
