"""Families of models by the names in code: what a user forbids is not written by a model either."""

import pytest

from open_autoglm.agents.glm.families import broken_wish, families_in
from open_autoglm.tools.task import Constraints, ModelFamily


@pytest.mark.parametrize(
    ("source", "families"),
    [
        ("import lightgbm as lgb\nlgb.LGBMClassifier()", {ModelFamily.BOOSTING}),
        ("from sklearn.ensemble import HistGradientBoostingRegressor", {ModelFamily.BOOSTING}),
        ("from sklearn import ensemble\nensemble.ExtraTreesClassifier()", {ModelFamily.TREES}),
        ("from sklearn.linear_model import LogisticRegression, RidgeCV", {ModelFamily.LINEAR}),
        ("from sklearn.neural_network import MLPClassifier", {ModelFamily.NEURAL}),
        ("from sklearn.ensemble import VotingClassifier", {ModelFamily.ENSEMBLE}),
        ("boosted = 1\ntrees = 2", set()),
    ],
)
def test_families_are_told_by_names(source: str, families: set[ModelFamily]) -> None:
    """Classes and packages count, ordinary names do not."""
    assert families_in(source) == families


def test_what_is_forbidden_is_named() -> None:
    """Only the families that were forbidden."""
    wishes = Constraints(forbidden_models=["boosting"])
    assert "boosting" in broken_wish("import catboost", wishes)
    assert broken_wish("from sklearn.ensemble import ExtraTreesClassifier", wishes) == ""


def test_a_model_for_readers_is_linear_or_one_tree() -> None:
    """A forest is no single tree."""
    wishes = Constraints(interpretable=True)
    assert broken_wish("from sklearn.tree import DecisionTreeClassifier", wishes) == ""
    assert broken_wish("from sklearn.linear_model import Ridge", wishes) == ""
    assert broken_wish("from sklearn.ensemble import RandomForestClassifier", wishes) != ""
    assert broken_wish("import xgboost", wishes) != ""
