"""LightGBM short of time, and with classes that hardly occur."""

import time
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pandas as pd

from open_autoglm.agents.recipes.plan import write_bundle
from open_autoglm.agents.recipes.portfolio import plan_recipe
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.tools.task import TaskType


def test_trees_that_were_found_are_kept_where_time_is_up(
    messy: dict[TaskType, pd.DataFrame],
    briefs: dict[TaskType, Brief],
    bring_to_life: Callable[[str], ModuleType],
    make_context: Callable[..., runtime.Context],
) -> None:
    """A budget of a million trees and half a second: a model comes back in time, and it predicts."""
    frame, brief = messy[TaskType.BINARY], briefs[TaskType.BINARY]
    plan = plan_recipe("lightgbm", brief)
    assert plan is not None
    params = {**plan.params, "max_trees": 1_000_000, "patience": 1_000_000, "learning_rate": 1e-6}
    bundle = write_bundle(plan.model_copy(update={"params": params}), brief)
    solution = bring_to_life(bundle.files["solution.py"])
    context = replace(make_context(brief, solution), deadline=time.monotonic() + 0.5)
    model = solution.fit(frame[:90], context)

    assert 0 < model["boosters"][0].best_iteration < 1_000_000
    assert np.isfinite(np.asarray(solution.predict(model, frame[90:].drop(columns="y"), context))).all()


def test_steps_are_bounded_where_there_are_several_classes(briefs: dict[TaskType, Brief]) -> None:
    """A leaf without doubt would be given an endless step: only several classes, one of them rare, make such leaves."""
    plans = {kind: plan_recipe("lightgbm", brief) for kind, brief in briefs.items()}

    assert {kind: plan is not None and "lambda_l2" in plan.params for kind, plan in plans.items()} == {
        TaskType.BINARY: False,
        TaskType.MULTICLASS: True,
        TaskType.REGRESSION: False,
    }
