"""The fake: answers from a script, runs nothing, and fails loudly when it is asked for more."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from open_autoglm.errors import SandboxError, ScriptExhausted
from open_autoglm.sandbox.base import CellResult, Job, Limits, Profile, Readiness
from open_autoglm.sandbox.report import SCHEMA_VERSION, ExecutionReport, Status
from open_autoglm.sandbox.report_pb2 import Artefact, Isolation

Answer = ExecutionReport | SandboxError | Callable[[Job], ExecutionReport]
"""A report, an error to raise, or a function of the job that may also write artefacts into `job.collect`."""


@dataclass(slots=True)
class ScriptedKernel:
    """Gives the next result for every cell."""

    results: list[CellResult]
    codes: list[str] = field(default_factory=list)
    """What was asked, in order."""
    interrupted: int = 0
    restarted: int = 0
    closed: bool = False

    def execute(self, code: str, *, timeout_seconds: float = 60.0) -> CellResult:
        """Give the next result.

        Raises:
            ScriptExhausted: There is none left.
            SandboxError: It is closed.
        """
        if self.closed:
            raise SandboxError("The kernel is closed.")
        self.codes.append(code)
        if not self.results:
            raise ScriptExhausted(f"no result left for cell {len(self.codes)}: {code[:60]!r}")
        return self.results.pop(0)

    def interrupt(self) -> None:
        """Count the call."""
        self.interrupted += 1

    def restart(self) -> None:
        """Count the call."""
        self.restarted += 1

    def close(self) -> ExecutionReport:
        """Refuse further cells."""
        self.closed = True
        return ExecutionReport(schema_version=SCHEMA_VERSION, phase="kernel", status=Status.STATUS_OK)


@dataclass(slots=True)
class ScriptedSession:
    """Gives the next answer for every job. A single function instead of answers is asked again and again."""

    answers: list[Answer] | Callable[[Job], ExecutionReport]
    jobs: list[Job] = field(default_factory=list)
    """What was asked, in order."""
    cancelled: int = 0
    closed: bool = False
    cells: list[CellResult] = field(default_factory=list)
    """What its kernel answers."""

    def run(self, job: Job) -> ExecutionReport:
        """Give the next answer, labelled as this job's.

        Raises:
            ScriptExhausted: There is none left.
            SandboxError: The script says so, or the session is closed.
        """
        if self.closed:
            raise SandboxError("This session is closed.")
        self.jobs.append(job)
        if callable(self.answers):
            answer: Answer = self.answers
        elif self.answers:
            answer = self.answers.pop(0)
        else:
            raise ScriptExhausted(
                f"no report left for job {len(self.jobs)}: {job.phase} {job.execution_id!r} ({job.call})"
            )
        if isinstance(answer, SandboxError):
            raise answer
        job.collect.mkdir(parents=True, exist_ok=True)
        report = ExecutionReport()
        report.CopyFrom(answer(job) if callable(answer) else answer)
        if not report.artefacts:
            report.artefacts.extend(_artefacts(job.collect))
        report.schema_version, report.execution_id, report.phase = SCHEMA_VERSION, job.execution_id, job.phase
        if not report.HasField("isolation"):
            report.isolation.CopyFrom(Isolation(backend="scripted", tier="scripted", isolating=True))
        return report

    def kernel(
        self, *, inputs: Mapping[str, Path] | None = None, limits: Limits | None = None, collect: Path | None = None
    ) -> "ScriptedKernel":
        """Give a kernel that answers from the session's list of cells."""
        return ScriptedKernel(self.cells)

    def cancel(self) -> None:
        """Count the call."""
        self.cancelled += 1

    def close(self) -> None:
        """Refuse further jobs."""
        self.closed = True


def _artefacts(folder: Path) -> list[Artefact]:
    """Describe what an answer wrote, as the supervisor does for what it collects."""
    return [
        Artefact(path=path.relative_to(folder).as_posix(), sha256=sha256(content).hexdigest(), size_bytes=len(content))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for content in [path.read_bytes()]
    ]


class ScriptedSandbox:
    """Opens sessions that all draw from one script."""

    name = "scripted"
    isolating = True

    def __init__(self, answers: Iterable[Answer] | Callable[[Job], ExecutionReport]) -> None:
        self._answers = answers if callable(answers) else list(answers)
        self.sessions: list[ScriptedSession] = []

    @property
    def jobs(self) -> list[Job]:
        """What all sessions were asked."""
        return [job for session in self.sessions for job in session.jobs]

    def probe(self) -> Readiness:
        """Return that it is ready."""
        return Readiness(backend=self.name, ready=True, isolating=True, tier="scripted", reason="A fake for tests.")

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> ScriptedSession:
        """Start a session."""
        session = ScriptedSession(self._answers)
        self.sessions.append(session)
        return session
