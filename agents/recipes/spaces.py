"""What is worth tuning of each kind of model. Ranges follow pytabkit's and AutoGluon's search spaces."""

from collections.abc import Mapping

from open_autoglm.agents.recipes.plan import Plan
from open_autoglm.tools.tuning import Choice, Float, Int, Space

SPACES: Mapping[str, Mapping[str, Float | Int | Choice]] = {
    "linear": {"C": Float(low=1e-3, high=100.0, log=True)},
    "lightgbm": {
        "learning_rate": Float(low=0.015, high=0.15, log=True),
        "num_leaves": Int(low=6, high=160, log=True),
        "min_data_in_leaf": Int(low=2, high=80, log=True),
        "feature_fraction": Float(low=0.3, high=1.0),
        "bagging_fraction": Float(low=0.5, high=1.0),
        "lambda_l2": Float(low=1e-3, high=20.0, log=True),
        "extra_trees": Choice(options=[False, True]),
    },
    "catboost": {
        "learning_rate": Float(low=0.03, high=0.2, log=True),
        "depth": Int(low=4, high=8),
        "l2_leaf_reg": Float(low=1.0, high=15.0, log=True),
        "random_strength": Float(low=0.2, high=3.0, log=True),
    },
    "histogram": {
        "learning_rate": Float(low=0.02, high=0.2, log=True),
        "max_leaf_nodes": Int(low=6, high=100, log=True),
        "min_samples_leaf": Int(low=3, high=80, log=True),
        "l2_regularization": Float(low=1e-2, high=20.0, log=True),
        "max_features": Float(low=0.3, high=1.0),
    },
    "xgboost": {
        "learning_rate": Float(low=0.015, high=0.15, log=True),
        "max_depth": Int(low=3, high=10),
        "min_child_weight": Float(low=0.5, high=30.0, log=True),
        "subsample": Float(low=0.5, high=1.0),
        "colsample_bytree": Float(low=0.3, high=1.0),
        "reg_lambda": Float(low=0.1, high=20.0, log=True),
    },
    "forest": {
        "min_samples_leaf": Int(low=1, high=20, log=True),
        "max_features": Choice(options=["sqrt", 0.2, 0.4, 0.7, 1.0]),
    },
    "neighbors": {"neighbors": Int(low=2, high=60, log=True)},
    "tree": {"max_depth": Int(low=2, high=5), "min_samples_leaf": Int(low=3, high=100, log=True)},
}
"""Entry module to its parameters."""


def space_of(plan: Plan) -> Space:
    """Return the space around a plan: parameters whose range leaves its own value out are widened to hold it."""
    return Space(
        dimensions={name: _holding(dimension, plan.params.get(name)) for name, dimension in SPACES[plan.entry].items()}
    )


def _holding(dimension: Float | Int | Choice, value: object) -> Float | Int | Choice:
    if isinstance(dimension, Choice) or isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return dimension
    return dimension.model_copy(update={"low": min(dimension.low, value), "high": max(dimension.high, value)})
