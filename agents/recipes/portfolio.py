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
    entry: str
    """Module under `blocks.solutions`."""
    title: str
    choices: tuple[str, ...] = ()
    package: str | None = None
    """Must be installed for this recipe."""


RECIPES: Mapping[str, Recipe] = {
    "linear": Recipe(family=ModelFamily.LINEAR, entry="linear", title="Linear model"),
    "lightgbm": Recipe(family=ModelFamily.BOOSTING, entry="lightgbm", title="LightGBM", package="lightgbm"),
    "catboost": Recipe(family=ModelFamily.BOOSTING, entry="catboost", title="CatBoost", package="catboost"),
    "random_forest": Recipe(family=ModelFamily.TREES, entry="forest", title="Random forest"),
    "extra_trees": Recipe(family=ModelFamily.TREES, entry="forest", title="Extra trees", choices=("EXTRA_TREES",)),
    "histogram": Recipe(family=ModelFamily.BOOSTING, entry="histogram", title="Histogram boosting"),
    "xgboost": Recipe(family=ModelFamily.BOOSTING, entry="xgboost", title="XGBoost", package="xgboost"),
    "neighbors": Recipe(family=ModelFamily.NEIGHBORS, entry="neighbors", title="Nearest neighbours"),
}


def portfolio(brief: Brief, *, everything: bool = False) -> list[Plan]:
    """Return the drafts for this table and budget, in order."""
    task = brief.task
    if task.task_type is TaskType.FORECASTING:
        return []
    columns = plan_columns(task, brief.profile)
    order = list(RECIPES) if everything else _order(brief, columns)
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
    choices = list(recipe.choices)
    if brief.task.metric.name in DECIDED and "prediction" not in brief.classes:
        choices.append("TUNED_DECISION")
    if brief.task.metric.name in ("rmsle", "mape", "smape"):
        choices.append("LOG_TARGET")
    return Plan(
        recipe=name,
        entry=recipe.entry,
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


def _forest(brief: Brief, columns: Mapping[str, list[str]]) -> dict[str, Json]:
    rows, classification = brief.profile.rows, brief.task.task_type.is_classification
    return {
        "n_estimators": 300 if rows < 20_000 else 150,
        "min_samples_leaf": 1 if rows < 5000 else 2 if rows < 20_000 else 5,
        "max_features": "sqrt" if classification else 0.4,
        "max_leaf_nodes": None,
        "balanced": False,
    }


def _histogram(brief: Brief, columns: Mapping[str, list[str]]) -> dict[str, Json]:
    rows = brief.profile.rows
    loss = {"loss": "absolute_error"} if brief.task.metric.name in ("mae", "mape", "smape") else {}
    return {
        **loss,
        "learning_rate": 0.06 if rows < 20_000 else 0.1,
        "max_leaf_nodes": 31,
        "min_samples_leaf": 20 if rows > 2000 else 10,
        "l2_regularization": 1.0,
        "max_features": 0.7,
        "n_estimators": None,
        "max_trees": 1000,
        "patience": 30,
        "balanced": False,
    }


def _xgboost(brief: Brief, columns: Mapping[str, list[str]]) -> dict[str, Json]:
    rows, task = brief.profile.rows, brief.task
    goal = "reg:absoluteerror" if task.metric.name in ("mae", "mape", "smape") else "reg:squarederror"
    if task.task_type.is_classification:
        goal = "binary:logistic" if task.task_type is TaskType.BINARY else "multi:softprob"
    return {
        "objective": goal,
        "learning_rate": 0.06 if rows < 20_000 else 0.1,
        "max_depth": 6,
        "min_child_weight": 2.0,
        "subsample": 0.8,
        "colsample_bytree": 0.7,
        "reg_lambda": 1.0,
        "n_estimators": None,
        "max_trees": 2000,
        "patience": 50,
        "balanced": False,
    }


def _catboost(brief: Brief, columns: Mapping[str, list[str]]) -> dict[str, Json]:
    rows, task = brief.profile.rows, brief.task
    loss = {"loss_function": "MAE" if task.metric.name in ("mae", "mape", "smape") else "RMSE"}
    if task.task_type.is_classification:
        loss = {"loss_function": "Logloss" if task.task_type is TaskType.BINARY else "MultiClass"}
    return {
        **loss,
        "learning_rate": 0.08 if rows < 20_000 else 0.15,
        "depth": 6,
        "l2_leaf_reg": 3.0,
        "random_strength": 0.8,
        "one_hot_max_size": 15,
        "max_ctr_complexity": 1,
        "n_estimators": None,
        "max_trees": 1000,
        "patience": 50,
        "balanced": False,
    }


def _neighbors(brief: Brief, columns: Mapping[str, list[str]]) -> dict[str, Json]:
    return {"neighbors": 15, "balanced": False}


PARAMETERS = {
    "linear": _linear,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "random_forest": _forest,
    "extra_trees": _forest,
    "histogram": _histogram,
    "xgboost": _xgboost,
    "neighbors": _neighbors,
}
