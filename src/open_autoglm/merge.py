"""What the user asked for, from options and settings, as the one object that starts a run."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypedDict

from pydantic import JsonValue, ValidationError

from open_autoglm.agents.options import RunOptions
from open_autoglm.durations import parse_duration
from open_autoglm.errors import InputError
from open_autoglm.sandbox.policy import read_policy
from open_autoglm.settings import LoadedSettings, cache_folder, lessons_file
from open_autoglm.tools.task import BudgetSpec
from open_autoglm.wrong import reason

if TYPE_CHECKING:
    import pandas as pd

ReadOptions: TypeAlias = Mapping[str, JsonValue] | Sequence[str]


class Given(TypedDict, total=False):
    """What options said, under the names of the command line. Absent or None: not said."""

    test: "str | Path | pd.DataFrame | None"
    target: str | None
    metric: str | None
    target_score: float | None
    time: str | float | None
    attempts: int | None
    max_tokens: int | None
    max_cost: float | None
    strategist: str | None
    base_url: str | None
    model: str | None
    search: str | None
    sandbox: str | None
    policy: str | Path | None
    holdout: str | float | None
    refit: bool | None
    read: ReadOptions | None
    out: str | Path | None
    workers: int | None
    seed: int | None
    share: str | None
    yes: bool | None


_PLAIN = ("test", "target", "metric", "target_score", "out", "yes")
_WITH_SETTING = (
    "strategist",
    "model",
    "search",
    "sandbox",
    "refit",
    "workers",
    "seed",
    "share",
    "allowed_packages",
    "runtime",
)


def merge_options(prompt: str, data: Sequence[Path], given: Given, settings: LoadedSettings) -> RunOptions:
    """Let options win over settings. The budget of the settings goes along apart: the sentence wins over it.

    Raises:
        InputError: An option that cannot be; the message names it.
    """
    if not prompt.strip():
        raise InputError(
            "The prompt is empty. Say what to predict, such as: autoglm run 'Predict churn' --data churn.csv"
        )
    said = {key: value for key, value in given.items() if value is not None}
    values = settings.values
    fields: dict[str, object] = {key: said[key] for key in _PLAIN if key in said}
    fields |= {key: said.get(key, getattr(values, key)) for key in _WITH_SETTING}
    named = said.get("base_url", values.base_url)
    fields["base_url"] = None if named is None else str(named).rstrip("/")
    fields["holdout"] = _holdout(said["holdout"]) if "holdout" in said else values.holdout
    policy = said.get("policy", values.policy)
    fields["policy"] = None if policy is None else read_policy(Path(str(policy)))
    fields["read"] = read_options(given.get("read") or {})
    prompt = _readable(prompt)
    for key in ("target", "metric"):
        if isinstance(fields.get(key), str):
            fields[key] = _readable(str(fields[key]))
    for path in (*data, fields.get("test"), fields.get("out"), values.root):
        _require_writable_name(path)
    fields["budget"] = _checked(budget_of(given))
    fields["defaults"] = {
        "seconds": values.time, "attempts": values.attempts, "tokens": values.max_tokens, "money": values.max_cost
    }  # fmt: skip
    fields["prices"] = values.prices
    return _options(
        {
            "prompt": prompt,
            "data": list(data),
            "root": values.root,
            "cache": cache_folder(),
            "lessons": lessons_file() if values.memory else None,
            **fields,
        }
    )


def _readable(text: str) -> str:
    """Return text whose bytes the locale could not read as what they most likely are: UTF-8."""
    return os.fsencode(text).decode("utf-8", "replace") if _is_foreign(text) else text


def _require_writable_name(path: object) -> None:
    if path is not None and _is_foreign(str(path)):
        raise InputError(f"The name {str(path)!a} is not valid UTF-8. Rename the file, or use a UTF-8 locale.")


def _is_foreign(text: str) -> bool:
    """Whether the text holds bytes that could not be decoded (Python keeps them as lone surrogates)."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def budget_of(given: Given) -> dict[str, object]:
    """Return what options said about the budget, under the names of `BudgetSpec`."""
    time = given.get("time")
    return {
        "seconds": None if time is None else _seconds(str(time)),
        "attempts": given.get("attempts"),
        "tokens": given.get("max_tokens"),
        "money": given.get("max_cost"),
    }


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except InputError as problem:
        raise InputError(f"--time: {problem}") from None


def budget_spec(given: Given) -> BudgetSpec:
    """Return what options said about the budget.

    Raises:
        InputError: A budget that cannot be.
    """
    return BudgetSpec.model_validate(_checked(budget_of(given)))


def read_options(given: ReadOptions) -> dict[str, JsonValue]:
    r"""Read `KEY=VALUE` texts: a value that is JSON (`true`, `3`, `null`) is that, else text; `\t` is a tab."""
    if isinstance(given, Mapping):
        return dict(given)
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(
                f"--read {text!r} is not KEY=VALUE. Write for example --read sep=';' --read encoding=latin-1."
            )
        pairs[key.strip()] = _json_or_text(value.replace("\\t", "\t"))
    return pairs


def _json_or_text(value: str) -> JsonValue:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _holdout(value: object) -> object:
    if isinstance(value, str) and value not in ("auto", "none"):
        try:
            return float(value)
        except ValueError:
            raise InputError(f"--holdout {value!r} is neither a fraction such as 0.2 nor none.") from None
    return value


_BUDGET_OPTIONS = {"seconds": "--time", "attempts": "--attempts", "tokens": "--max-tokens", "money": "--max-cost"}


def _checked(budget: dict[str, object]) -> dict[str, object]:
    try:
        BudgetSpec.model_validate(budget)
    except ValidationError as error:
        raise _explained(error, _BUDGET_OPTIONS) from None
    return budget


def _options(fields: Mapping[str, object]) -> RunOptions:
    try:
        return RunOptions.model_validate(fields)
    except ValidationError as error:
        raise _explained(error, {}) from None


def _explained(error: ValidationError, options: Mapping[str, str]) -> InputError:
    first = error.errors()[0]
    key = str(first["loc"][0])
    option = options.get(key, "--" + key.replace("_", "-"))
    return InputError(f"{option} {first['input']!r} cannot be used: {reason(first)}.")
