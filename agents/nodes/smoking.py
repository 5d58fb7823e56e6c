"""The smoke test: a small sample is fitted and predicted before anything expensive is tried."""

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.briefing import fold_seconds
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.evaluation import Step
from open_autoglm.sandbox.report import failure_line
from open_autoglm.tools.data.split import small_sample
from open_autoglm.tools.metrics.predictions import InvalidPredictions, Predictions

SMOKE_ROWS = 300
PREDICTED_ROWS = 40
SINGLE_ROWS = 5
WIDE = 1000
"""Of a table with more columns a single row alone is predicted: there every call takes long, however few the rows are."""
SMOKE_SECONDS = 20.0
SMOKE_SHARE = 0.15
"""Of a budget in seconds."""
FEWEST_SECONDS = 3.0
TOLERANCE = 1e-6
"""How far two answers for the same row may differ, relative to their size: sums in another order."""


async def smoke_problem(attempt: Attempt, deps: Deps) -> str:
    """Run the smoke test; return what is wrong in one line, or the empty string."""
    train_rows, predict_rows = _sample(deps)
    step = _step(attempt, "smoke.fit", deps)
    fitted = await evaluation.fit(deps, step, deps.workspace.staged("smoke.train", train_rows, labelled=True))
    if not fitted.ok:
        return failure_line(fitted.report)
    batches = _batches(len(predict_rows), singles=SINGLE_ROWS if len(deps.workspace.train.columns) <= WIDE else 1)
    rows = deps.workspace.staged("smoke.rows", predict_rows, labelled=False)
    model = deps.workspace.resolve(fitted.outputs["model"])
    step = _step(attempt, "smoke.predict", deps)
    predicted = await evaluation.predict(deps, step, model, rows, batches=batches)
    deps.workspace.discard(fitted.outputs["model"])
    if not predicted.ok:
        return failure_line(predicted.report)
    try:
        answers = evaluation.read(deps, predicted, sum(len(batch) for batch in batches))
    except InvalidPredictions as error:
        return str(error)
    return _row_dependence(answers, batches)


def _step(attempt: Attempt, phase: str, deps: Deps) -> Step:
    """Return a step of the smoke test; three tries of it leave time for something else."""
    given = deps.budget.spec.seconds
    share = SMOKE_SECONDS if given is None else max(FEWEST_SECONDS, SMOKE_SHARE * given)
    seconds = min(SMOKE_SECONDS, share, fold_seconds(deps))
    return Step(attempt=attempt, phase=phase, fold=0, seconds=seconds, seed=attempt.seed)


def _sample(deps: Deps) -> tuple[np.ndarray, np.ndarray]:
    """Return training rows and rows to predict, both from the first fold's training side."""
    workspace = deps.workspace
    pool = workspace.plan.folds[0].train
    train = small_sample(workspace.train, pool, workspace.task, rows=SMOKE_ROWS, seed=0)
    rest = np.setdiff1d(pool, train)
    rows = rest if len(rest) >= PREDICTED_ROWS else pool
    return train, rows[:PREDICTED_ROWS]


def _batches(rows: int, *, singles: int) -> list[list[int]]:
    """Return the same rows four times: as they are, shuffled, in chunks, and a few alone."""
    order = list(range(rows))
    shuffled = np.random.default_rng(0).permutation(rows).tolist()
    third = max(1, rows // 3)
    chunks = [order[start : start + third] for start in range(0, rows, third)]
    return [order, shuffled, *chunks, *[[row] for row in order[:singles]]]


def _row_dependence(answers: Predictions, batches: list[list[int]]) -> str:
    """Say so if a row's answer depends on the rows beside it: such a model cannot be served."""
    matrix = answers.matrix
    expected = matrix[: len(batches[0])]
    start = 0
    for number, batch in enumerate(batches):
        got = matrix[start : start + len(batch)]
        start += len(batch)
        if not np.allclose(got, expected[batch], rtol=TOLERANCE, atol=TOLERANCE):
            how = "shuffled" if number == 1 else "alone" if len(batch) == 1 else "in chunks"
            return (
                f"predict gives other answers for the same rows when they are predicted {how}: "
                "a row's answer may not depend on the rows beside it"
            )
    return ""
