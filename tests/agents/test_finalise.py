"""Who wins and what ships: each of the four checks failing, no time, no holdout, nothing complete, equals, other seeds."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.agents import engine

from open_autoglm.agents import run as run_module
from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.budget import Budget, StopFlag
from open_autoglm.agents.finalise import settle as settle_module
from open_autoglm.agents.finalise.settle import Settled, settled_in
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.run import resume_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.strategist import Operator
from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.data import split
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec, TaskType

pytestmark = pytest.mark.slow

Change = Callable[[Job, ExecutionReport], None]


def settled(folder: Path) -> Settled:
    with engine.journal(folder) as journal:
        found = settled_in(journal)
    assert found is not None
    return found


def results(folder: Path) -> dict[str, str]:
    """Return what came out of each check, by its letter."""
    checks = settled(folder).checks
    assert [check.letter for check in checks] == ["a", "b", "c", "d"], "each once"
    return {check.letter: check.result for check in checks}


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
    assert set(results(tmp_path).values()) == {"passed"}


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
    found = settled(tmp_path)

    assert found.shipped == "scored"
    assert found.shipped_model == found.scored_model
    assert results(tmp_path)["b"] == "passed"
    assert [text for text in outcome.warnings if text.endswith("So the scored model ships.")]
    assert outcome.status == "delivered_with_warnings"
    model = tmp_path / "run" / "deliverable" / "model" / "model.json"
    assert model.read_bytes() == (tmp_path / "run" / found.scored_model / "model.json").read_bytes()


@pytest.mark.slow
def test_bytes_that_never_answer_the_same_ship_with_a_warning(tmp_path: Path) -> None:
    """Without a refitted model there is nothing to fall back on: the warning is all that can be done."""
    outcome = engine.go(tmp_path, engine.Tampered("check-b.scored.predict", engine.flip), refit=False)

    assert results(tmp_path) == {"a": "passed", "b": "failed", "c": "passed", "d": "skipped"}
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

    assert results(tmp_path)["b"] == "passed"
    assert again.warnings == first.warnings
    assert not [name for name in played.executed[before:] if name.startswith("a0")]


def test_a_refitted_model_that_disagrees_does_not_ship(tmp_path: Path) -> None:
    """Check (d) fails: the scored model ships with a warning."""
    outcome = engine.go(tmp_path, engine.Tampered("shipped.predict", aside))

    assert results(tmp_path)["d"] == "failed"
    assert settled(tmp_path).shipped == "scored"
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

    assert settled(tmp_path).shipped == "scored"
    assert results(tmp_path)["d"] == "skipped"
    assert [text for text in outcome.warnings if "could not be refitted" in text]


@pytest.mark.slow
def test_predictions_right_after_the_fit_that_cannot_be_used_fail_check_b(tmp_path: Path) -> None:
    """What the fitting process said of the stored rows is as hostile as everything else."""
    engine.go(tmp_path, engine.Tampered("shipped.fit", engine.spoil))

    assert settled(tmp_path).shipped == "scored"


def test_a_second_seed_moves_the_score_that_is_shown(tmp_path: Path) -> None:
    """The best two are evaluated once more: the cross-validated score is the mean over both seeds, and says so."""
    outcome = engine.go(tmp_path)
    with engine.journal(tmp_path) as journal:
        again = [attempt for attempt in journal.attempts() if attempt.operator is Operator.RERUN]
        best = journal.attempt("a0002")
    story = RunStory.load(tmp_path / "run" / "story.json")

    assert [(a.parents, a.status) for a in again] == [
        (("a0002",), AttemptStatus.SCORED),
        (("a0001",), AttemptStatus.SCORED),
    ]
    assert outcome.score.cv_mean == pytest.approx(np.mean([best.mean, again[0].mean]))
    assert again[0].mean != best.mean
    assert story.scores.seeds == 2
    assert "and 2 seeds" in (tmp_path / "run" / "deliverable" / "report.html").read_text(encoding="utf-8")
    assert "2 seeds" in (tmp_path / "run" / "deliverable" / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("change", [engine.fail, engine.spoil])
def test_a_failed_rerun_speaks_against_nothing_but_itself(change: Change, tmp_path: Path) -> None:
    """With the other seed the code breaks: the score of the first seed stands."""
    outcome = engine.go(tmp_path, engine.Tampered("fold.predict", change, attempt="a0003"))
    with engine.journal(tmp_path) as journal:
        assert journal.attempt("a0003").status is AttemptStatus.FAILED
        assert outcome.score.cv_mean == journal.attempt("a0002").mean
    assert settled(tmp_path).seeds == 1


@pytest.mark.slow
def test_a_stop_while_the_best_is_rerun_leaves_it_for_later(tmp_path: Path) -> None:
    """Asked to end, finalise goes on without the rerun; with more budget the rerun goes on and no worker takes it for its own."""
    stop = StopFlag()

    def listen(event: Event) -> None:
        if event.kind is EventKind.EXECUTION_FINISHED and event.data["attempt"] == "a0003":
            stop.request()

    first = engine.go(tmp_path, listeners=[listen], stop=stop)
    with engine.journal(tmp_path) as journal:
        assert journal.attempt("a0003").status is AttemptStatus.RUNNING
        assert journal.unfinished(0) is None
    assert first.deliverable is not None
    more = resume_run(
        tmp_path / "run",
        budget=BudgetSpec(attempts=1),
        strategist=engine.strategist(2.0, 0.5, 1.0),
        sandbox=engine.sandbox(),
    )
    with engine.journal(tmp_path) as journal:
        assert journal.attempt("a0003").status is AttemptStatus.SCORED
    assert more.attempts == 3


def sized(best: str) -> engine.Tampered:
    """Play a model ten times larger for the code with that noise."""

    def weigh(job: Job, report: ExecutionReport) -> None:
        large = f'"noise": {best}}}' in job.code["solution.py"]
        report.artefacts.add(path="model/model.json", size_bytes=1000 if large else 100)

    return engine.Tampered("fold.fit", weigh)


def test_of_equals_the_cheaper_one_wins(tmp_path: Path) -> None:
    """The best is better by less than chance explains, and its model is ten times larger."""
    outcome = engine.go(tmp_path, sized("0.5"), writer=engine.strategist(0.5, 0.6))

    assert over_seeds(tmp_path, "a0001") > over_seeds(tmp_path, "a0002")
    assert outcome.best_attempt == "a0002"


def over_seeds(folder: Path, name: str) -> float:
    """Return the mean score of an attempt and its rerun."""
    with engine.journal(folder) as journal:
        first, again = journal.attempt(name).mean, journal.rerun_of(name)
    assert first is not None
    assert again is not None
    assert again.mean is not None
    return (first + again.mean) / 2


@pytest.mark.slow
def test_a_cheaper_one_that_misses_the_wished_score_does_not_win(tmp_path: Path) -> None:
    """Among equals only those that reach what was wished for may be preferred for their price."""
    wished = 0.828
    outcome = engine.go(tmp_path, sized("0.5"), writer=engine.strategist(0.5, 0.6), target_score=wished)

    assert over_seeds(tmp_path, "a0001") > wished > over_seeds(tmp_path, "a0002")
    assert (outcome.best_attempt, outcome.unmet) == ("a0001", [])


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
    found = settled(tmp_path)

    assert (outcome.score.holdout, found.holdout_rows, found.shipped) == (None, None, "scored")
    assert outcome.baseline.dummy == 0.5
    assert outcome.baseline.linear is not None
    assert results(tmp_path)["d"] == "skipped"
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
    found = settled(tmp_path)

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


# --- under a budget in seconds -------------------------------------------------------------------------------------


def timed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cost: Callable[[Job], float], *, budget: float, **more: Any
) -> tuple[Outcome, engine.Clock, engine.Timed]:
    """Run on a clock of the test's; return how it stands at the end and what was executed."""
    clock = engine.Clock()
    played = engine.Timed(clock, cost)
    monkeypatch.setattr(run_module, "Budget", partial(Budget, clock=clock))
    outcome = engine.go(folder, played, budget=BudgetSpec(seconds=budget), **more)
    return outcome, clock, played


def costs(**by_phase: float) -> Callable[[Job], float]:
    """Return what each phase takes; others take no time."""
    table = {name.replace("_", "."): seconds for name, seconds in by_phase.items()}
    return lambda job: table.get(job.phase, 0.01)


def test_a_refit_is_left_out_where_time_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fit on all rows took nearly all the time: neither (c) nor the refit begins, and the scored model ships."""
    cost = costs(fold_fit=3.0, scored_fit=26.0)
    outcome, clock, played = timed(tmp_path, monkeypatch, cost, budget=60)

    assert results(tmp_path)["c"] == "skipped"
    assert settled(tmp_path).shipped == "scored"
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
    outcome, clock, _ = timed(tmp_path, monkeypatch, cost, budget=60, writer=writer)

    assert outcome.best_attempt == "a0001"
    assert [text for text in outcome.warnings if "could not be fitted on all rows" in text]
    assert clock.now - 1000 <= 60 + 5


@pytest.mark.slow
def test_a_slow_rerun_never_breaks_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the other seed the code hangs: it is killed after a few times what it took before."""

    def cost(job: Job) -> float:
        return 1e6 if job.execution_id.startswith("a0003-fold") else 0.05

    outcome, clock, _ = timed(tmp_path, monkeypatch, cost, budget=60, writer=engine.strategist(2.0, 0.5))

    assert outcome.best_attempt == "a0002"
    assert clock.now - 1000 < 30


def test_incomplete_attempts_are_better_than_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time sufficed for some folds of one attempt: it is delivered, and the warning says on what it rests."""
    outcome, clock, _ = timed(tmp_path, monkeypatch, costs(fold_fit=5.0, scored_fit=7.0), budget=25)

    assert outcome.stop_reason is StopReason.BUDGET_SECONDS
    assert outcome.score.cv_mean is None
    assert outcome.score.holdout is not None
    assert [text for text in outcome.warnings if "No attempt was finished on all folds" in text]
    assert clock.now - 1000 <= 30 + 5


def test_nothing_at_all_ends_with_53(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fold ends in time: no model, the budget's reason, and the budget's exit code."""
    writer = engine.strategist(2.0, 0.5, 1.0, 1.5)
    outcome, clock, _ = timed(tmp_path, monkeypatch, costs(fold_fit=1e6), budget=20, writer=writer)

    assert (outcome.deliverable, outcome.exit_code) == (None, 53)
    assert outcome.stop_reason is StopReason.BUDGET_SECONDS
    assert clock.now - 1000 <= 20 + 5


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
    assert results(tmp_path)["c"] == "passed"
    assert "allowed difference" in settled(tmp_path).checks[2].sentence


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


@pytest.mark.slow
def test_a_slow_linear_baseline_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take most of the time that is left."""

    def cost(job: Job) -> float:
        linear = '"noise": 2.0' in job.code["solution.py"]
        return {"scored.fit": 26.0, "fold.fit": 5.0 if linear else 0.1}.get(job.phase, 0.01)

    writer = ScriptedStrategist(engine.task(), [engine.bundle(0.5), engine.bundle(2.0, family="linear")])
    outcome, _, _ = timed(tmp_path, monkeypatch, cost, budget=60, writer=writer)

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

    outcome, clock, _ = timed(tmp_path, monkeypatch, cost, budget=60, writer=engine.strategist(0.5, 0.25, 0.2))

    assert outcome.best_attempt == "a0001"
    assert [text for text in outcome.warnings if "no time left to fit it on all rows" in text]
    assert clock.now - 1000 <= 60 + 5
