"""The four checks of what ships, each in a sandbox process of its own (docs/decisions/0005-four-checks.md)."""

from dataclasses import replace

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.evaluation import Step
from open_autoglm.agents.finalise.models import FittedModel, check_rows, step_for, watched_rows
from open_autoglm.sandbox.report import failure_line
from open_autoglm.tools.export.story import Check
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions, read_predictions

SAME = 1e-9
"""How far two answers of the same bytes may differ, relative to their size."""
STANDARD_ERRORS = 2.0
SPREADS = 2.0
"""How many times farther from the scored model the shipped one may be than a fold's model is."""


async def check_scored_bytes(deps: Deps, scored: FittedModel) -> Check:
    """(a) The scored model's bytes, loaded afresh, give back the graded predictions."""
    frame, _, _ = watched_rows(deps)
    again = await evaluation.predict(
        deps,
        step_for(deps, scored.attempt, "check-a.predict"),
        deps.workspace.resolve(scored.reference),
        deps.workspace.stage(frame, labelled=False),
    )
    if not again.ok:
        return Check(
            letter="a",
            result="failed",
            sentence=f"The scored model could not predict again: {failure_line(again.report)}.",
        )
    difference = _largest_difference(scored.predictions, evaluation.read(deps, again, len(frame)))
    passed = difference <= SAME
    said = f"Loaded again, the scored model gives the graded predictions back (largest difference {difference:.2g})."
    return Check(
        letter="a",
        result="passed" if passed else "failed",
        sentence=said if passed else said.replace("gives", "does not give"),
    )


async def check_reproduced(deps: Deps, attempt: Attempt) -> tuple[Check, Predictions | None]:
    """(c) The code alone, fitted anew on the first fold with its seed, reaches that fold's score again."""
    fold = deps.workspace.plan.folds[0]
    step = Step(
        attempt=attempt, phase="check-c.fit", fold=0, seconds=step_for(deps, attempt, "").seconds, seed=attempt.seed
    )
    fitted = await evaluation.fit(deps, step, deps.workspace.staged("fold0.train", fold.train, labelled=True))
    if not fitted.ok:
        return Check(
            letter="c", result="failed", sentence=f"Fitted anew, the code failed: {failure_line(fitted.report)}."
        ), None
    rows = deps.workspace.staged("fold0.valid", fold.valid, labelled=False)
    model = deps.workspace.resolve(fitted.outputs["model"])
    predicted = await evaluation.predict(deps, replace(step, phase="check-c.predict"), model, rows)
    deps.workspace.discard(fitted.outputs["model"])
    if not predicted.ok:
        return Check(
            letter="c", result="failed", sentence=f"Fitted anew, the model failed: {failure_line(predicted.report)}."
        ), None
    try:
        answers = evaluation.read(deps, predicted, len(fold.valid))
    except InvalidPredictions as error:
        return Check(
            letter="c", result="failed", sentence=f"Fitted anew, the predictions cannot be used: {error}."
        ), None
    value = evaluation.score(deps, deps.workspace.y[fold.valid], answers)
    expected = deps.journal.attempt(attempt.id).fold_scores[0]
    allowed = STANDARD_ERRORS * (attempt.standard_error or 0.0) + SAME * max(1.0, abs(expected))
    passed = abs(value - expected) <= allowed
    sentence = (
        f"Fitted anew on the first fold, the code scores {value:.5g} where {expected:.5g} was graded "
        f"(allowed difference {allowed:.2g})."
    )
    return Check(letter="c", result="passed" if passed else "failed", sentence=sentence), answers


async def check_shipped_bytes(deps: Deps, shipped: FittedModel) -> Check:
    """(b) The delivered bytes, loaded in a fresh process, predict what the model predicted right after its fit."""
    stored = shipped.fit.outputs.get("check.npy")
    if stored is None:
        return Check(letter="b", result="failed", sentence="The fit left no predictions to compare with.")
    rows = check_rows(deps)
    delivered = deps.workspace.deliverable / "model"
    again = await evaluation.predict(
        deps,
        step_for(deps, shipped.attempt, "check-b.predict"),
        delivered,
        deps.workspace.staged("check", rows, labelled=False),
    )
    if not again.ok:
        return Check(
            letter="b",
            result="failed",
            sentence=f"The delivered model could not predict: {failure_line(again.report)}.",
        )
    workspace = deps.workspace
    before = read_predictions(
        workspace.resolve(stored), rows=len(rows), task_type=workspace.task.task_type, classes=workspace.classes,
        quantiles=tuple(workspace.task.quantiles),
    )  # fmt: skip
    difference = _largest_difference(before, evaluation.read(deps, again, len(rows)))
    passed = difference <= SAME
    said = f"Loaded from the deliverable, the model answers {len(rows)} rows as it did right after its fit (largest difference {difference:.2g})."
    return Check(
        letter="b",
        result="passed" if passed else "failed",
        sentence=said if passed else said.replace("answers", "does not answer", 1),
    )


def check_shipped_agrees(
    deps: Deps, scored: FittedModel, shipped: FittedModel, fold_model: Predictions | None
) -> Check:
    """(d) On the holdout the shipped model is no farther from the scored one than models of the folds are apart.

    The shipped model was fitted on the rows it is compared on, the scored one was not. The yardstick is the same: the
    scored model was fitted on the first fold's validation rows, that fold's model was not.
    """
    _, holdout, _ = watched_rows(deps)
    if holdout == 0 or fold_model is None:
        return Check(letter="d", result="skipped", sentence="There is no holdout to compare the two models on.")
    theirs, ours = _matrix(scored.predictions), _matrix(shipped.predictions)
    spread = float(np.mean(np.abs(theirs[holdout:] - _matrix(fold_model))))
    difference = float(np.mean(np.abs(theirs[:holdout] - ours[:holdout])))
    passed = difference <= SPREADS * spread + SAME * max(1.0, float(np.mean(np.abs(theirs))))
    sentence = (
        f"On the holdout the shipped model differs from the scored one by {difference:.3g} on average; "
        f"models of the folds differ by {spread:.3g}."
    )
    return Check(letter="d", result="passed" if passed else "failed", sentence=sentence)


def _matrix(predictions: Predictions) -> np.ndarray:
    return predictions.proba if predictions.classes else predictions.matrix


def _largest_difference(one: Predictions, other: Predictions) -> float:
    if one.matrix.shape != other.matrix.shape:
        return float("inf")
    scale = max(1.0, float(np.max(np.abs(one.matrix), initial=0.0)))
    return float(np.max(np.abs(one.matrix - other.matrix), initial=0.0)) / scale
