"""Who wins: other seeds, equals, what is cheaper to predict, and wishes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.budget import StopFlag
from open_autoglm.agents.run import resume_run
from open_autoglm.agents.strategist import Operator
from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec

pytestmark = pytest.mark.slow

Change = Callable[[Job, ExecutionReport], None]


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
    assert engine.settled(tmp_path).seeds == 1


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
