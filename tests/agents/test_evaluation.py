"""What is executed is recorded, whoever executes it."""

from pathlib import Path

from tests.agents import engine

from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport


class Phases(engine.Played):
    """Plays jobs and keeps the phase of each."""

    def __init__(self) -> None:
        super().__init__()
        self.phases: list[str] = []

    def __call__(self, job: Job) -> ExecutionReport:
        self.phases.append(job.phase)
        return super().__call__(job)


def test_every_job_of_a_run_is_in_its_journal_and_among_its_events(tmp_path: Path) -> None:
    """Also what export executes, such as the notebook: nothing runs in the sandbox that nobody can look up."""
    played = Phases()
    told: list[str] = []

    def listen(event: Event) -> None:
        if event.kind is EventKind.EXECUTION_FINISHED:
            told.append(str(event.data["phase"]))

    engine.go(tmp_path, played, listeners=[listen])
    with engine.journal(tmp_path) as journal:
        recorded = [execution.phase for attempt in journal.attempts() for execution in journal.executions(attempt.id)]
    assert "notebook" in played.phases
    assert sorted(recorded) == sorted(played.phases) == sorted(told)
