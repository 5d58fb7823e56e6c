"""What finalise tells of the winner: holdout, baselines, importance, for every kind of task."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.agents import engine

from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.data import split
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec, TaskType

pytestmark = pytest.mark.slow

Change = Callable[[Job, ExecutionReport], None]


def huge(job: Job, report: ExecutionReport) -> None:
    """Predict what no error can be computed of, but only for rows that no fold scored."""
    path = job.collect / "predictions.npy"
    matrix = np.load(path)
    matrix[:20] = 1e200
    np.save(path, matrix)


@pytest.mark.slow
@pytest.mark.parametrize("attempt", ["a0002", "a0001"], ids=["the winner", "the baseline"])
def test_predictions_too_large_to_score_on_the_holdout(attempt: str, tmp_path: Path) -> None:
    """The winner makes way for the next; a linear baseline like that has no figure."""

    class Huge(engine.Played):
        def __call__(self, job: Job) -> ExecutionReport:
            report = super().__call__(job)
            if job.phase in ("scored.predict", "check-a.predict") and job.execution_id.startswith(attempt):
                huge(job, report)
            return report

    bundles = [engine.bundle(2.0, family="linear"), engine.bundle(0.5), engine.bundle(1.0)]
    writer = ScriptedStrategist(engine.a_task(TaskType.REGRESSION, "rmse"), bundles)
    data = engine.table(tmp_path, TaskType.REGRESSION)
    outcome = engine.go(tmp_path, Huge(), data=data, writer=writer, budget=BudgetSpec(attempts=3))

    assert outcome.best_attempt == ("a0001" if attempt == "a0002" else "a0002")
    assert (outcome.baseline.linear is None) == (attempt == "a0001")


@pytest.mark.parametrize(
    ("rows", "options"),
    [(120, {}), pytest.param(640, {"holdout": "none"}, marks=pytest.mark.slow)],
    ids=["tiny", "asked"],
)
def test_without_a_holdout_the_folds_are_all_there_is(rows: int, options: dict[str, Any], tmp_path: Path) -> None:
    """No holdout score, no refit, the baselines on the folds, and diagnostics out of fold."""
    data = engine.table(tmp_path, TaskType.BINARY, rows=rows)
    writer = ScriptedStrategist(engine.task(), [engine.bundle(2.0, family="linear"), engine.bundle(0.5)])
    outcome = engine.go(tmp_path, data=data, writer=writer, **options)
    found = engine.settled(tmp_path)

    assert (outcome.score.holdout, found.holdout_rows, found.shipped) == (None, None, "scored")
    assert outcome.baseline.dummy == 0.5
    assert outcome.baseline.linear is not None
    assert engine.results(tmp_path)["d"] == "skipped"
    story = RunStory.load(tmp_path / "run" / "story.json")
    assert story.diagnostics.rows_from == "folds"
    assert story.diagnostics.importance == ()
    assert story.split.endswith("no holdout.")
    assert len([text for text in outcome.warnings if "cross-validation alone" in text]) == 1


def labelled(folder: Path, **columns: Any) -> Path:
    """Write a labelled test table of 60 rows."""
    frame = engine.frame(60, seed=7).assign(**columns)
    frame.to_csv(folder / "holdout.csv", index=False)
    return folder / "holdout.csv"


def test_a_labelled_test_file_is_the_holdout(tmp_path: Path) -> None:
    """All training rows are for the folds, the test rows earn the score, and nothing is left to refit on."""
    outcome = engine.go(tmp_path, test=labelled(tmp_path))
    found = engine.settled(tmp_path)

    assert found.holdout_rows == 60
    assert outcome.score.holdout is not None
    assert found.shipped == "scored"
    assert "labelled test file" in RunStory.load(tmp_path / "run" / "story.json").split


@pytest.mark.slow
def test_a_test_file_with_other_columns_and_types_is_taken_as_new_rows_are(tmp_path: Path) -> None:
    """A column is missing, another is text, a third is new, and a class is unknown: all said once, and the run ends well."""
    frame = engine.frame(60, seed=7)
    frame["label"] = frame["label"].astype(str)
    frame.loc[:3, "label"] = "neither"
    frame["x"] = frame["x"].map("{} ".format)
    frame.drop(columns="z").assign(new=1).to_csv(tmp_path / "holdout.csv", index=False)
    outcome = engine.go(tmp_path, test=tmp_path / "holdout.csv")

    assert outcome.deliverable is not None
    assert len([text for text in outcome.warnings if "no training row has" in text]) == 1
    assert len([text for text in outcome.warnings if "Missing columns were filled" in text]) == 1
    assert RunStory.load(tmp_path / "run" / "story.json").diagnostics.importance


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        (TaskType.REGRESSION, "rmse"),
        pytest.param(TaskType.MULTICLASS, "log_loss", marks=pytest.mark.slow),
        pytest.param(TaskType.MULTICLASS, "accuracy", marks=pytest.mark.slow),
    ],
)
def test_every_kind_of_task_comes_to_its_end(kind: TaskType, metric: str, tmp_path: Path) -> None:
    """Less noise wins also where less is better, against both baselines, with diagnostics of the kind."""
    bundles = [engine.bundle(2.0, family="linear"), engine.bundle(0.5)]
    writer = ScriptedStrategist(engine.a_task(kind, metric), bundles)
    outcome = engine.go(tmp_path, data=engine.table(tmp_path, kind), writer=writer)
    shown = RunStory.load(tmp_path / "run" / "story.json").diagnostics

    assert outcome.best_attempt == "a0002"
    assert outcome.status == "delivered", outcome.warnings
    assert outcome.baseline.linear is not None
    assert (shown.residuals is None) == kind.is_classification
    assert (shown.confusion is None) != kind.is_classification


@pytest.mark.slow
@pytest.mark.parametrize("change", [engine.fail, engine.spoil])
def test_a_linear_baseline_that_fails_is_left_out(change: Change, tmp_path: Path) -> None:
    """The linear model cannot be fitted on all rows: no figure, and nobody minds."""
    writer = ScriptedStrategist(engine.task(), [engine.bundle(2.0, family="linear"), engine.bundle(0.5)])
    outcome = engine.go(tmp_path, engine.Tampered("scored.predict", change, attempt="a0001"), writer=writer)

    assert outcome.baseline.linear is None
    assert outcome.status == "delivered"


@pytest.mark.slow
def test_a_linear_winner_is_its_own_baseline(tmp_path: Path) -> None:
    """It is not fitted twice."""
    writer = ScriptedStrategist(engine.task(), [engine.bundle(0.5, family="linear")])
    outcome = engine.go(tmp_path, writer=writer)

    assert outcome.baseline.linear == outcome.score.holdout


@pytest.mark.slow
@pytest.mark.parametrize("change", [engine.fail, engine.spoil])
def test_importance_that_cannot_be_measured_is_left_out(change: Change, tmp_path: Path) -> None:
    """The report goes without it; nothing else is lost."""
    outcome = engine.go(tmp_path, engine.Tampered("importance.predict", change))
    story = RunStory.load(tmp_path / "run" / "story.json")

    assert outcome.status == "delivered"
    assert story.diagnostics.importance == ()
    assert story.diagnostics.confusion is not None


@pytest.mark.slow
def test_the_story_counts_executions_by_what_they_ran_in(tmp_path: Path) -> None:
    """As each report says, not as somebody guesses."""
    from open_autoglm.sandbox.report_pb2 import Isolation  # noqa: PLC0415

    def elsewhere(job: Job, report: ExecutionReport) -> None:
        report.isolation.CopyFrom(Isolation(backend="other", tier="walls", isolating=False))

    engine.go(tmp_path, engine.Tampered("smoke.fit", elsewhere))
    found = {wall.backend: wall for wall in RunStory.load(tmp_path / "run" / "story.json").isolation}

    assert found["other"].executions == 2
    assert not found["other"].isolating
    assert found["scripted"].executions > 20


@pytest.mark.slow
def test_a_single_fold_has_an_error_of_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check (c) on one fold allows what chance over the rows explains, not only the very same number."""
    monkeypatch.setattr(split, "default_folds", lambda rows: (1, 1))

    def nudge(job: Job, report: ExecutionReport) -> None:
        path = job.collect / "predictions.npy"
        p = np.load(path)[:, 1]
        p[:2] = 1 - p[:2]
        np.save(path, np.column_stack([1 - p, p]))

    outcome = engine.go(tmp_path, engine.Tampered("check-c.predict", nudge))

    assert outcome.score.cv_se is None
    assert engine.results(tmp_path)["c"] == "passed"
    assert "allowed difference" in engine.settled(tmp_path).checks[2].sentence


def test_a_metric_that_cannot_judge_the_holdout_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """The test file holds negative numbers, which rmsle does not know: said at once, not after an hour."""
    data = engine.table(tmp_path, TaskType.REGRESSION)
    frame = pd.read_csv(data)
    frame["label"] = frame["label"].abs()
    frame.to_csv(data, index=False)
    engine.frame(60, seed=7).assign(label=-1.0).to_csv(tmp_path / "holdout.csv", index=False)
    played = engine.Played()
    writer = ScriptedStrategist(engine.a_task(TaskType.REGRESSION, "rmsle"), [engine.bundle(0.5)])

    from open_autoglm.errors import InputError  # noqa: PLC0415

    with pytest.raises(InputError, match="negative"):
        engine.go(tmp_path, played, data=data, test=tmp_path / "holdout.csv", writer=writer)
    assert played.executed == []
