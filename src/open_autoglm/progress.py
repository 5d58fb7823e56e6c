"""The state of a run as its events tell it: what every progress view shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from open_autoglm.durations import clock
from open_autoglm.events import Event, EventKind, Json, read_events
from open_autoglm.tools.export.words import shown_name
from open_autoglm.tools.words import Language, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run in the middle of it."""

    run_dir: str = ""
    stage: str = ""
    """Empty until the first one begins."""
    started: float | None = None
    """Seconds since the epoch, of the run's first event; moved on by the time spent waiting for a person."""
    latest: float | None = None
    """Seconds since the epoch, of the latest event."""
    seconds: float | None = None
    """The budget; None without one."""
    attempts_planned: int | None = None
    task: str = ""
    """`binary Survived`; empty until it is understood."""
    metric: str = "score"
    running: Mapping[str, str] = field(default_factory=dict)
    """Attempts under way: id to title, the latest last."""
    finished: int = 0
    failed: int = 0
    best: float | None = None
    best_error: float | None = None
    best_title: str = ""
    dummy: float | None = None
    linear: float | None = None
    lesson: str = ""
    """The latest."""
    warnings: int = 0
    language: Language = "en"

    @property
    def say(self) -> Words:
        """What the views say, in the language of the run."""
        return Words(language=self.language)

    def left(self, now: float) -> float | None:
        """Return the seconds left of the budget, None without one."""
        if self.seconds is None or self.started is None:
            return None
        return max(0.0, self.seconds - (now - self.started))

    def used(self, now: float) -> float:
        """Return the seconds used."""
        return max(0.0, now - self.started) if self.started is not None else 0.0


def advance(state: Progress, event: Event) -> Progress:
    """Return the state after the event; an event of an unknown kind changes nothing."""
    step = _STEPS.get(event.kind)
    if state.started is None or state.latest is None:
        state = replace(state, started=event.time)
    elif event.kind is EventKind.RUN_RESUMED:  # the time between two processes is nobody's
        state = replace(state, started=event.time - (state.latest - state.started), running={})
    state = replace(state, latest=event.time)
    return state if step is None else step(state, event.data)


def recall(run_dir: Path) -> Progress:
    """Return the state that a run was left in, as far as its events can be read."""
    state = Progress()
    for record in read_events(run_dir / "events.jsonl"):
        try:
            kind, moment = EventKind(str(record["event"])), float(str(record["time"]))
        except (KeyError, ValueError):  # written by another version, or damaged
            continue
        data = cast("dict[str, Json]", record["data"])
        state = advance(state, Event(seq=0, time=moment, run_id="", kind=kind, data=data))
    return state


def _run_started(state: Progress, data: Mapping[str, Json]) -> Progress:
    attempts = _number(data, "attempts")
    return replace(
        state,
        run_dir=_text(data, "run_dir"),
        seconds=_number(data, "seconds"),
        attempts_planned=None if attempts is None else int(attempts),
        language=_language(data, state),
    )


def _stage(state: Progress, data: Mapping[str, Json]) -> Progress:
    return replace(state, stage=_text(data, "stage") or state.stage)


def _task_understood(state: Progress, data: Mapping[str, Json]) -> Progress:
    language = _language(data, state)
    kind = shown_name(_text(data, "task_type"), Words(language=language))
    task = f"{kind} {_text(data, 'target')}".strip()
    seconds = _or_known(_number(data, "seconds"), state.seconds)  # the sentence may have named a budget
    return replace(state, task=task, metric=_text(data, "metric") or state.metric, seconds=seconds, language=language)


def _attempt_started(state: Progress, data: Mapping[str, Json]) -> Progress:
    title = _text(data, "title") or _text(data, "operator")
    return replace(state, running={**state.running, _text(data, "attempt"): title})


def _attempt_finished(state: Progress, data: Mapping[str, Json]) -> Progress:
    name = _text(data, "attempt")
    return replace(
        state,
        running={key: title for key, title in state.running.items() if key != name},
        finished=state.finished + 1,
        failed=state.failed + (_text(data, "status") == "failed"),
        lesson=_text(data, "lesson") or state.lesson,
    )


def _best_improved(state: Progress, data: Mapping[str, Json]) -> Progress:
    return replace(
        state,
        best=_number(data, "mean"),
        best_error=_number(data, "se"),
        best_title=_text(data, "title"),
        metric=_text(data, "metric") or state.metric,
        dummy=_or_known(_number(data, "dummy"), state.dummy),
        linear=_or_known(_number(data, "linear"), state.linear),
    )


def _warning(state: Progress, _: Mapping[str, Json]) -> Progress:
    return replace(state, warnings=state.warnings + 1)


_STEPS = {
    EventKind.RUN_STARTED: _run_started,
    EventKind.RUN_RESUMED: _run_started,
    EventKind.STAGE_STARTED: _stage,
    EventKind.TASK_UNDERSTOOD: _task_understood,
    EventKind.ATTEMPT_STARTED: _attempt_started,
    EventKind.ATTEMPT_FINISHED: _attempt_finished,
    EventKind.BEST_IMPROVED: _best_improved,
    EventKind.WARNING: _warning,
    EventKind.STRATEGIST_DEGRADED: _warning,
}


def as_line(state: Progress, now: float) -> str:
    """Return the state in one line, for a log file."""
    parts = [clock(state.used(now)), shown_name(state.stage, state.say), _attempts(state), _best(state)]
    left = state.left(now)
    if left is not None:
        parts.append(state.say("{time} left", time=clock(left)))
    return "  ".join(part for part in parts if part)


def _attempts(state: Progress) -> str:
    if not state.running and not state.finished:
        return ""
    say, planned = state.say, state.attempts_planned
    if not state.running and planned:
        return say("{count} of {planned} attempts", count=state.finished, planned=planned)
    if not state.running:
        return say("{count} attempt" if state.finished == 1 else "{count} attempts", count=state.finished)
    title, number_ = list(state.running.values())[-1], state.finished + len(state.running)
    attempt = say("attempt {number} of {planned}" if planned else "attempt {number}", number=number_, planned=planned)
    return f"{attempt} ({title})" if title else attempt


def _best(state: Progress) -> str:
    if state.best is None:
        return state.say("no score yet") if state.running or state.finished else ""
    score = score_with_error(state.best, state.best_error)
    return state.say("best {metric} {score}{baselines}", metric=state.metric, score=score, baselines=baselines(state))


def score_with_error(mean: float, error: float | None) -> str:
    """Return `0.8731 ± 0.0090`: a score and its standard error, to four significant digits."""
    return number(mean) if error is None else f"{number(mean)} ± {number(error)}"


def number(value: float) -> str:
    """Return a score as people read it: at most four decimals, no exponents for everyday sizes."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.2f}"


def baselines(state: Progress) -> str:
    """Return ` (always guessing 0.5, linear 0.84)`, or nothing while they are unknown."""
    say = state.say
    known = [(say("guessing"), state.dummy), (say("linear"), state.linear)]
    texts = [f"{name} {number(value)}" for name, value in known if value is not None]
    return say(" ({scores})", scores=texts) if texts else ""


def _language(data: Mapping[str, Json], state: Progress) -> Language:
    """Return the language that an event names, else the one that is known."""
    named = data.get("language")
    return "zh" if named == "zh" else "en" if named == "en" else state.language


def _text(data: Mapping[str, Json], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)


def _number(data: Mapping[str, Json], key: str) -> float | None:
    value = data.get(key)
    return float(value) if isinstance(value, (int, float)) else None


def _or_known(value: float | None, known: float | None) -> float | None:
    return known if value is None else value
