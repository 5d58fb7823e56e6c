"""plan: several ideas that differ, each with what it may bring and cost. Drafts take them in turn."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from open_autoglm.agents.glm.decisions import decide
from open_autoglm.agents.glm.desk import Desk, told_limit
from open_autoglm.agents.glm.prompting import render
from open_autoglm.agents.glm.sharing import from_model
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.strategist import Brief

THINKING = 4096
ANSWER_TOKENS = 2048
_GAIN = {"large": 0, "medium": 1, "small": 2}
_COST = {"seconds": 0, "minutes": 1, "long": 2}


class Idea(BaseModel):
    """One solution that could be written."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    title: Annotated[str, Field(min_length=3, max_length=60)]
    approach: Annotated[str, Field(min_length=10, max_length=600)]
    """Features, model, what it is tuned to."""
    gain: Literal["small", "medium", "large"]
    """What it may bring over what is there."""
    cost: Literal["seconds", "minutes", "long"]
    """What one fold of it takes."""


class Ideas(BaseModel):
    """The answer to `plan`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ideas: Annotated[list[Idea], Field(min_length=2, max_length=5)]


async def plan(desk: Desk, brief: Brief, had: Sequence[Idea]) -> list[Idea]:
    """Ask for ideas unlike those that were `had` before; the most promising first, the cheaper among equals.

    Raises:
        UnusableReply: No answer could be used, or nothing in it is new.
        EndpointFailed: Nobody answered.
    """
    ask = render(
        "plan",
        had=[from_model(idea.title) for idea in had],
        fold_seconds=told_limit(brief),
        zh=brief.task.language == "zh",
    )
    call = desk.call(
        Purpose.PLAN, brief, ask, remembered=desk.remembered(brief), thinking=THINKING, max_tokens=ANSWER_TOKENS
    )
    answer = await decide(desk.model, call, Ideas)
    known = {_key(idea) for idea in had}
    fresh = {_key(idea): idea for idea in answer.ideas if _key(idea) not in known}
    return sorted(fresh.values(), key=lambda idea: (_GAIN[idea.gain], _COST[idea.cost]))


def _key(idea: Idea) -> str:
    return "".join(char for char in idea.title.lower() if char.isalnum())
