"""The memory of a run that a language model drives: what of it may be told, and where lessons of earlier runs lie."""

from pathlib import Path

from open_autoglm.agents.glm.sharing import Share
from open_autoglm.agents.memory.lessons import LessonStore
from open_autoglm.agents.memory.memory import Memory
from open_autoglm.agents.memory.tokens import Shares
from open_autoglm.events import EventKind, EventLog


def memory_of(context_tokens: int | None, share: Share, lessons: Path | None, events: EventLog) -> Memory:
    """Make the memory for a model with this context; `lessons` is the user's file of them, None keeps none."""

    def warn(text: str) -> None:
        events.emit(EventKind.WARNING, text=text)

    return Memory(
        share=share,
        lessons=None if lessons is None else LessonStore(lessons, warn=warn),
        shares=Shares.of(context_tokens),
    )
