"""CodeBundle: the code of one attempt, as data. It parses, or it is refused with the line and the reason."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue


class Author(StrEnum):
    """Where code came from. Set by the host, never read from the code."""

    RECIPES = "recipes"
    MODEL = "model"
    USER = "user"


class CodeBundle(BaseModel):
    """Files, what they need, and who wrote them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[str, str]
    """Relative POSIX path to text; `solution.py` is the entry."""
    requirements: list[str] = []
    author: Author
    title: str = ""
    """A few words for the leaderboard: what this solution does."""
    traits: Mapping[str, JsonValue] = {}
    """What the strategist wants to remember of it (family, blocks, options); opaque to everybody else."""
