"""Predictions in the layout of a sample submission: its columns, its order of rows, its way of writing answers."""

from collections.abc import Sequence

import pandas as pd

from open_autoglm.tools.metrics import get_metric
from open_autoglm.tools.metrics.base import Need
from open_autoglm.tools.task import Label, TaskSpec
from open_autoglm.tools.words import said


def fill_submission(
    sample: pd.DataFrame, table: pd.DataFrame, task: TaskSpec, classes: Sequence[Label]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the sample with its answer columns filled from a table of predictions, and warnings.

    Columns that the table knows by name (ids) identify rows: the sample's order of rows is kept where they match one to one,
    else the table's. An answer column named after a class gets its probability; the last one, which stands for the target, gets
    the probability of the positive class where the metric is about
    probabilities or the sample holds fractions, else the prediction. Where no answer column can be told,
    the table itself comes back.
    """
    names = [str(c) for c in sample.columns]
    keys = [c for c in names if c in table.columns and c not in _answers(table)]
    answers = [c for c in names if c not in keys]
    sources = _sources(sample.set_axis(names, axis=1), answers, table, task, classes)
    if sources is None:
        return table, [
            said(
                "The sample submission has no column that stands for the prediction; predictions.csv has our own layout."
            )
        ]
    filled = pd.DataFrame({name: table[sources.get(name, name)] for name in names})
    if keys and _same_keys(sample, filled, keys):
        order = sample.set_axis(names, axis=1)[keys].merge(filled, on=keys, how="left", validate="one_to_one")
        return order[names], []
    if keys:
        return filled, [
            said("The rows of the sample submission are not those of the test file; the test file's rows were kept.")
        ]
    return filled, [] if len(sample) == len(filled) else [
        said("The sample submission has another number of rows than the test file.")
    ]


def _answers(table: pd.DataFrame) -> set[str]:
    return {c for c in table.columns if c == "prediction" or c.startswith(("proba_", "quantile_"))}


def _sources(
    sample: pd.DataFrame, answers: Sequence[str], table: pd.DataFrame, task: TaskSpec, classes: Sequence[Label]
) -> dict[str, str] | None:
    """Answer column of the sample to the column of the table that fills it."""
    by_class = {str(label): f"proba_{label}" for label in classes}
    if answers and all(name in by_class or name in _answers(table) for name in answers):
        return {name: by_class.get(name, name) for name in answers}
    if len(answers) != 1:
        return None
    name = answers[0]
    wants_proba = get_metric(task.metric.name).needs is Need.PROBA
    if len(classes) == 2 and (wants_proba or _holds_fractions(sample[name])):
        positive = classes[1] if task.positive is None else task.positive
        return {name: f"proba_{positive}"}
    return {name: "prediction"}


def _holds_fractions(column: pd.Series) -> bool:
    return bool(pd.api.types.is_float_dtype(column) and ((column % 1) != 0).any())


def _same_keys(sample: pd.DataFrame, filled: pd.DataFrame, keys: Sequence[str]) -> bool:
    left = pd.MultiIndex.from_frame(sample.set_axis([str(c) for c in sample.columns], axis=1)[list(keys)])
    right = pd.MultiIndex.from_frame(filled[list(keys)])
    return left.is_unique and right.is_unique and left.symmetric_difference(right, sort=False).empty
