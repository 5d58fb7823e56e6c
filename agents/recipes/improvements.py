"""Known changes to a scored solution: one block at a time, the ones that helped in this run first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from open_autoglm.agents.recipes.columns import MANY_LEVELS
from open_autoglm.agents.recipes.plan import Plan, plan_of
from open_autoglm.agents.recipes.portfolio import DECIDED
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.metrics import get_metric
from open_autoglm.tools.words import Words

BOOSTED = ("lightgbm", "catboost", "histogram", "xgboost")
ON_MATRIX = ("lightgbm", "histogram", "xgboost", "forest")
"""Entries that see the table as one matrix of numbers."""
BAGS = 5
FEW_VALUES = 15
"""Whole numbers of at most this many values may be codes of categories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a change looks at."""

    plan: Plan
    brief: Brief


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to change."""

    name: str
    phrase: str
    """What a title says of it, after `with`."""
    apply: Callable[[Case], Mapping[str, object] | None]
    """The fields of the plan that change; None where the change does not apply."""


def improvements(brief: Brief, parent: Past) -> list[Plan]:
    """Return the changed plans that nobody tried yet, the likeliest to help first."""
    plan = plan_of(parent.bundle)
    if plan is None:
        return []
    if parent.params:
        plan = plan.model_copy(update={"params": {**plan.params, **parent.params}})
    tried = [made for past in brief.past if (made := plan_of(past.bundle)) is not None]
    found, say = [], Words(language=brief.task.language)
    for change in sorted(CHANGES, key=lambda change: -_gains(brief, change.name)):
        fields = None if change.name in plan.changes else change.apply(Case(plan=plan, brief=brief))
        if fields is None:
            continue
        changed = plan.changed(
            change.name, say("{title} with {change}", title=plan.title, change=say(change.phrase)), **fields
        )
        if not any(_same(changed, other) for other in tried):
            found.append(changed)
    return found


def _same(plan: Plan, other: Plan) -> bool:
    """Whether two plans write the same solution."""
    ignored = {"title", "changes"}
    return plan.model_dump(exclude=ignored) == other.model_dump(exclude=ignored)


def _gains(brief: Brief, name: str) -> int:
    """How often the change helped in this run, less how often it did not, whatever the model."""
    by_id = {past.attempt_id: past for past in brief.past}
    sign = 1 if get_metric(brief.task.metric.name).greater_is_better else -1
    balance = 0
    for past in brief.past:
        made, parents = plan_of(past.bundle), [by_id[key] for key in past.parents if key in by_id]
        if made is None or not made.changes or made.changes[-1] != name or past.mean is None or len(parents) != 1:
            continue
        if parents[0].mean is not None:
            balance += 1 if sign * (past.mean - parents[0].mean) > 0 else -1
    return balance


def _bag(case: Case) -> Mapping[str, object] | None:
    if case.plan.entry != "lightgbm" or "BAGGED" in case.plan.choices or case.brief.task.columns.time is not None:
        return None
    return {"params": {**case.plan.params, "bags": BAGS}, "choices": case.plan.taking("BAGGED")}


def _encode_by_target(case: Case) -> Mapping[str, object] | None:
    if case.plan.entry not in ON_MATRIX or not case.plan.columns.get("encoded") or len(case.brief.classes) > 10:
        return None
    return {"choices": case.plan.taking("TARGET_ENCODING")}


def _slower(case: Case) -> Mapping[str, object] | None:
    if case.plan.entry not in BOOSTED:
        return None
    rate, trees = _number(case.plan.params["learning_rate"]), _number(case.plan.params["max_trees"])
    slower = {"learning_rate": rate / 2.5, "max_trees": int(2 * trees), "n_estimators": None}
    return {"params": {**case.plan.params, **slower, "patience": 100}}


def _regularise(case: Case) -> Mapping[str, object] | None:
    return _with_params(case.plan, STRONGER)


def _loosen(case: Case) -> Mapping[str, object] | None:
    return _with_params(case.plan, WEAKER)


def _with_params(plan: Plan, table: Mapping[str, Mapping[str, JsonValue]]) -> Mapping[str, object] | None:
    changed = {name: value for name, value in table[plan.entry].items() if name in plan.params}
    return {"params": {**plan.params, **changed}} if changed else None


def _random_splits(case: Case) -> Mapping[str, object] | None:
    return {"params": {**case.plan.params, "extra_trees": True}} if case.plan.entry == "lightgbm" else None


def _sets_of_levels(case: Case) -> Mapping[str, object] | None:
    if case.plan.entry != "lightgbm" or "categories" not in case.plan.columns:
        return None
    return {"params": {**case.plan.params, "native_levels": 50 if case.plan.params["native_levels"] == 0 else 0}}


def _balance(case: Case) -> Mapping[str, object] | None:
    if case.brief.task.metric.name not in DECIDED:
        return None
    return {"params": {**case.plan.params, "balanced": True}}


def _log_target(case: Case) -> Mapping[str, object] | None:
    target = case.brief.profile.target
    if case.brief.task.task_type.is_classification or target.log_skew is None or "LOG_TARGET" in case.plan.choices:
        return None
    if target.skew is None or target.skew < 0.7 or abs(target.log_skew) > abs(target.skew):
        return None
    return {"choices": case.plan.taking("LOG_TARGET")}


def _compare(case: Case) -> Mapping[str, object] | None:
    if case.plan.entry not in (*ON_MATRIX, "catboost") or len(case.plan.columns.get("numbers", [])) < 2:
        return None
    return {"choices": case.plan.taking("COMPARISONS")}


def _bend(case: Case) -> Mapping[str, object] | None:
    if case.plan.entry != "linear" or not (case.plan.columns.get("numbers") or case.plan.columns.get("dates")):
        return None
    return {"choices": case.plan.taking("BENT")}


def _codes_as_categories(case: Case) -> Mapping[str, object] | None:
    kinds = {column.name: column for column in case.brief.profile.columns}
    numbers = case.plan.columns.get("numbers", [])
    codes = [
        name
        for name in numbers
        if kinds[name].kind is ColumnKind.NUMERIC and kinds[name].whole_numbers and kinds[name].distinct <= FEW_VALUES
    ]
    if not codes or case.plan.entry == "forest":
        return None
    columns = {
        **case.plan.columns,
        "numbers": [name for name in numbers if name not in codes],
        "categories": [*case.plan.columns.get("categories", []), *codes],
    }
    return {"columns": {kind: names for kind, names in columns.items() if names}}


def _drop_rare(case: Case) -> Mapping[str, object] | None:
    """Leave out categories of so many levels that most rows are nearly alone: they name rows more than they describe."""
    limit = max(MANY_LEVELS, 0.3 * case.brief.profile.sampled_rows)
    nearly_ids = {column.name for column in case.brief.profile.columns if column.distinct > limit}
    return _without(case.plan, {name for name in case.plan.columns.get("categories", []) if name in nearly_ids})


def _drop_texts(case: Case) -> Mapping[str, object] | None:
    return _without(case.plan, set(case.plan.columns.get("texts", [])))


def _without(plan: Plan, dropped: set[str]) -> Mapping[str, object] | None:
    columns = {kind: [name for name in names if name not in dropped] for kind, names in plan.columns.items()}
    columns = {kind: names for kind, names in columns.items() if names}
    return {"columns": columns} if dropped and columns else None


def _number(value: JsonValue) -> float:
    assert isinstance(value, int | float)
    return value


STRONGER: Mapping[str, Mapping[str, JsonValue]] = {
    "linear": {"C": 0.1},
    "lightgbm": {"num_leaves": 12, "min_data_in_leaf": 40, "lambda_l2": 5.0, "feature_fraction": 0.5},
    "catboost": {"depth": 4, "l2_leaf_reg": 8.0},
    "histogram": {"max_leaf_nodes": 12, "min_samples_leaf": 40, "l2_regularization": 5.0},
    "xgboost": {"max_depth": 4, "min_child_weight": 8.0, "reg_lambda": 5.0},
    "forest": {"min_samples_leaf": 5},
    "neighbors": {"neighbors": 40},
    "tree": {"max_depth": 3, "min_samples_leaf": 30},
}
WEAKER: Mapping[str, Mapping[str, JsonValue]] = {
    "linear": {"C": 10.0},
    "lightgbm": {"num_leaves": 100, "min_data_in_leaf": 5},
    "catboost": {"depth": 8, "l2_leaf_reg": 2.0},
    "histogram": {"max_leaf_nodes": 80, "min_samples_leaf": 8},
    "xgboost": {"max_depth": 9, "min_child_weight": 1.0},
    "forest": {"max_features": 0.7},
    "neighbors": {"neighbors": 5},
    "tree": {"max_depth": 5},
}
CHANGES: Sequence[Change] = (
    Change(name="bag", phrase="five models on inner folds", apply=_bag),
    Change(name="log_target", phrase="the logarithm of the target", apply=_log_target),
    Change(name="target_encoding", phrase="categories encoded by the target", apply=_encode_by_target),
    Change(name="slower", phrase="more and smaller steps", apply=_slower),
    Change(name="bend", phrase="bent lines", apply=_bend),
    Change(name="comparisons", phrase="ratios of leading numbers", apply=_compare),
    Change(name="loosen", phrase="larger trees or weights", apply=_loosen),
    Change(name="regularise", phrase="stronger regularisation", apply=_regularise),
    Change(name="codes", phrase="whole numbers as categories", apply=_codes_as_categories),
    Change(name="balance", phrase="balanced classes", apply=_balance),
    Change(name="random_splits", phrase="random thresholds", apply=_random_splits),
    Change(name="drop_rare", phrase="no columns that nearly name rows", apply=_drop_rare),
    Change(name="sets_of_levels", phrase="the other way to split levels", apply=_sets_of_levels),
    Change(name="drop_texts", phrase="no texts", apply=_drop_texts),
)
"""In the order in which they usually pay."""
