"""A run as it lies on disk, finished or not: read-only, and as far as it can be read.

The journal is opened without taking part in it, so that a run can be looked at while it works and from a folder that
cannot be written. Nothing here imports pandas or the agents: `show` answers at once also after 10,000 attempts.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from open_autoglm.agents.connections import Connected
from open_autoglm.agents.outcome import Outcome
from open_autoglm.columns import aligned, one_line
from open_autoglm.errors import RunDirectoryError, damage
from open_autoglm.events import Json
from open_autoglm.progress import score_with_error
from open_autoglm.recorded import AttemptRow, Recorded, read_journal
from open_autoglm.summary import as_record, as_text, attempts_text, task_text
from open_autoglm.tools.export.words import shown_name, shown_refusal, size_text, without_title
from open_autoglm.tools.places import how_to_resume, short
from open_autoglm.tools.task import TaskSpec
from open_autoglm.tools.words import Words
from open_autoglm.tools.words.overheard import overheard

ROWS_SHOWN = 15
RERUN = "rerun"
"""The operator of what was run again with another seed: no attempt of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What could be read of a run directory."""

    run_dir: Path
    run_id: str
    started: datetime | None
    outcome: Outcome | None
    """None while it is not finished, or if it cannot be read."""
    task: TaskSpec | None
    attempts: tuple[AttemptRow, ...]
    """Best first, then those without a score, oldest first."""
    connections: tuple[Connected, ...]
    """What code said to hosts by the way that the policy opens, or wished to; those that were let out first."""
    allowed_hosts: tuple[str, ...]
    """What the policy lets code reach; empty where it opens no way out."""
    problems: tuple[str, ...]
    """What is damaged, one sentence each."""

    @property
    def say(self) -> Words:
        """The words of the run."""
        return Words(language=self.task.language if self.task else "en")

    @property
    def status(self) -> str:
        """The outcome's status, or `unfinished`, or `damaged`."""
        if self.outcome is not None:
            return self.outcome.status
        return "damaged" if self.problems else "unfinished"


def look_at(run_dir: Path, *, attempts: bool = True) -> RunView:
    """Read a run directory; `attempts=False` leaves the journal unread.

    Raises:
        RunDirectoryError: It is not a run directory.
    """
    run_id = run_id_of(run_dir)
    run_dir = run_dir.absolute()
    problems: list[str] = []
    outcome = _read_outcome(run_dir, problems)
    task = outcome.task if outcome else _read_task(run_dir, problems)
    recorded = read_journal(run_dir / "journal.sqlite", problems) if attempts else Recorded()
    return RunView(
        run_dir=run_dir,
        run_id=run_id,
        started=started_at(run_dir, run_id),
        outcome=outcome,
        task=task,
        attempts=tuple(
            _ranked(recorded.attempts, greater_is_better=_greater_is_better(outcome, task, recorded.attempts))
        ),
        connections=recorded.connections,
        allowed_hosts=recorded.allowed_hosts,
        problems=tuple(problems),
    )


def run_id_of(run_dir: Path) -> str:
    """Return the id of the run that lies in a directory.

    Raises:
        RunDirectoryError: No run lies there, or its header cannot be read.
    """
    header = run_dir / "run.json"
    if not run_dir.exists():
        raise RunDirectoryError(f"There is no run directory {str(run_dir)!r}. `autoglm runs` lists those there are.")
    if not header.is_file():
        raise RunDirectoryError(
            f"{str(run_dir)!r} is not a run directory: it has no run.json. `autoglm runs` lists yours."
        )
    try:
        run_id = json.loads(header.read_text(encoding="utf-8"))["run_id"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(
            f"{short(header)} is damaged ({damage(error)}): the run cannot be read. Put back a copy, or delete the folder."
        ) from None
    if not isinstance(run_id, str):
        raise RunDirectoryError(
            f"{short(header)} is damaged (no run id): the run cannot be read. Put back a copy, or delete the folder."
        )
    return run_id


def started_at(run_dir: Path, run_id: str) -> datetime | None:
    """Return when a run began: run ids begin with it; else when its header was written."""
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        try:
            return datetime.fromtimestamp((run_dir / "run.json").stat().st_mtime, tz=UTC)
        except OSError:
            return None


def _read_outcome(run_dir: Path, problems: list[str]) -> Outcome | None:
    path = run_dir / "result.json"
    try:
        outcome = Outcome.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        problems.append(f"{short(path)} cannot be read ({damage(error)}).")
        return None
    deliverable = run_dir / "deliverable"  # the run may have been moved since
    moved = {"run_dir": run_dir, "deliverable": deliverable if outcome.deliverable and deliverable.is_dir() else None}
    if outcome.deliverable and not deliverable.is_dir():
        problems.append(f"{deliverable} is gone.")
    return outcome.model_copy(update=moved)


def _read_task(run_dir: Path, problems: list[str]) -> TaskSpec | None:
    path = run_dir / "task.json"
    try:
        return TaskSpec.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        problems.append(f"{short(path)} cannot be read ({damage(error)}).")
        return None


def _greater_is_better(outcome: Outcome | None, task: TaskSpec | None, rows: Sequence[AttemptRow]) -> bool:
    if outcome is not None:
        return outcome.score.greater_is_better
    if task is None or not rows:
        return True
    from open_autoglm.tools.metrics import get_metric  # noqa: PLC0415 - numpy, for unfinished runs only

    return get_metric(task.metric.name, task.metric.parameters).greater_is_better


def _ranked(rows: Sequence[AttemptRow], *, greater_is_better: bool) -> Iterator[AttemptRow]:
    sign = -1.0 if greater_is_better else 1.0
    scored = [row for row in rows if row.status == "scored" and row.mean is not None]
    yield from sorted(scored, key=lambda row: sign * (row.mean or 0.0))
    kept = {row.attempt for row in scored}
    yield from (row for row in rows if row.attempt not in kept)


def view_as_record(view: RunView) -> dict[str, Json]:
    """Return the object that `show --json` prints: that of `run --json`, with the leaderboard and what is damaged."""
    known: dict[str, Json] = dict.fromkeys(sorted(Outcome.printed))
    if view.outcome is not None:
        known |= as_record(view.outcome)
    known |= {"run_id": view.run_id, "run_dir": str(view.run_dir), "status": view.status}
    known["task"] = view.task.model_dump(mode="json") if view.task else None
    known["attempts"] = view.outcome.attempts if view.outcome else sum(row.operator != RERUN for row in view.attempts)
    leaderboard: list[Json] = [
        {**asdict(row), "parents": list(row.parents), "violations": list(row.violations)} for row in view.attempts
    ]
    connections: list[Json] = [asdict(made) for made in view.connections]
    return {
        **known,
        "problems": list(view.problems),
        "leaderboard": leaderboard,
        "allowed_hosts": list(view.allowed_hosts),
        "connections": connections,
    }


def view_as_text(view: RunView) -> str:
    """Return a run for a reader."""
    blocks = (_head(view), _leaderboard(view), _violations(view), _connections(view), _damage(view))
    return "\n\n".join(block for block in blocks if block)


def _head(view: RunView) -> str:
    if view.outcome is not None:
        return as_text(view.outcome)
    say = view.say
    task = task_text(view.task) if view.task else say("not understood yet")
    status = shown_name(view.status, say)
    text = say("Run {run} is {status}. Task: {task}.", run=view.run_id, status=status, task=task)
    if view.problems:
        return text
    how = how_to_resume(view.run_dir)
    return f"{text}\n" + say("It is still running, or it was stopped. To go on: {command}", command=how)


def _leaderboard(view: RunView) -> str:
    if not view.attempts:
        return view.say("No attempts yet.") if view.outcome is None and not view.problems else ""
    say = view.say
    searched = [row for row in view.attempts if row.operator != RERUN]
    scored = sum(row.status == "scored" for row in searched)
    cells = [_cells(rank, row, say) for rank, row in enumerate(view.attempts[:ROWS_SHOWN], start=1)]
    lines = [
        say(
            "Leaderboard: {attempts}, {scored} with a complete score",
            attempts=attempts_text(len(searched), say),
            scored=scored,
        ),
        *aligned(cells, indent="  "),
    ]
    if len(view.attempts) > ROWS_SHOWN:
        lines.append("  " + say("and {count} more (--json shows all)", count=len(view.attempts) - ROWS_SHOWN))
    return "\n".join(lines)


def _violations(view: RunView) -> str:
    """Return what code tried and may not, one line for an attempt that tried something serious."""
    say = view.say
    accused = [row for row in view.attempts if row.violations]
    low = sum(row.low_violations for row in view.attempts)
    lines = [
        f"  {row.attempt}: {', '.join(_tried(item, say) for item in row.violations)}" for row in accused[:ROWS_SHOWN]
    ]
    if len(accused) > ROWS_SHOWN:
        lines.append("  " + say("and {count} more (--json shows all)", count=len(accused) - ROWS_SHOWN))
    if low:
        lines.append(
            "  " + say("And {count} of low severity, such as innocent libraries cause, too.", count=f"{low:,}")
        )
    title = say("What code tried and may not (seen from outside, and stopped):")
    return "\n".join([title, *lines]) if lines else ""


def _tried(violation: Mapping[str, Json], say: Words) -> str:
    return f"{one_line(overheard(str(violation['what']), say))} ({violation['count']} ×)"


def _connections(view: RunView) -> str:
    """Return whom code reached by the way that the policy opens, and what was not let out."""
    say, made = view.say, view.connections
    if not made:
        hosts = [one_line(host) for host in view.allowed_hosts]
        return say("The policy lets code reach {hosts}. No code did.", hosts=hosts) if hosts else ""
    lines = aligned([_connection_cells(connected, say) for connected in made[:ROWS_SHOWN]], indent="  ")
    if len(made) > ROWS_SHOWN:
        lines.append("  " + say("and {count} more (--json shows all)", count=len(made) - ROWS_SHOWN))
    return "\n".join([say("Connections by the way that the policy opens (seen from outside):"), *lines])


def _connection_cells(made: Connected, say: Words) -> tuple[str, ...]:
    place = f"{made.host}:{made.port}" if made.port else made.host
    verdict = say("refused: {reason}", reason=shown_refusal(made.refused, say)) if made.refused else say("let out")
    size = "" if made.refused else size_text(made.size_bytes)
    return (made.attempt, one_line(place), f"{made.count:,} ×", size, one_line(verdict))


def _cells(rank: int, row: AttemptRow, say: Words) -> tuple[str, ...]:
    unscored = row.mean is None or row.status != "scored"
    score = shown_name(row.status, say) if unscored else score_with_error(row.mean or 0.0, row.standard_error)
    seconds = "" if row.fit_seconds is None else f"{row.fit_seconds:.1f} s"
    remark = row.lesson or row.failure.splitlines()[0] if row.lesson or row.failure else ""
    operator = shown_name(row.operator, say)
    return (str(rank), row.attempt, operator, score, seconds, row.title, without_title(remark, row.title))


def why_nothing_worked(view: RunView) -> str:
    """Return what went wrong in most of the attempts that failed, as a sentence; empty where none did."""
    reasons = Counter(_first_line(row.failure) for row in view.attempts if row.status == "failed" and row.failure)
    if not reasons:
        return ""
    (reason, count) = reasons.most_common(1)[0]
    say = view.say
    return say(
        "{count} of {attempts} failed with: {reason}",
        count=count,
        attempts=attempts_text(len(view.attempts), say),
        reason=reason,
    )


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _damage(view: RunView) -> str:
    return "\n".join(view.say("Damaged: {problem}", problem=problem) for problem in view.problems)
