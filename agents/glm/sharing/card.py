"""The data card: what a prompt says of the task and its data. The same words in each prompt of a run, so that a cache finds them."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from open_autoglm.agents.glm.sharing.cleaning import quoted
from open_autoglm.agents.glm.sharing.columns import column_lines
from open_autoglm.agents.glm.sharing.disclosure import Disclosure, Share
from open_autoglm.agents.glm.sharing.numbers import about, percent, rounded
from open_autoglm.agents.glm.sharing.shared import Shared, as_data
from open_autoglm.tools.data.profile import DataProfile, SuspectKind
from open_autoglm.tools.metrics import get_metric
from open_autoglm.tools.task import Label, TaskSpec

CARD_CHARACTERS = 8_000
"""What the columns of a card may take, about 2,500 tokens."""
SAMPLE_ROWS = 5
_SAMPLE_COLUMNS = 40
_CELL_CHARACTERS = 60
_ROW_CHARACTERS = 2_000
_SUSPECTED = {
    SuspectKind.COPY: "looks like a copy of the target",
    SuspectKind.NEAR_PERFECT: "alone predicts the target almost without error",
    SuspectKind.GIVES_CLASS_AWAY: "gives a class away: one of its values, or its being filled, stands for it",
    SuspectKind.FOLLOWS_FROM_TARGET: "looks as if it was derived from the target",
    SuspectKind.IDENTIFIER: "names rows, and tells the target",
    SuspectKind.ROW_ORDER: "the rows are sorted by the target",
    SuspectKind.NAME: "by its name, may be known only after the target is",
}
_MOST_SUSPECTS = 8
_MOST_CLASSES = 60


def data_card(
    task: TaskSpec,
    profile: DataProfile,
    share: Share,
    *,
    classes: Sequence[Label] = (),
    rows: pd.DataFrame | None = None,
    room: int = CARD_CHARACTERS,
) -> Shared:
    """Tell of the task and of the rows outside the holdout, each line marked as data.

    Args:
        task: What is to be predicted.
        profile: What is known of the rows outside the holdout.
        share: How much of it may be told.
        classes: In the order of the probability columns.
        rows: Some rows outside the holdout. Shown under `rows` alone, the first few of them.
        room: Characters that the lines of columns may take.
    """
    shown = Disclosure(share=share, task=task, profile=profile, classes=tuple(classes))
    lines = [*_task_lines(shown), "", *_table_lines(shown), *column_lines(shown, room)]
    if share != "schema":
        lines += _warning_lines(shown)
    if share == "rows" and rows is not None and len(rows):
        lines += ["", "rows:", *_row_lines(rows)]
    return as_data("\n".join(lines))


def cells_shown(rows: pd.DataFrame) -> list[str]:
    """Return the cells of rows that a card of the level `rows` shows, so that they can be taken out of what is kept."""
    return [str(cell) for cell in rows.iloc[:SAMPLE_ROWS, :_SAMPLE_COLUMNS].to_numpy(dtype=object).ravel()]


def _task_lines(shown: Disclosure) -> Iterator[str]:
    task, metric = shown.task, get_metric(shown.task.metric.name)
    better = "greater" if metric.greater_is_better else "smaller"
    yield f"task: {task.task_type.value} of {quoted(task.target)}, judged by {metric.name} ({better} is better)"
    if shown.classes:
        names = [shown.class_name(label) for label in shown.classes]
        more = "" if len(names) <= _MOST_CLASSES else f" and {len(names) - _MOST_CLASSES} more"
        hidden = " (stand-ins for their names: write ctx.task.classes[i], never a name)" if shown.hidden else ""
        yield f"ctx.task.classes: {', '.join(names[:_MOST_CLASSES])}{more}{hidden}"
        if task.positive in shown.classes and task.positive is not None:
            yield f"positive class: {shown.class_name(task.positive)}"
    if task.horizon is not None:
        yield f"horizon: {task.horizon} steps"
    if task.quantiles:
        yield f"quantiles wanted: {', '.join(f'{level:g}' for level in task.quantiles)}"
    wishes = task.constraints
    for name, wish in (
        ("a prediction in at most {} ms", wishes.latency_ms),
        ("a model of at most {} MB", wishes.model_mb),
        ("no model of the families {}", ", ".join(wishes.forbidden_models)),
        ("a model that people can read", wishes.interpretable),
    ):
        if wish:
            yield f"wish: {name.format(wish)}"


def _table_lines(shown: Disclosure) -> Iterator[str]:
    profile, target = shown.profile, shown.profile.target
    count = f"{len(profile.columns):,} columns"
    if shown.share == "schema":
        yield f"table: {count}"
        return
    yield f"table: {about(profile.rows)} rows outside the holdout, {count}"
    if target.minority_fraction is not None:
        yield f"rarest class: {percent(target.minority_fraction)} of the rows"
    if target.skew is not None:
        logged = "" if target.log_skew is None else f", after log1p {rounded(target.log_skew)}"
        yield f"skew of the target: {rounded(target.skew)}{logged}"
    if target.count_like:
        yield "the target counts something"


def _warning_lines(shown: Disclosure) -> Iterator[str]:
    """Tell what is wrong with the data, in words made here: the profile's own may hold values."""
    profile = shown.profile
    if profile.duplicates.rows:
        again = percent(profile.duplicates.rows / profile.rows)
        yield f"{again} of the rows repeat an earlier one; {about(profile.duplicates.conflicting)} have twins with another target"
    for suspect in profile.suspects[:_MOST_SUSPECTS]:
        yield f"suspect: {quoted(suspect.column) if suspect.column else 'the order of rows'}: {_SUSPECTED[suspect.kind]}"
    for candidate in profile.group_candidates[:4]:
        yield f"{quoted(candidate.column)} may name groups of rows"


def _row_lines(rows: pd.DataFrame) -> Iterator[str]:
    for _, row in rows.iloc[:SAMPLE_ROWS, :_SAMPLE_COLUMNS].iterrows():
        cells = (f"{quoted(str(name))}: {_cell(cell)}" for name, cell in row.items())
        yield f"{{{', '.join(cells)}"[:_ROW_CHARACTERS] + "}"


def _cell(cell: object) -> str:
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell)):
        return "null"
    return quoted(str(cell), _CELL_CHARACTERS)
