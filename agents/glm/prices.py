"""What an endpoint charges."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from open_autoglm.agents.glm.wire import Usage  # settings, which hold prices, need nothing else of it

MILLION = 1_000_000

Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Prices(BaseModel):
    """Prices of a million tokens, in the currency that `max_cost` is in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Money = Field(description="Of what is sent.")
    cached: Money | None = Field(None, description="Of what is sent and the endpoint still had; none is the same.")
    output: Money = Field(description="Of what is generated, thinking included.")

    def of(self, usage: "Usage") -> float:
        """Return what a call cost."""
        cached = self.prompt if self.cached is None else self.cached
        new = usage.prompt - usage.cached
        return (new * self.prompt + usage.cached * cached + usage.output * self.output) / MILLION
