"""Recipes whose library comes with the extra `boost`."""

from importlib.util import find_spec

import pytest

LIBRARIES = ("catboost", "xgboost")


def installed(name: str) -> list[pytest.MarkDecorator]:
    """Return the mark that leaves a recipe out where its library is not installed."""
    missing = name in LIBRARIES and find_spec(name) is None
    return [pytest.mark.skip(reason=f"{name} is not installed (extra `boost`)")] if missing else []
