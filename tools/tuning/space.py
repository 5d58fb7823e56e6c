"""What may be tuned: parameters with their ranges. Written by strategists, also by a model, so checked on the way in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Float(_Part):
    """A real number between two bounds, both included; `log` searches its order of magnitude."""

    kind: Literal["float"] = "float"
    low: Annotated[float, Field(allow_inf_nan=False)]
    high: Annotated[float, Field(allow_inf_nan=False)]
    log: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Float":
        _check_bounds(self.low, self.high, log=self.log)
        return self

    def nearest(self, value: JsonValue) -> float | None:
        """Move a number into the bounds; None where the value is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            return None
        return min(max(float(value), self.low), self.high)


class Int(_Part):
    """A whole number between two bounds, both included; `log` searches its order of magnitude."""

    kind: Literal["int"] = "int"
    low: int
    high: int
    log: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Int":
        _check_bounds(self.low, self.high, log=self.log)
        return self

    def nearest(self, value: JsonValue) -> int | None:
        """Move a number to a whole one in the bounds; None where the value is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            return None
        return round(min(max(value, self.low), self.high))


class Choice(_Part):
    """One of several options of any kind that JSON can hold; they have no order."""

    kind: Literal["choice"] = "choice"
    options: Annotated[list[JsonValue], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> "Choice":
        for place, option in enumerate(self.options):
            if self.index(option) != place:
                raise ValueError(f"the option {option!r} is named twice")
        return self

    def index(self, value: JsonValue) -> int | None:
        """Find an option, telling True from 1; None where it is none."""
        for place, option in enumerate(self.options):
            if option == value and isinstance(option, bool) == isinstance(value, bool):
                return place
        return None


Dimension: TypeAlias = Annotated[Float | Int | Choice, Field(discriminator="kind")]


class Space(_Part):
    """Parameters by name. Plain JSON both ways."""

    dimensions: Annotated[dict[str, Dimension], Field(min_length=1)]


def _check_bounds(low: float, high: float, *, log: bool) -> None:
    if low > high:
        raise ValueError(f"low {low} is above high {high}")
    if log and low <= 0:
        raise ValueError(f"a logarithmic range starts above 0, not at {low}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Parameters that were tried, and what came of it."""

    params: Mapping[str, JsonValue]
    value: float | None = None
    """The score; None while it is pending, or because it failed."""
    pending: bool = False
    """Somebody is trying these parameters right now."""
