"""The four checks of what ships, each in a sandbox process of its own (docs/decisions/0005-four-checks.md)."""

from typing import Literal

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt, Execution
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.finalise.models import (
    FittedModel,
    check_rows,
    holdout_count,
    staged_watched,
    step_for,
    watched_count,
)
from open_autoglm.agents.folds import staged_sample
from open_autoglm.sandbox.report import Status, failure_line
from open_autoglm.tools.export.story import Check
from open_autoglm.tools.export.svg import number
from open_autoglm.tools.metrics.base import Truth
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions
from open_autoglm.tools.metrics.statistics import bootstrap_interval
from open_autoglm.tools.words.overheard import overheard

SAME = 1e-9
"""How far two answers of the same bytes may differ, relative to their size."""
STANDARD_ERRORS = 2.0
WIDTH_OF_INTERVAL = 2 * 1.96
"""Standard errors from end to end of a 95 % interval."""
CLEARLY_SLOWER = 2.0
"""The second of two equal predictions is given up for lost after so many times what the first took."""
SPREADS = 2.0
"""How many times farther from the scored model the shipped one may be than a fold's model is."""

Letter = Literal["a", "b", "c", "d"]


async def check_scored_bytes(deps: Deps, scored: FittedModel) -> Check:
    """(a) The scored model's bytes, loaded afresh, give back the graded predictions."""
    again = await evaluation.predict(
        deps,
        step_for(deps, scored.attempt, "check-a.predict"),
        deps.workspace.resolve(scored.reference),
        staged_watched(deps),
    )
    if had_no_time(deps, scored.attempt, again):
        return Check(
            letter="a", result="skipped", sentence=deps.say("No time was left to load the scored model again.")
        )
    if not again.ok:
        return _failed(
            "a",
            deps.say(
                "The scored model could not predict again: {failure}.",
                failure=overheard(failure_line(again.report), deps.say),
            ),
        )
    try:
        difference = _largest_difference(scored.predictions, evaluation.read(deps, again, watched_count(deps)))
    except InvalidPredictions as error:
        return _failed(
            "a", deps.say("What the scored model predicts the second time cannot be used: {error}", error=error)
        )
    passed = difference <= SAME
    sentence = deps.say(
        "Loaded again, the scored model gives the graded predictions back (largest difference {difference})."
        if passed
        else "Loaded again, the scored model does not give the graded predictions back (largest difference {difference}).",
        difference=number(difference, 2),
    )
    return _passed_or_failed("a", passed, sentence)


def had_no_time(deps: Deps, attempt: Attempt, again: Execution) -> bool:
    """Whether a second prediction was ended before it had the time that the first one took: that says nothing about the model."""
    before = deps.journal.execution(attempt.id, "scored.predict", 0)
    assert before is not None, "the scored model has predicted"
    timed_out = again.report.status == Status.STATUS_TIMEOUT
    return timed_out and again.report.wall_seconds < CLEARLY_SLOWER * before.report.wall_seconds


async def check_reproduced(deps: Deps, attempt: Attempt) -> tuple[Check, Predictions | None]:
    """(c) The code alone, fitted anew on the first fold with its seed, reaches that fold's score again."""
    fold = deps.workspace.plan.folds[0]
    step = step_for(deps, attempt, "check-c.fit")
    fitted = await evaluation.fit(deps, step, staged_sample(deps, "fold0.train", fold.train, attempt.rows))
    if not fitted.ok:
        return _failed(
            "c",
            deps.say(
                "Fitted anew, the code failed: {failure}.", failure=overheard(failure_line(fitted.report), deps.say)
            ),
        ), None
    rows = deps.workspace.staged("fold0.valid", fold.valid, labelled=False)
    model = deps.workspace.resolve(fitted.outputs["model"])
    predicted = await evaluation.predict(deps, step_for(deps, attempt, "check-c.predict"), model, rows)
    deps.workspace.discard(fitted.outputs["model"])
    if not predicted.ok:
        return _failed(
            "c",
            deps.say(
                "Fitted anew, the model failed: {failure}.", failure=overheard(failure_line(predicted.report), deps.say)
            ),
        ), None
    try:
        answers = evaluation.read(deps, predicted, len(fold.valid))
        return await deps.blocking.host(_same_score, deps, attempt, answers), answers
    except InvalidPredictions as error:
        return _failed("c", deps.say("Fitted anew, the predictions cannot be used: {error}", error=error)), None


def _same_score(deps: Deps, attempt: Attempt, answers: Predictions) -> Check:
    y = deps.workspace.y[deps.workspace.plan.folds[0].valid]
    value = evaluation.score(deps, y, answers)
    expected = deps.journal.attempt(attempt.id).fold_scores[0]
    allowed = STANDARD_ERRORS * _standard_error(deps, attempt, y, answers) + SAME * max(1.0, abs(expected))
    sentence = deps.say(
        "Fitted anew on the first fold, the code scores {score} where {expected} was graded (allowed difference {allowed}).",
        score=number(value), expected=number(expected), allowed=number(allowed, 2),
    )  # fmt: skip
    return _passed_or_failed("c", abs(value - expected) <= allowed, sentence)


def _standard_error(deps: Deps, attempt: Attempt, y: Truth, answers: Predictions) -> float:
    """Return the error over folds; where a single fold has none, that over its rows."""
    if attempt.standard_error is not None:
        return attempt.standard_error
    low, high = bootstrap_interval(deps.workspace.metric, y, answers, deps.workspace.options.seed)
    return (high - low) / WIDTH_OF_INTERVAL


async def check_shipped_bytes(deps: Deps, attempt: Attempt, name: Literal["shipped", "scored"]) -> Check:
    """(b) The delivered bytes, loaded in a fresh process, predict what the model predicted right after its fit."""
    fitted = deps.journal.execution(attempt.id, f"{name}.fit", 0)
    assert fitted is not None, "what ships was fitted"
    rows = check_rows(deps)
    again = await evaluation.predict(
        deps,
        step_for(deps, attempt, f"check-b.{name}.predict"),
        deps.workspace.deliverable / "model",
        deps.workspace.staged("check", rows, labelled=False),
    )
    if not again.ok:
        return _failed(
            "b",
            deps.say(
                "The delivered model could not predict: {failure}.",
                failure=overheard(failure_line(again.report), deps.say),
            ),
        )
    try:
        before = evaluation.read(deps, fitted, len(rows), name="check.npy")
        difference = _largest_difference(before, evaluation.read(deps, again, len(rows)))
    except InvalidPredictions as error:
        return _failed("b", deps.say("What the delivered model predicts cannot be used: {error}", error=error))
    passed = difference <= SAME
    sentence = deps.say(
        "Loaded from the deliverable, the model answers {rows} rows as it did right after its fit (largest difference {difference})."
        if passed
        else "Loaded from the deliverable, the model does not answer {rows} rows as it did right after its fit (largest difference {difference}).",
        rows=len(rows), difference=number(difference, 2),
    )  # fmt: skip
    return _passed_or_failed("b", passed, sentence)


def check_shipped_agrees(
    deps: Deps, scored: FittedModel, shipped: FittedModel, fold_model: Predictions | None
) -> Check:
    """(d) On the holdout the shipped model is no farther from the scored one than models of the folds are apart.

    The shipped model was fitted on the rows it is compared on, the scored one was not. The yardstick is the same: the
    scored model was fitted on the first fold's validation rows, that fold's model was not.
    """
    holdout = holdout_count(deps)
    if holdout == 0 or fold_model is None:
        return Check(
            letter="d", result="skipped", sentence=deps.say("There is no holdout to compare the two models on.")
        )
    theirs, ours = _matrix(scored.predictions), _matrix(shipped.predictions)
    spread = float(np.mean(np.abs(theirs[holdout:] - _matrix(fold_model))))
    difference = float(np.mean(np.abs(theirs[:holdout] - ours[:holdout])))
    passed = difference <= SPREADS * spread + SAME * max(1.0, float(np.mean(np.abs(theirs))))
    sentence = deps.say(
        "On the holdout the shipped model differs from the scored one by {difference} on average; models of the folds differ by {spread}.",
        difference=number(difference, 3), spread=number(spread, 3),
    )  # fmt: skip
    return _passed_or_failed("d", passed, sentence)


def _failed(letter: Letter, sentence: str) -> Check:
    return Check(letter=letter, result="failed", sentence=sentence)


def _passed_or_failed(letter: Letter, passed: bool, sentence: str) -> Check:  # noqa: FBT001  # the question that each check asks
    return Check(letter=letter, result="passed" if passed else "failed", sentence=sentence)


def _matrix(predictions: Predictions) -> np.ndarray:
    return predictions.proba if predictions.classes else predictions.matrix


def _largest_difference(one: Predictions, other: Predictions) -> float:
    if one.matrix.shape != other.matrix.shape:
        return float("inf")
    scale = max(1.0, float(np.max(np.abs(one.matrix), initial=0.0)))
    return float(np.max(np.abs(one.matrix - other.matrix), initial=0.0)) / scale
