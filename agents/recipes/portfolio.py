"""The portfolio: independent solutions in the order in which they are worth their time.

The order follows AutoGluon's and FLAML's finding that a fixed order of good defaults beats a search under a short
budget: something linear within a second, a tuned boosting, then different kinds of models for the ensemble. Default
parameters come from pytabkit's tuned defaults (Holzmüller et al., "Better by Default", 2024) and AutoGluon's zero-shot
portfolio of 2025, made smaller so that a fold of 30,000 rows takes seconds on two cores.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from open_autoglm.agents.recipes.columns import count_of, plan_columns
from open_autoglm.agents.recipes.plan import Plan
from open_autoglm.agents.strategist import Brief
from open_autoglm.tools.metrics import get_metric
from open_autoglm.tools.metrics.parametric import quantiles_of
from open_autoglm.tools.task import ModelFamily, TaskSpec, TaskType
from open_autoglm.tools.words import Words

DECIDED = ("f1", "f1_macro", "f1_weighted", "mcc", "balanced_accuracy", "quadratic_kappa")
"""Metrics of labels under which the likeliest label is seldom the best answer."""
MOST_CELLS = {"catboost": 20_000_000, "histogram": 20_000_000, "extra_trees": 60_000_000, "random_forest": 60_000_000}
"""Beyond this (rows x columns x outputs) a fold of the recipe takes too long on two cores."""
MOST_WIDTH = {"catboost": 600, "histogram": 1500, "xgboost": 20_000, "lightgbm": 50_000}
"""The same for columns x outputs, which cost these recipes time however few the rows are."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the parameters of a recipe depend on."""

    task: TaskSpec
    columns: Mapping[str, list[str]]
    rows: int
    classes: int
    """0 for regression."""

    @property
    def features(self) -> int:
        """How many columns are used."""
        return count_of(self.columns)

    @property
    def cells(self) -> int:
        """Rows times columns times outputs: what a fit's time grows with."""
        return self.rows * self.width

    @property
    def width(self) -> int:
        """Columns times outputs."""
        return max(1, self.features) * (self.classes if self.classes > 2 else 1)


RECIPES: Mapping[str, Recipe] = {
    "linear": Recipe(family=ModelFamily.LINEAR, entry="linear", title="Linear model"),
    "lightgbm": Recipe(family=ModelFamily.BOOSTING, entry="lightgbm", title="LightGBM", package="lightgbm"),
    "catboost": Recipe(family=ModelFamily.BOOSTING, entry="catboost", title="CatBoost", package="catboost"),
    "random_forest": Recipe(family=ModelFamily.TREES, entry="forest", title="Random forest"),
    "extra_trees": Recipe(family=ModelFamily.TREES, entry="forest", title="Extra trees", choices=("EXTRA_TREES",)),
    "histogram": Recipe(family=ModelFamily.BOOSTING, entry="histogram", title="Histogram boosting"),
    "xgboost": Recipe(family=ModelFamily.BOOSTING, entry="xgboost", title="XGBoost", package="xgboost"),
    "neighbors": Recipe(family=ModelFamily.NEIGHBORS, entry="neighbors", title="Nearest neighbours"),
    "tree": Recipe(family=ModelFamily.TREES, entry="tree", title="Decision tree"),
}
INTERPRETABLE = ("linear", "tree")
"""Recipes whose models a person can read: one weight per feature, or a handful of questions."""


def portfolio(brief: Brief) -> list[Plan]:
    """Return the drafts for this table and budget, in order; the first is the linear baseline, where it is allowed."""
    if brief.task.task_type is TaskType.FORECASTING:
        return []
    table = table_of(brief)
    plans = [plan for name in _order(table) if (plan := plan_recipe(name, brief)) is not None]
    return plans + _variants(plans, table)


def plan_recipe(name: str, brief: Brief) -> Plan | None:
    """Plan one recipe for the table; None where the task forbids it or its package is not installed."""
    recipe, table = RECIPES[name], table_of(brief)
    if not _allowed(recipe, table.task):
        return None
    columns = dict(table.columns)
    if name in ("neighbors", "tree") and len(columns) > 1:
        columns.pop("texts", None)  # thousands of words would drown everything else in a distance, and are no question
    if name == "tree" and set(columns) == {"texts"}:
        return None
    choices = list(recipe.choices)
    if table.task.metric.name in DECIDED and "prediction" not in brief.classes:
        choices.append("TUNED_DECISION")
    if learns_logarithm(brief):
        choices.append("LOG_TARGET")
    return Plan(
        recipe=name,
        entry=recipe.entry,
        family=recipe.family.value,
        title=Words(language=brief.task.language)(recipe.title),
        columns=columns,
        params={key: value for key, value in PARAMETERS[name](table).items() if table.classes or key != "balanced"},
        choices=sorted(choices),
    )


def table_of(brief: Brief) -> Table:
    """Sum up what the parameters depend on."""
    columns = plan_columns(brief.task, brief.profile)
    return Table(task=brief.task, columns=columns, rows=brief.profile.rows, classes=len(brief.classes))


def learns_logarithm(brief: Brief) -> bool:
    """Whether relative errors count, and the target has a logarithm."""
    relative = brief.task.metric.name in ("rmsle", "mape", "smape")
    return relative and not brief.task.task_type.is_classification and brief.profile.target.log_skew is not None


def _allowed(recipe: Recipe, task: TaskSpec) -> bool:
    wishes = task.constraints
    if recipe.family.value in wishes.forbidden_models or (wishes.interpretable and recipe.entry not in INTERPRETABLE):
        return False
    return recipe.package is None or importlib.util.find_spec(recipe.package) is not None


def _order(table: Table) -> list[str]:
    """Order the recipes by what they are likely to bring for their time; a tree of few questions is for readers alone."""
    if table.task.constraints.interpretable:
        return list(INTERPRETABLE)
    if table.rows < 500 or table.features > 2 * table.rows:  # too few rows for boosting to be first
        order = ["linear", "extra_trees", "random_forest", "lightgbm", "catboost", "xgboost", "neighbors", "histogram"]
    elif table.rows > 50_000:
        order = ["linear", "lightgbm", "xgboost", "random_forest", "catboost", "histogram", "extra_trees"]
    else:
        order = ["linear", "lightgbm", "catboost", "random_forest", "xgboost", "extra_trees", "histogram", "neighbors"]
    slow_here = {name for name, most in MOST_CELLS.items() if table.cells > most}
    slow_here |= {name for name, most in MOST_WIDTH.items() if table.width > most}
    if table.features > 60 or table.rows > 20_000 or set(table.columns) == {"texts"}:
        slow_here.add("neighbors")  # distances say little among many columns, and finding them takes long
    return [name for name in order if name not in slow_here]


def _variants(plans: list[Plan], table: Table) -> list[Plan]:
    """Return more of the kind that usually wins, different enough to add to an ensemble."""
    found, say = [], Words(language=table.task.language)
    for plan in plans:
        if plan.recipe != "lightgbm":
            continue
        random = {"extra_trees": True, "num_leaves": 48, "feature_fraction": 0.5, "learning_rate": 0.05}
        found.append(_variant(plan, say("random thresholds"), random, ()))
        if table.columns.get("encoded") and table.classes <= 10:
            found.append(_variant(plan, say("target encoding"), {"num_leaves": 24}, ("TARGET_ENCODING",)))
        found.append(
            _variant(plan, say("few leaves"), {"num_leaves": 8, "feature_fraction": 0.6, "lambda_l2": 1.0}, ())
        )
        found.append(
            _variant(plan, say("many leaves"), {"num_leaves": 96, "feature_fraction": 0.4, "min_data_in_leaf": 15}, ())
        )
    return found


def _variant(plan: Plan, phrase: str, params: Mapping[str, JsonValue], choices: tuple[str, ...]) -> Plan:
    changed = {"params": {**plan.params, **params}, "choices": plan.taking(*choices)}
    return plan.model_copy(update={"title": f"{plan.title}, {phrase}", **changed})


def _linear(table: Table) -> dict[str, JsonValue]:
    heavy = table.cells > 1_000_000 or ("texts" in table.columns and table.rows > 10_000)
    steps = 30 if heavy else 100
    if table.task.task_type.is_classification:
        return {"C": 1.0, "max_iter": steps, "balanced": False}
    return {"C": 1.0, "balanced": False}


def objective(table: Table) -> dict[str, JsonValue]:
    """Return what LightGBM minimises under the metric of the task."""
    task = table.task
    if task.task_type.is_classification:
        return {"objective": "binary" if task.task_type is TaskType.BINARY else "multiclass"}
    if task.metric.name == "pinball" and not task.quantiles:  # one quantile is all that is asked for
        judged = quantiles_of(get_metric("pinball", task.metric.parameters).parameters)
        return {"objective": "quantile", "alpha": judged[len(judged) // 2]}
    if task.metric.name in ("mae", "mape", "smape", "pinball"):
        return {"objective": "regression_l1"}
    return {"objective": "regression"}


STEADY_STEPS: Mapping[bool, Mapping[str, JsonValue]] = {True: {"lambda_l2": 1.0}, False: {}}
"""With several classes, one of them rare, a leaf may hold rows of which hardly any doubt is left: the step there, a gradient
divided by nearly nothing, explodes and the loss grows from tree to tree. A constant below it, XGBoost's default, prevents that."""


def _lightgbm(table: Table) -> dict[str, JsonValue]:
    rows = table.rows
    return {
        **objective(table),
        "learning_rate": 0.05 if rows < 20_000 and table.classes < 10 else 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 20 if rows > 2000 else 10,
        "bagging_fraction": 0.75,
        "bagging_freq": 1,
        "feature_fraction": 0.8,
        "native_levels": 0 if rows < 10_000 else 8,
        **STEADY_STEPS[table.classes > 2],
        "n_estimators": None,
        "max_trees": 2000,
        "patience": 50,
        "balanced": False,
    }


def _forest(table: Table) -> dict[str, JsonValue]:
    rows, classification = table.rows, table.classes > 0
    return {
        "n_estimators": 300 if rows < 20_000 else 150,
        "min_samples_leaf": 1 if rows < 5000 else 2 if rows < 20_000 else 5 if classification else 3,
        "max_features": "sqrt" if classification else 0.6,
        "max_leaf_nodes": None,
        "balanced": False,
    }


def _histogram(table: Table) -> dict[str, JsonValue]:
    rows = table.rows
    loss = {"loss": "absolute_error"} if table.task.metric.name in ("mae", "mape", "smape") else {}
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


def _xgboost(table: Table) -> dict[str, JsonValue]:
    rows, task = table.rows, table.task
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


def _catboost(table: Table) -> dict[str, JsonValue]:
    rows, task = table.rows, table.task
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


def _neighbors(table: Table) -> dict[str, JsonValue]:
    return {"neighbors": 15 if table.rows > 200 else 5, "balanced": False}


def _tree(table: Table) -> dict[str, JsonValue]:
    return {"max_depth": 4, "min_samples_leaf": max(5, min(100, table.rows // 200)), "balanced": False}


PARAMETERS = {
    "linear": _linear,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "random_forest": _forest,
    "extra_trees": _forest,
    "histogram": _histogram,
    "xgboost": _xgboost,
    "neighbors": _neighbors,
    "tree": _tree,
}
