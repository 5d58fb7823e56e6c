"""propose_space: which of a solution's PARAMS are worth tuning, and in which ranges."""

import ast
import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from open_autoglm.agents.glm.decisions import decide
from open_autoglm.agents.glm.desk import Desk
from open_autoglm.agents.glm.prompting import render
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.errors import UnusableReply
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.tools.tuning import Choice, Dimension, Float, Int, Space

ANSWER_TOKENS = 1024
MOST_DIMENSIONS = 8
LARGEST = 10**9
"""Of a number in an answer: without a bound, a grammar lets a weak model write digits without end."""
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Option = bool | Annotated[int, Field(ge=-LARGEST, le=LARGEST)] | Number | Annotated[str, Field(max_length=60)] | None


class Range(BaseModel):
    """One parameter and where to look for a better value."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=60)]
    kind: Literal["float", "int", "choice"]
    low: Number = 0.0
    """Ignored for a choice, as the other two."""
    high: Number = 0.0
    log: bool = False
    options: Annotated[list[Option], Field(max_length=8)] = []
    """Of a choice."""


class Ranges(BaseModel):
    """The answer to `propose_space`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    parameters: Annotated[list[Range], Field(min_length=1, max_length=MOST_DIMENSIONS)]


async def propose_space(desk: Desk, brief: Brief, parent: Past) -> Space | None:
    """Ask for the space of a parent; None where its PARAMS hold nothing to tune.

    Raises:
        UnusableReply: No answer could be used, or no parameter in it is one of the parent's.
        EndpointFailed: Nobody answered.
    """
    params = params_of(parent.bundle)
    if not any(_is_tunable(value) for value in params.values()):
        return None
    ask = render("propose_space", source=desk.source(parent.bundle, brief).text)
    call = desk.call(
        Purpose.PROPOSE_SPACE, brief, ask, remembered=desk.memory.working(brief, parent), max_tokens=ANSWER_TOKENS
    )
    answer = await decide(desk.model, call, Ranges)
    dimensions = {
        found.name: made
        for found in answer.parameters
        if found.name in params and (made := dimension_of(found, params[found.name])) is not None
    }
    if not dimensions:
        raise UnusableReply("The model named no parameter of PARAMS with a range that fits its value.")
    return Space(dimensions=dimensions)


def params_of(bundle: CodeBundle) -> Mapping[str, JsonValue]:
    """Return the bundle's own PARAMS."""
    literal = bundle.metadata.params
    return {} if literal is None else dict(ast.literal_eval(literal))


def dimension_of(found: Range, value: JsonValue) -> Dimension | None:
    """Return the range as a dimension that holds the value the parameter has; None where the two do not go together."""
    if not _is_tunable(value):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float) or found.kind == "choice":
            options = [*found.options, *([] if Choice(options=[value]).index(value) is None else [value])]
            return _choice(options, value)
        low, high = min(found.low, float(value)), max(found.high, float(value))
        if not low < high:
            return None
        log = found.log and low > 0
        if isinstance(value, int) and found.kind == "int":
            return Int(low=math.floor(low), high=math.ceil(high), log=log and math.floor(low) > 0)
        return Float(low=low, high=high, log=log) if isinstance(value, float) else None
    except (ValidationError, OverflowError):
        return None


def _choice(options: list[JsonValue], value: JsonValue) -> Choice | None:
    kept: list[JsonValue] = []
    for option in options:
        same_kind = option is None or value is None or type(option) is type(value)
        if same_kind and (not kept or Choice(options=kept).index(option) is None):
            kept.append(option)
    return Choice(options=kept) if len(kept) > 1 else None


def _is_tunable(value: JsonValue) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
