"""The engine from end to end, with code and sandbox played: what comes of a request, and how it may end."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.agents.run import start_run
from open_autoglm.agents.strategist import Operator, Question, Understanding
from open_autoglm.errors import ApprovalNeeded, InputError
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.tools.task import BudgetSpec

ONE = BudgetSpec(attempts=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A run of two drafts: its folder and its outcome."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, engine.go(folder)


def test_delivers_the_best_of_the_drafts(finished: tuple[Path, Outcome]) -> None:
    """The less noisy draft wins, with a holdout score between its bounds and above the dummy."""
    folder, outcome = finished

    assert outcome.status == "delivered", outcome.warnings
    assert outcome.stop_reason is StopReason.BUDGET_ATTEMPTS
    assert outcome.best_attempt == "a0002"
    assert outcome.score.holdout_low is not None
    assert outcome.score.holdout_low <= outcome.score.holdout <= outcome.score.holdout_high  # type: ignore[operator]  # it has bounds
    assert outcome.baseline.dummy == 0.5
    assert outcome.deliverable is not None
    assert (outcome.deliverable / "manifest.json").is_file()
    assert outcome.exit_code == 0
    assert [a.status for a in engine.attempts(folder, Operator.DRAFT)] == [AttemptStatus.SCORED] * 2


def test_a_run_directory_in_use_is_not_overwritten(finished: tuple[Path, Outcome]) -> None:
    """--out names a folder that is not empty: refused, with the way on."""
    with pytest.raises(InputError, match="autoglm resume"):
        engine.go(finished[0])


def test_reaching_the_target_score_ends_the_search(tmp_path: Path) -> None:
    """The search stops at the first attempt that is good enough."""
    outcome = engine.go(tmp_path, target_score=0.55)

    assert outcome.stop_reason is StopReason.TARGET_REACHED
    assert outcome.attempts == 1


def test_a_missed_target_score_is_a_model_with_a_warning(tmp_path: Path) -> None:
    """Exit code 3: a model, but a wish was not met."""
    outcome = engine.go(tmp_path, target_score=0.9999, budget=ONE)

    assert outcome.status == "delivered_with_warnings"
    assert outcome.exit_code == 3


def test_code_that_never_runs_ends_without_a_model(tmp_path: Path) -> None:
    """Every draft fails, repairs are offered twice, and the outcome says so."""
    repairs = [engine.bundle(9.0), engine.bundle(9.5), None, None]
    writer = engine.strategist(2.0, 0.5, 1.0, repairs=repairs)
    outcome = engine.go(
        tmp_path, engine.Tampered("smoke.fit", engine.fail), writer=writer, budget=BudgetSpec(attempts=3)
    )

    assert outcome.status == "failed"
    assert outcome.deliverable is None
    assert outcome.exit_code in (1, 53)
    assert len(writer.reports) == 4
    assert "it broke" in writer.reports[0].detail


def test_a_model_that_does_not_come_back_the_same_does_not_ship(tmp_path: Path) -> None:
    """Check (a): the favourite's bytes give other predictions the second time; the next candidate wins."""
    outcome = engine.go(tmp_path, engine.Tampered("check-a.predict", engine.flip, attempt="a0002"))

    assert outcome.best_attempt == "a0001"
    assert any("failed a check" in warning for warning in outcome.warnings)


def roll(job: Job, report: ExecutionReport) -> None:
    """Give each row the answer of the row before."""
    for path in job.collect.glob("*.npy"):
        np.save(path, np.roll(np.load(path), 1, axis=0))


def test_predictions_that_depend_on_neighbours_are_refused(tmp_path: Path) -> None:
    """A model whose answer for a row changes with the rows beside it fails in the smoke test."""
    writer = engine.strategist(2.0, repairs=[None])
    engine.go(tmp_path, engine.Tampered("smoke.predict", roll), writer=writer, budget=ONE)
    (failed,) = engine.attempts(tmp_path, Operator.DRAFT)[:1]

    assert failed.status is AttemptStatus.FAILED
    assert "rows beside it" in failed.failure


class Asking(engine.ScriptedStrategist):
    """Has a question about every request."""

    async def understand(self, request: Any, answers: Any) -> Understanding:
        """Ask for the target."""
        question = Question(field="target", text="Which column?", choices=("label", "z"), reason="it is last")
        return Understanding(task=engine.task(), questions=(question,))


def test_a_question_without_anybody_to_answer_needs_approval(tmp_path: Path) -> None:
    """Unattended and without --yes, an open question ends the run with its own exit code."""
    writer = Asking(engine.task(), [engine.bundle(2.0)])
    options = engine.options(tmp_path, yes=False, budget=ONE)

    with pytest.raises(ApprovalNeeded, match="Which column"):
        start_run(options, strategist=writer, sandbox=engine.sandbox())
    assert not (tmp_path / "run").exists(), "a run that came to nothing leaves nothing"
    asked = []

    def answer(question: Question) -> str:
        asked.append(question.text)
        return question.choices[0]

    answered = start_run(options, strategist=writer, sandbox=engine.sandbox(), ask=answer)
    assert asked == ["Which column?"]
    assert answered.task.target == "label"


@pytest.fixture(scope="module")
def in_a_notebook(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, int]:
    """A run from within a loop, as in a notebook: its outcome, and how many threads it left behind."""
    folder = tmp_path_factory.mktemp("notebook")
    before = threading.active_count()

    async def notebook() -> Outcome:
        return engine.go(folder, budget=ONE)

    outcome = asyncio.run(notebook())
    return outcome, threading.active_count() - before


def test_works_inside_a_running_event_loop(in_a_notebook: tuple[Outcome, int]) -> None:
    """A notebook has a loop of its own."""
    assert in_a_notebook[0].status == "delivered"


def test_no_thread_is_left_behind(in_a_notebook: tuple[Outcome, int]) -> None:
    """A run ends all the threads it began."""
    assert in_a_notebook[1] <= 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("x,label\n1,0\n0,1\n", "at least 10"),
        ("x,label\n" + "1,0\n" * 30, "one value only"),
        ("x,label\n" + "1,\n" * 30, "empty"),
    ],
)
def test_a_target_that_teaches_nothing_is_refused(rows: str, said: str, tmp_path: Path) -> None:
    """Too few rows, one class, no labels: one clear line."""
    data = tmp_path / "bad.csv"
    data.write_text(rows)

    with pytest.raises(InputError, match=said):
        engine.go(tmp_path, data=data)
