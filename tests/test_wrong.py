"""Reasons in words: no type name of pydantic, no exception class of Python."""

import json
from collections.abc import Callable

import pytest

from open_autoglm.errors import InputError, SettingsError, damage
from open_autoglm.merge import Given, merge_options
from open_autoglm.settings import load_settings
from open_autoglm.tools.task import TaskSpec


@pytest.mark.parametrize(("given", "says"), [
    ({"workers": 0}, "--workers 0 cannot be used: give 1 or more."), ({"seed": -1}, "--seed -1 cannot be used: give 0 or more."),
    ({"attempts": 0}, "--attempts 0 cannot be used: give more than 0."), ({"holdout": "0.95"}, "--holdout 0.95 cannot be used: give less than 0.9."),
    ({"strategist": "me"}, "--strategist 'me' cannot be used: give one of 'auto', 'recipes' or 'glm'."),
])  # fmt: skip
def test_an_option_that_cannot_be_says_what_can(given: Given, says: str) -> None:
    """What to give instead, as one would say it."""
    with pytest.raises(InputError) as caught:
        merge_options("predict y", [], given, load_settings())
    assert str(caught.value) == says


def test_a_setting_that_cannot_be_says_what_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words for settings."""
    monkeypatch.setenv("AUTOGLM_WORKERS", "many")
    with pytest.raises(SettingsError, match="'many' cannot be used: give a whole number"):
        load_settings()


def _raised(read: Callable[[], object]) -> Exception:
    with pytest.raises((OSError, ValueError, KeyError)) as caught:
        read()
    return caught.value


def test_damage_is_told_without_classes_of_python() -> None:
    """Whatever reading a file raised."""
    told = [
        damage(_raised(lambda: json.loads("{"))), damage(_raised(lambda: TaskSpec.model_validate_json("{"))),
        damage(_raised(b"\xff".decode)), damage(KeyError("run_id")), damage(FileNotFoundError(2, "No such file")),
    ]  # fmt: skip
    assert told == [
        "it is cut short, or not JSON", "it is cut short, or not JSON", "it is not text",
        "something in it is missing, or not as this version writes it", "no such file",
    ]  # fmt: skip
