"""What to write when a recipe failed: the same with less, then something smaller, then nothing."""

from collections.abc import Mapping

from pydantic import JsonValue

from open_autoglm.agents.recipes.plan import Plan
from open_autoglm.agents.recipes.portfolio import plan_recipe
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.report import ExecutionReport, status_name
from open_autoglm.tools.words import Words

TOO_MUCH = ("timeout", "out_of_memory", "stalled")
CHEAPER: Mapping[str, Mapping[str, JsonValue]] = {
    "linear": {"max_iter": 20},
    "lightgbm": {"max_trees": 150, "learning_rate": 0.2, "num_leaves": 15},
    "catboost": {"max_trees": 100, "learning_rate": 0.3, "depth": 5},
    "histogram": {"max_trees": 100, "learning_rate": 0.2, "max_leaf_nodes": 15},
    "xgboost": {"max_trees": 150, "learning_rate": 0.2, "max_depth": 5},
    "forest": {"n_estimators": 50, "min_samples_leaf": 10},
    "neighbors": {"neighbors": 5},
    "tree": {"max_depth": 3},
}
SHAPING = ("EXTRA_TREES", "LOG_TARGET", "TUNED_DECISION")
"""Choices that are kept in the first repair: without them the answer would be another one."""


def repaired(plan: Plan, brief: Brief, report: ExecutionReport) -> Plan | None:
    """Return a plan that asks for less; None once there is nothing left to take away."""
    first = "cheaper" if status_name(report) in TOO_MUCH else "plainer"
    for change in (first, "last_resort"):
        if change in plan.changes:
            continue
        made = (
            _last_resort(plan, brief)
            if change == "last_resort"
            else _REPAIRS[change](plan, Words(language=brief.task.language))
        )
        if made is not None:
            return made
    return None


def _cheaper(plan: Plan, say: Words) -> Plan | None:
    """Fewer and smaller trees, one model instead of several, no text."""
    columns = {kind: names for kind, names in plan.columns.items() if kind != "texts"} or plan.columns
    lighter = {name: value for name, value in CHEAPER[plan.entry].items() if name in plan.params}
    choices = [choice for choice in plan.choices if choice in SHAPING]
    title = say("{title}, cheaper", title=plan.title)
    return plan.changed("cheaper", title, params={**plan.params, **lighter}, columns=columns, choices=choices)


def _plainer(plan: Plan, say: Words) -> Plan | None:
    """Numbers and categories alone, and no other extras."""
    columns = {kind: names for kind, names in plan.columns.items() if kind in ("numbers", "categories")}
    choices = [choice for choice in plan.choices if choice in SHAPING]
    if not columns or (columns == plan.columns and choices == plan.choices):
        return None
    return plan.changed("plainer", say("{title}, plainer", title=plan.title), columns=columns, choices=choices)


def _last_resort(plan: Plan, brief: Brief) -> Plan | None:
    """The smallest model of the kind that is allowed, on numbers and categories."""
    say = Words(language=brief.task.language)
    for name in ("linear", "histogram", "random_forest"):
        small = plan_recipe(name, brief)
        if small is None or small.entry == plan.entry:
            continue
        columns = {kind: names for kind, names in small.columns.items() if kind in ("numbers", "categories")}
        choices = [choice for choice in small.choices if choice in SHAPING]
        lighter = {key: value for key, value in CHEAPER[small.entry].items() if key in small.params}
        fields = {"columns": columns or small.columns, "choices": choices, "params": {**small.params, **lighter}}
        return small.model_copy(update={"changes": plan.changes}).changed(
            "last_resort", say("{title}, plain", title=small.title), **fields
        )
    return None


_REPAIRS = {"cheaper": _cheaper, "plainer": _plainer}
