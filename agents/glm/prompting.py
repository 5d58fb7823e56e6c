"""Prompts: Jinja files under `prompts/`, filled in with what may be shared, and with nothing else.

Every prompt on a task begins with the same system message (rules, contract, what is installed, data card), so that a server's
prefix cache finds it again; what changes from call to call comes last.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from open_autoglm.agents.glm.sharing import Admissible, Shared, admitted, rendered
from open_autoglm.agents.glm.wire import Message, Part

FOLDER = Path(__file__).with_name("prompts")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=False,  # noqa: S701  # a prompt is plain text
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=admitted,
    )


def render(name: str, /, **values: Admissible) -> Shared:
    """Return the text of a prompt file (without its suffix) with these values.

    Raises:
        NotShared: A value did not come through `sharing`.
    """
    return rendered(_environment().get_template(f"{name}.j2"), **values)


def figure(value: float | None, digits: int = 5) -> float | None:
    """Return a number with so many digits that count, for a prompt."""
    return None if value is None else float(f"{value:.{digits}g}")


def system(*texts: Shared) -> Message:
    """Return a system message of texts that are never dropped."""
    return Message(role="system", parts=[Part(text=text) for text in texts if text])


def user(ask: Shared, remembered: Sequence[Part] = ()) -> Message:
    """Return a question with what is remembered before it; of that, the oldest is dropped first where room is short."""
    return Message(role="user", parts=[*remembered, Part(text=ask)])
