"""Data that nothing can be learned from, refused before anything is run, with what to do instead."""

import numpy as np
import pandas as pd

from open_autoglm.agents.deps import Deps
from open_autoglm.agents.ingest import as_trained
from open_autoglm.errors import InputError
from open_autoglm.tools.data.schema import MAX_MISSING_COLUMNS
from open_autoglm.tools.metrics.target import UNSEEN, encode_target
from open_autoglm.tools.task import SourceRole, TaskSpec
from open_autoglm.tools.words import said

FEWEST_ROWS = 10
LARGEST_NUMBER = 1e150
"""The square of a larger target is no float64 any more, and most models and metrics square it."""


def refuse_useless_data(deps: Deps) -> list[str]:
    """Return what is odd about the target and the test table, in words.

    Raises:
        InputError: Too few labelled rows, one value only, a class per row, nothing to predict from, numbers beyond what
            can be squared, or a test table that is another table.
    """
    _check_target(deps)
    _check_features(deps)
    return _check_test(deps)


def _check_target(deps: Deps) -> None:
    workspace = deps.workspace
    target, rows = workspace.task.target, len(workspace.train)
    classification = workspace.task.task_type.is_classification
    if rows == 0:
        what = "is empty" if classification else "is empty or no finite number"
        raise InputError(f"Every row of the target column {target!r} {what}: there is nothing to learn from.")
    if rows < FEWEST_ROWS:
        raise InputError(f"Only {rows} rows have a value in {target!r}; at least {FEWEST_ROWS} are needed.")
    values = workspace.train[target]
    if values.nunique() < 2:  # one value is no question
        raise InputError(
            f"The target column {target!r} holds one value only ({values.iloc[0]!r}): there is nothing to predict."
        )
    if classification and values.nunique() == rows:
        raise InputError(
            f"Every row has a {target!r} of its own: no class occurs twice, so none can be learned. Name another column with "
            "--target, or ask for a regression if it holds numbers."
        )
    if not classification and (largest := float(np.abs(workspace.y).max())) > LARGEST_NUMBER:
        raise InputError(
            f"The target column {target!r} holds numbers as large as {largest:.0e}, whose squares cannot be computed. Divide "
            "it by a constant, or take its logarithm."
        )


def _check_features(deps: Deps) -> None:
    task = deps.workspace.task
    aside = _aside(task)
    others = [str(name) for name in deps.workspace.train.columns if name != task.target]
    if all(name in aside for name in others):
        raise InputError(
            f"Beside the target {task.target!r} the data has only columns that name rows or were left out "
            f"({', '.join(others[:8])}): there is nothing to predict from."
        )


def _check_test(deps: Deps) -> list[str]:
    """Hold the test table, labelled or not, against the training table."""
    workspace = deps.workspace
    table = workspace.test if workspace.test is not None else workspace.table(SourceRole.PREDICT)
    if table is None:
        return []
    _require_features(deps, table)
    _, odd = as_trained(workspace, table)
    return [*odd, *_unseen_classes(deps)]


def _require_features(deps: Deps, table: pd.DataFrame) -> None:
    workspace = deps.workspace
    features = [name for name in workspace.train.columns if name not in _aside(workspace.task)]
    missing = [str(name) for name in features if name not in table.columns]
    if len(missing) > MAX_MISSING_COLUMNS * len(features):
        raise InputError(
            f"The test table lacks {len(missing)} of the {len(features)} columns to predict from: {', '.join(missing[:8])}. "
            f"It has: {', '.join(str(name) for name in table.columns[:8])}. Give a table with the columns of the training data."
        )


def _aside(task: TaskSpec) -> set[str | None]:
    """Return the columns that nothing is predicted from."""
    return {task.target, *task.columns.id, *task.columns.dropped, task.columns.weight}


def _unseen_classes(deps: Deps) -> list[str]:
    workspace, target = deps.workspace, deps.workspace.task.target
    if workspace.test is None or not workspace.task.task_type.is_classification:
        return []
    codes = encode_target(workspace.test[target], workspace.task.task_type, workspace.classes, unseen="miss")
    unseen = int((codes == UNSEEN).sum())
    if not unseen:
        return []
    return [
        said(
            "{unseen} of {rows} test rows have a value in {target!r} that no training row has: no model can be right about them.",
            unseen=unseen,
            rows=len(codes),
            target=target,
        )
    ]
