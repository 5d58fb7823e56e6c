"""One fold of one attempt: fit in one sandbox process, predict in another."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from open_autoglm.agents import evaluation
from open_autoglm.agents.attempts import Attempt, Execution
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.evaluation import Step
from open_autoglm.tools.data.split import small_sample


def staged_sample(deps: Deps, name: str, rows: np.ndarray, most: int | None) -> Path:
    """Stage labelled rows of the training table, or so many of them that stand for all."""
    workspace = deps.workspace
    if most is None or most >= len(rows):
        return workspace.staged(name, rows, labelled=True)
    sample = small_sample(workspace.train, rows, workspace.task, rows=most, seed=0)
    return workspace.staged(f"{name}.{most}", sample, labelled=True)


async def run_fold(attempt: Attempt, number: int, deps: Deps, seconds: Callable[[], float]) -> Execution | None:
    """Execute one fold of an attempt; return the execution that failed, or None.

    Args:
        attempt: Whose bundle is executed.
        number: The fold.
        deps: What it acts through.
        seconds: How long an execution may take; asked before each, since the first takes time from the second.
    """
    fold = deps.workspace.plan.folds[number]
    step = Step(attempt=attempt, phase="fold.fit", fold=number, seconds=seconds(), seed=attempt.seed)
    train = staged_sample(deps, f"fold{number}.train", fold.train, attempt.rows)
    fitted = await evaluation.fit(deps, step, train)
    if not fitted.ok:
        return fitted
    rows = deps.workspace.staged(f"fold{number}.valid", fold.valid, labelled=False)
    step = Step(attempt=attempt, phase="fold.predict", fold=number, seconds=seconds(), seed=attempt.seed)
    predicted = await evaluation.predict(deps, step, deps.workspace.resolve(fitted.outputs["model"]), rows)
    if not predicted.ok:
        return predicted
    deps.workspace.discard(fitted.outputs["model"])  # only its predictions are needed from here on
    return None
