"""Every recipe works for real: fit, predict, save, load, on messy tables of every kind of task."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from tests.agents.recipes.extras import installed

from open_autoglm.agents.recipes.plan import Plan, write_bundle
from open_autoglm.agents.recipes.portfolio import RECIPES, plan_recipe
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.tools.task import TaskType

QUICK = {"max_trees": 12, "patience": 3, "max_iter": 20}
EXTRAS = {
    "linear": ["BENT", "TUNED_DECISION"],
    "lightgbm": ["BAGGED", "COMPARISONS", "TARGET_ENCODING", "TUNED_DECISION"],
    "random_forest": ["COMPARISONS", "TARGET_ENCODING", "TUNED_DECISION"],
}
"""Choices that a second pass takes, so that every block is run."""
QUICKEST = ("linear", "lightgbm")


def marks_of(name: str) -> list[pytest.MarkDecorator]:
    """The fast tests take the quickest recipes, the slow ones all."""
    slow = [] if name in QUICKEST else [pytest.mark.slow]
    return [*slow, *installed(name)]


CASES = [
    pytest.param(name, kind, kind is TaskType.MULTICLASS, marks=marks_of(name))
    for name in RECIPES
    for kind in (TaskType.BINARY, TaskType.REGRESSION, TaskType.MULTICLASS)
]
"""Every recipe on every kind of task."""


def quick_plan(name: str, brief: Brief, *, extras: bool) -> Plan:
    plan = plan_recipe(name, brief)
    assert plan is not None
    params = {key: QUICK.get(key, value) for key, value in plan.params.items()}
    params |= {"n_estimators": 12} if plan.entry == "forest" else {}
    added = EXTRAS.get(name, ["TUNED_DECISION"]) if extras else ["TUNED_DECISION"] if brief.classes else ["LOG_TARGET"]
    params |= {"balanced": True} if extras and brief.classes else {}
    params |= {"bags": 3} if extras and plan.entry == "lightgbm" else {}
    return plan.model_copy(update={"params": params, "choices": plan.taking(*added)})


@pytest.mark.parametrize(("name", "task_type", "extras"), CASES)
def test_a_recipe_learns_and_its_model_survives_saving(
    name: str,
    task_type: TaskType,
    extras: bool,  # noqa: FBT001 - pytest passes it by name
    messy: dict[TaskType, pd.DataFrame],
    briefs: dict[TaskType, Brief],
    bring_to_life: Callable[[str], ModuleType],
    make_context: Callable[..., runtime.Context],
    tmp_path: Path,
) -> None:
    """Better than a constant; the same answers after saving, row by row, shuffled, and under other dtypes."""
    frame, brief = messy[task_type], briefs[task_type]
    if brief.classes:
        brief = Brief(
            task=brief.task.model_copy(update={"metric": brief.task.metric.model_copy(update={"name": "f1_macro"})}),
            profile=brief.profile,
            classes=brief.classes,
        )
    solution = bring_to_life(write_bundle(quick_plan(name, brief, extras=extras), brief).files["solution.py"])
    context = make_context(brief, solution)
    train, rows = frame[:90], frame[90:].drop(columns="y")
    model = solution.fit(train, context)
    solution.save(model, tmp_path)
    again = solution.load(tmp_path)

    def answer(asked: pd.DataFrame) -> np.ndarray:
        return runtime.to_matrix(solution.predict(again, asked, context), context.task, len(asked))

    told = answer(rows)
    assert np.isfinite(told).all()
    assert_better_than_constant(told, frame[90:]["y"], context.task)
    np.testing.assert_allclose(runtime.to_matrix(solution.predict(model, rows, context), context.task, len(rows)), told)
    shuffled = rows.sample(frac=1.0, random_state=1)
    np.testing.assert_allclose(answer(shuffled)[np.argsort(shuffled.index)], told, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.vstack([answer(rows[:1]), answer(rows[1:])]), told, rtol=1e-9, atol=1e-12)
    assert np.isfinite(answer(other_dtypes(rows))).all()


def assert_better_than_constant(told: np.ndarray, y: pd.Series, task: runtime.Task) -> None:
    if task.is_classification:
        shares = told[:, : len(task.classes)]
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)
        codes = np.array([task.classes.index(label) for label in y])
        by_chance = (shares.mean(axis=0) * np.bincount(codes) / len(codes)).sum()
        assert shares[np.arange(len(codes)), codes].mean() > 1.02 * by_chance
    else:
        assert np.abs(told[:, 0] - y).mean() < np.abs(y.mean() - y).mean()


def other_dtypes(rows: pd.DataFrame) -> pd.DataFrame:
    """The same columns as they may come another day: numbers as text, flags as text, a column without a value."""
    return rows.assign(
        size=rows["size"].astype(str),
        member=rows["member"].map({True: "True", False: "False"}),
        town=np.nan,
        colour=pd.Categorical(rows["colour"]),
        since=pd.to_datetime(rows["since"], format="%d/%m/%Y"),
        remark=None,
        weight=12.5,
    )


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks_of(name)) for name in RECIPES])
def test_a_class_that_a_fold_lacks_keeps_its_column(
    name: str,
    messy: dict[TaskType, pd.DataFrame],
    briefs: dict[TaskType, Brief],
    bring_to_life: Callable[[str], ModuleType],
    make_context: Callable[..., runtime.Context],
) -> None:
    """Its probability is small, never quite 0, and the others are as likely as ever."""
    frame, brief = messy[TaskType.MULTICLASS], briefs[TaskType.MULTICLASS]
    plan = quick_plan(name, brief, extras=False)
    columns = {"numbers": ["size", "weight"], "categories": ["colour"]}
    choices = [choice for choice in plan.choices if choice != "TUNED_DECISION"]
    plan = plan.model_copy(update={"columns": columns, "choices": choices})
    solution = bring_to_life(write_bundle(plan, brief).files["solution.py"])
    context = make_context(brief, solution)
    model = solution.fit(frame[frame["y"] != 1], context)
    told = solution.predict(model, frame.drop(columns="y"), context)
    assert told.shape == (len(frame), 3)
    assert (told > 0).all()
    assert told[:, 1].max() < 0.2


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks_of(name)) for name in RECIPES])
def test_quantiles_stand_beside_the_value_in_order(
    name: str,
    messy: dict[TaskType, pd.DataFrame],
    make_brief: Callable[..., Brief],
    bring_to_life: Callable[[str], ModuleType],
    make_context: Callable[..., runtime.Context],
) -> None:
    """One column each, growing with the quantile, and about as many targets below as it says."""
    frame = messy[TaskType.REGRESSION]
    brief = make_brief(frame, TaskType.REGRESSION, metric="pinball", quantiles=[0.1, 0.9])
    solution = bring_to_life(write_bundle(quick_plan(name, brief, extras=False), brief).files["solution.py"])
    context = make_context(brief, solution)
    told = runtime.to_matrix(solution.predict(solution.fit(frame[:90], context), frame[90:], context), context.task, 30)
    assert told.shape == (30, 3)
    assert (told[:, 1] < told[:, 2]).all()
    assert (frame["y"][90:] < told[:, 1]).mean() < 0.5 < (frame["y"][90:] < told[:, 2]).mean()
