"""How a run ended, for a reader: the text that `autoglm run` and `autoglm show` print, and the one JSON object."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from open_autoglm.agents.outcome import Outcome, Score
from open_autoglm.durations import clock
from open_autoglm.events import Json
from open_autoglm.progress import number, score_with_error
from open_autoglm.tools.places import how_to_resume, short
from open_autoglm.tools.task import Guess, TaskSpec

_HEADLINES = {
    "delivered": "Delivered a model.",
    "delivered_with_warnings": "Delivered a model, with warnings.",
    "failed": "No model.",
    "interrupted": "Interrupted.",
}


def as_record(outcome: Outcome) -> dict[str, Json]:
    """Return the object that `--json` prints."""
    return outcome.model_dump(mode="json", include=Outcome.printed)


def as_text(outcome: Outcome) -> str:
    """Return the summary."""
    blocks = (_what(outcome), _scores(outcome), _delivered(outcome), _notes(outcome), _next(outcome))
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))


def _what(outcome: Outcome) -> Iterator[str]:
    task = outcome.task
    yield f"{_HEADLINES[outcome.status]} Task: predict {task.target} ({task.task_type}), judged by {task.metric.name}."
    if wishes := wishes_text(task):
        yield f"Wishes: {wishes}."
    yield (
        f"Ended because {outcome.stop_reason.sentence}: {attempts_text(outcome.attempts)} in {clock(outcome.seconds)}."
    )


def guess_text(guess: Guess) -> str:
    """Return `metric = roc_auc`, `id column = PassengerId`."""
    values = guess.value if isinstance(guess.value, list) else [guess.value]
    name = guess.field
    if name.startswith("columns."):
        name = f"{name.removeprefix('columns.').replace('_', ' ')} column" + ("s" if len(values) > 1 else "")
    return f"{name} = {', '.join(map(str, values))}"


def wishes_text(task: TaskSpec) -> str:
    """Return the wishes for the model that were understood, apart from its score; empty without any."""
    asked = task.constraints
    wishes = ["explainable"] if asked.interpretable else []
    wishes += [f"no {name}" for name in asked.forbidden_models]
    wishes += [f"at most {asked.latency_ms:g} ms a row"] if asked.latency_ms is not None else []
    wishes += [f"at most {asked.model_mb:g} MB"] if asked.model_mb is not None else []
    wishes += [f"on {asked.device}"] if asked.device is not None else []
    return ", ".join(wishes)


def _scores(outcome: Outcome) -> Iterator[str]:
    score = outcome.score
    better = "higher" if score.greater_is_better else "lower"
    if score.holdout is not None:
        yield f"  {score.metric} {number(score.holdout)} on rows that no model saw{_interval(score)} ({better} is better)"
    if score.cv_mean is not None:
        tail = "" if score.holdout is not None else f" ({better} is better; no holdout, so this chose the winner too)"
        yield f"  {score.metric} {score_with_error(score.cv_mean, score.cv_se)} in cross-validation{tail}"
    known = [("always guessing", outcome.baseline.dummy), ("a linear model", outcome.baseline.linear)]
    texts = [f"{name} {number(value)}" for name, value in known if value is not None]
    if texts:
        yield f"  for comparison: {', '.join(texts)}"


def attempts_text(count: int) -> str:
    """Return `1 attempt`, `2 attempts`."""
    return f"{count} attempt" + ("" if count == 1 else "s")


def _interval(score: Score) -> str:
    if score.holdout_low is None or score.holdout_high is None:
        return ""
    return f", 95 % interval {number(score.holdout_low)} to {number(score.holdout_high)}"


def _delivered(outcome: Outcome) -> Iterator[str]:
    if outcome.deliverable is None:
        yield f"Run directory: {short(outcome.run_dir)}"
        return
    yield f"Deliverable: {short(outcome.deliverable)}"
    manifest = _manifest(outcome.deliverable)
    if title := manifest.get("title"):
        yield f"Model: {title}"
    if manifest.get("refitted", True):  # an unreadable manifest is no reason to boast
        yield "The delivered model was fitted again on all rows. It has no score of its own: the one above is that of the"
        yield "same code, fitted without the rows that judge."
    else:
        yield "The delivered model is the one that was scored."


def _manifest(deliverable: Path) -> Mapping[str, Json]:
    """Return the deliverable's manifest; an unreadable one is an empty one."""
    try:
        found = json.loads((deliverable / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _notes(outcome: Outcome) -> Iterator[str]:
    for guess in outcome.guesses:
        yield f"Guessed: {guess_text(guess)} ({guess.reason})"
    for wish in outcome.unmet:
        yield f"Not met: {wish}"
    for warning in (text for text in outcome.warnings if text not in outcome.unmet):
        yield f"Warning: {warning}"


def _next(outcome: Outcome) -> Iterator[str]:
    run = shlex.quote(short(outcome.run_dir))
    yield "Next:"
    if outcome.deliverable is not None:
        yield f"  autoglm predict {run} new.csv -o predictions.csv"
        report = outcome.deliverable / "report.html"
        if report.exists():
            yield f"  open {shlex.quote(short(report))} in a browser"
    yield f"  autoglm show {run}"
    yield f"  {how_to_resume(outcome.run_dir, '--time 10m')}"
