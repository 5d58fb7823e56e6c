"""The portfolio: independent solutions in the order in which they are worth their time.

The order follows AutoGluon's and FLAML's finding that a fixed order of good defaults beats a search under a short
budget: something linear within a second, a tuned boosting, then different kinds of models for the ensemble. Default
parameters come from pytabkit's tuned defaults (Holzmüller et al., "Better by Default", 2024) and AutoGluon's zero-shot
portfolio of 2025, made smaller so that a fold of 30,000 rows takes seconds on two cores.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from open_autoglm.agents.recipes.columns import count_of, plan_columns
from open_autoglm.agents.recipes.plan import Plan
from open_autoglm.agents.strategist import Brief
from open_autoglm.events import Json
from open_autoglm.tools.task import ModelFamily, TaskType

DECIDED = ("f1", "f1_macro", "f1_weighted", "mcc", "balanced_accuracy", "quadratic_kappa")
"""Metrics of labels under which the likeliest label is seldom the best answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One kind of solution."""

    family: ModelFamily
    title: str
    package: str | None = None
    """Must be installed for this recipe."""


RECIPES: Mapping[str, Recipe] = {
    "linear": Recipe(family=ModelFamily.LINEAR, title="Linear model"),
    "lightgbm": Recipe(family=ModelFamily.BOOSTING, title="LightGBM", package="lightgbm"),
}


def portfolio(brief: Brief) -> list[Plan]:
    """Return the drafts for this table and budget, in order."""
    task = brief.task
    if task.task_type is TaskType.FORECASTING:
        return []
    columns = plan_columns(task, brief.profile)
    order = _order(brief, columns)
    return [_plan(name, brief, columns) for name in order if _allowed(RECIPES[name], brief)]


def _order(brief: Brief, columns: Mapping[str, list[str]]) -> list[str]:
    return ["linear", "lightgbm"]


def _allowed(recipe: Recipe, brief: Brief) -> bool:
    wishes = brief.task.constraints
    if recipe.family.value in wishes.forbidden_models:
        return False
    if wishes.interpretable and recipe.family is not ModelFamily.LINEAR:
        return False
    return recipe.package is None or importlib.util.find_spec(recipe.package) is not None


def _plan(name: str, brief: Brief, columns: dict[str, list[str]]) -> Plan:
    recipe = RECIPES[name]
    choices = []
    if brief.task.metric.name in DECIDED and "prediction" not in brief.classes:
        choices.append("TUNED_DECISION")
    if brief.task.metric.name in ("rmsle", "mape", "smape"):
        choices.append("LOG_TARGET")
    return Plan(
        recipe=name,
        family=recipe.family.value,
        title=recipe.title,
        columns=columns,
        params=PARAMETERS[name](brief, columns),
        choices=choices,
    )


def _linear(brief: Brief, columns: Mapping[str, list[str]]) -> dict[str, Json]:
    steps = 100 if brief.profile.rows * max(1, count_of(columns)) < 1_000_000 else 30
    if brief.task.task_type.is_classification:
        return {"C": 1.0, "max_iter": steps, "balanced": False}
    return {"C": 1.0, "balanced": False}


def objective(brief: Brief) -> dict[str, Json]:
    """Return what LightGBM minimises under the metric of the task."""
    task = brief.task
    if task.task_type.is_classification:
        return {"objective": "binary" if task.task_type is TaskType.BINARY else "multiclass"}
    if task.metric.name in ("mae", "mape", "smape"):
        return {"objective": "regression_l1"}
    if task.metric.name == "pinball":
        return {"objective": "quantile", "alpha": task.metric.parameters.get("quantile", 0.5)}
    return {"objective": "regression"}


def _lightgbm(brief: Brief, columns: Mapping[str, list[str]]) -> dict[str, Json]:
    rows = brief.profile.rows
    return {
        **objective(brief),
        "learning_rate": 0.05 if rows < 20_000 else 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 20 if rows > 2000 else 10,
        "bagging_fraction": 0.75,
        "bagging_freq": 1,
        "feature_fraction": 0.8,
        "native_levels": 100,
        "n_estimators": None,
        "max_trees": 2000,
        "patience": 50,
        "balanced": False,
    }


PARAMETERS = {"linear": _linear, "lightgbm": _lightgbm}
