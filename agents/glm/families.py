"""Which families of models code uses, by the names in it: for wishes that forbid some. A hint for what was written in good faith."""

import ast
import re
from collections.abc import Mapping

from open_autoglm.tools.task import Constraints, ModelFamily

_NAMES: Mapping[ModelFamily, re.Pattern[str]] = {
    ModelFamily.BOOSTING: re.compile(r"lightgbm|lgb|xgboost|xgb|catboost|.*(Boost|LGBM|XGB).*"),
    ModelFamily.TREES: re.compile(r".*(RandomForest|ExtraTrees?|DecisionTree).*"),
    ModelFamily.NEIGHBORS: re.compile(r".*(KNeighbors|RadiusNeighbors).*"),
    ModelFamily.NEURAL: re.compile(r"torch|.*(MLPClassifier|MLPRegressor)"),
    ModelFamily.ENSEMBLE: re.compile(r"(Voting|Stacking)(Classifier|Regressor)"),
    ModelFamily.LINEAR: re.compile(
        r"(Logistic|Linear|Huber|Quantile|Poisson|Gamma|Tweedie|Bayesian)Regress(ion|or)(CV)?|Ridge\w*|Lasso\w*|ElasticNet\w*|SGD\w+|"
        r"LinearSV[CR]|LinearDiscriminantAnalysis"
    ),
}
"""Names of modules and classes."""
_READABLE_TREE = re.compile(r"DecisionTree(Classifier|Regressor)")


def families_in(source: str) -> set[ModelFamily]:
    """Return the families whose classes or packages are named in code that parses."""
    names = _names_in(source)
    return {family for family, pattern in _NAMES.items() if any(pattern.fullmatch(name) for name in names)}


def broken_wish(source: str, wishes: Constraints) -> str:
    """Return which wish about families the code breaks, for a model; empty where it breaks none."""
    used = families_in(source)
    forbidden = sorted(family.value for family in used if family.value in wishes.forbidden_models)
    if forbidden:
        return f"The user forbids models of the family {', '.join(forbidden)}."
    opaque = used - {ModelFamily.LINEAR}
    if wishes.interpretable and opaque == {ModelFamily.TREES}:
        trees = {name for name in _names_in(source) if _NAMES[ModelFamily.TREES].fullmatch(name)}
        opaque = set() if all(_READABLE_TREE.fullmatch(name) for name in trees) else opaque
    if wishes.interpretable and opaque:
        return "The user wishes for a model that people can read: a linear model, or a single decision tree."
    return ""


def _names_in(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.name.rpartition(".")[2] for alias in node.names}
            names |= {alias.name.split(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
            names |= {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Name):
            names.add(node.id)
    return names
