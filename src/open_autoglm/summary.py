"""How a run ended, for a reader: the text that `autoglm run` and `autoglm show` print, and the one JSON object."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from open_autoglm.agents.outcome import Outcome, Score
from open_autoglm.durations import clock
from open_autoglm.events import Json
from open_autoglm.progress import number, score_with_error
from open_autoglm.tools.export.words import guess_name, shown_name
from open_autoglm.tools.places import how_to_resume, short
from open_autoglm.tools.task import Guess, TaskSpec
from open_autoglm.tools.words import ENGLISH, Words

HEADLINES = {
    "delivered": "Delivered a model.",
    "delivered_with_warnings": "Delivered a model, with warnings.",
    "failed": "No model.",
    "interrupted": "Interrupted.",
}


def as_record(outcome: Outcome) -> dict[str, Json]:
    """Return the object that `--json` prints."""
    return outcome.model_dump(mode="json", include=Outcome.printed)


def as_text(outcome: Outcome) -> str:
    """Return the summary, in the language of the task."""
    say = Words(language=outcome.task.language)
    blocks = (
        _what(outcome, say),
        _scores(outcome, say),
        _delivered(outcome, say),
        _notes(outcome, say),
        _next(outcome, say),
    )
    return "\n\n".join("\n".join(lines) for block in blocks if (lines := list(block)))


def _what(outcome: Outcome, say: Words) -> Iterator[str]:
    yield say("{headline} Task: {task}.", headline=say(HEADLINES[outcome.status]), task=task_text(outcome.task))
    if wishes := wishes_text(outcome.task):
        yield say("Wishes: {wishes}.", wishes=wishes)
    yield say(
        "Ended because {reason}: {attempts} in {time}.",
        reason=say(outcome.stop_reason.sentence), attempts=attempts_text(outcome.attempts, say), time=clock(outcome.seconds),
    )  # fmt: skip
    yield from _written_by(outcome, say)


def _written_by(outcome: Outcome, say: Words) -> Iterator[str]:
    """Yield who was asked for code, where it was a language model, and what that took."""
    if outcome.writer.model is None:
        return
    cost = outcome.cost
    spent = [say("{count:,} calls", count=cost.calls), say("{count:,} tokens", count=cost.tokens)]
    spent += [say("{money:g} for tokens", money=round(cost.money, 4))] if cost.money else []
    yield say("Written with {model}: {names}.", model=outcome.writer.model, names=spent)


def task_text(task: TaskSpec) -> str:
    """Return what is predicted and how it is judged, as a part of a sentence."""
    say = Words(language=task.language)
    return say(
        "predict {target} ({task}), judged by {metric}",
        target=task.target, task=shown_name(task.task_type.value, say), metric=task.metric.name,
    )  # fmt: skip


def guess_text(guess: Guess, say: Words = ENGLISH) -> str:
    """Return `metric = roc_auc`, `id column = PassengerId`."""
    values = guess.value if isinstance(guess.value, list) else [guess.value]
    return say("{name} = {values}", name=guess_name(guess, say), values=[str(value) for value in values])


def wishes_text(task: TaskSpec) -> str:
    """Return the wishes for the model that were understood, apart from its score; empty without any."""
    asked, say = task.constraints, Words(language=task.language)
    wishes = [say("explainable")] if asked.interpretable else []
    wishes += [say("no {family}", family=name) for name in asked.forbidden_models]
    wishes += [say("at most {limit:g} ms a row", limit=asked.latency_ms)] if asked.latency_ms is not None else []
    wishes += [say("at most {limit:g} MB", limit=asked.model_mb)] if asked.model_mb is not None else []
    wishes += [say("on {device}", device=asked.device)] if asked.device is not None else []
    return say("{names}", names=wishes)


def _scores(outcome: Outcome, say: Words) -> Iterator[str]:
    score = outcome.score
    better = say("higher is better") if score.greater_is_better else say("lower is better")
    if score.holdout is not None:
        yield "  " + say(
            "{metric} {score} on rows that no model saw{interval} ({better})",
            metric=score.metric, score=number(score.holdout), interval=_interval(score, say), better=better,
        )  # fmt: skip
    if score.cv_mean is not None:
        mean = score_with_error(score.cv_mean, score.cv_se)
        yield "  " + say(
            "{metric} {score} in cross-validation"
            if score.holdout is not None
            else "{metric} {score} in cross-validation ({better}; no holdout, so this chose the winner too)",
            metric=score.metric, score=mean, better=better,
        )  # fmt: skip
    known = [(say("always guessing"), outcome.baseline.dummy), (say("a linear model"), outcome.baseline.linear)]
    texts = [f"{name} {number(value)}" for name, value in known if value is not None]
    if texts:
        yield "  " + say("for comparison: {scores}", scores=texts)


def attempts_text(count: int, say: Words = ENGLISH) -> str:
    """Return `1 attempt`, `2 attempts`."""
    return say("{count} attempt" if count == 1 else "{count} attempts", count=count)


def _interval(score: Score, say: Words) -> str:
    if score.holdout_low is None or score.holdout_high is None:
        return ""
    return say(", 95 % interval {low} to {high}", low=number(score.holdout_low), high=number(score.holdout_high))


def _delivered(outcome: Outcome, say: Words) -> Iterator[str]:
    if outcome.deliverable is None:
        yield say("Run directory: {path}", path=short(outcome.run_dir))
        return
    yield say("Deliverable: {path}", path=short(outcome.deliverable))
    manifest = _manifest(outcome.deliverable)
    if title := manifest.get("title"):
        yield say("Model: {title}", title=title)
    if manifest.get("refitted", True):  # an unreadable manifest is no reason to boast
        yield say(
            "The delivered model was fitted again on all rows. It has no score of its own: the one above is that of the\n"
            "same code, fitted without the rows that judge."
        )
    else:
        yield say("The delivered model is the one that was scored.")


def _manifest(deliverable: Path) -> Mapping[str, Json]:
    """Return the deliverable's manifest; an unreadable one is an empty one."""
    try:
        found = json.loads((deliverable / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _notes(outcome: Outcome, say: Words) -> Iterator[str]:
    for guess in outcome.guesses:
        yield say("Guessed: {guess} ({reason})", guess=guess_text(guess, say), reason=guess.reason)
    for wish in outcome.unmet:
        yield say("Not met: {wish}", wish=wish)
    for warning in (text for text in outcome.warnings if text not in outcome.unmet):
        yield say("Warning: {warning}", warning=warning)


def _next(outcome: Outcome, say: Words) -> Iterator[str]:
    run = shlex.quote(short(outcome.run_dir))
    yield say("Next:")
    if outcome.deliverable is not None:
        yield f"  autoglm predict {run} new.csv -o predictions.csv"
        report = outcome.deliverable / "report.html"
        if report.exists():
            yield "  " + say("open {path} in a browser", path=shlex.quote(short(report)))
    yield f"  autoglm show {run}"
    yield f"  {how_to_resume(outcome.run_dir, '--time 10m')}"
