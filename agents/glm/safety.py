"""The safety net under a language model: what fails is caught and counted, and a model that keeps failing is left alone.

One operator that fails hands over to recipes. After `MOST_SILENCES` times without an answer, or `MOST_BAD_ANSWERS` operators in a
row whose answers could not be used, or at a cap on tokens or money, recipes write for the rest of the run. It never waits longer than
it was told, and nothing that a model does or leaves undone ends a run.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from open_autoglm.errors import CapReached, EndpointFailed, UnusableReply

T = TypeVar("T")
MOST_SILENCES = 2
MOST_BAD_ANSWERS = 6
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded:
    """Why a model is not asked any more."""

    cause: Literal["endpoint", "answers", "cap"]
    detail: str
    """What happened last, in one line."""


class SafetyNet:
    """Holds what operators do. Used from one event loop; `release` from any thread.

    Args:
        tell: Called once, when the model is given up.
    """

    def __init__(self, tell: Callable[[Degraded], None] = lambda _: None) -> None:
        self._tell = tell
        self._silences = self._bad_answers = 0
        self._released = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Future[Any]] = set()
        self.degraded: Degraded | None = None
        """None while the model is asked."""

    async def hold(self, work: Callable[[], Awaitable[T]], seconds: float | None) -> T | None:
        """Return what `work` gives; None where the model is not asked any more, or failed, or `seconds` were over."""
        if self.degraded is not None or self._released or (seconds is not None and seconds <= 0):
            return None
        self._loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work())
        self._running.add(task)
        try:
            async with asyncio.timeout(seconds):
                made = await task
        except asyncio.CancelledError:
            if _being_cancelled() or not self._was_released():
                raise
        except (EndpointFailed, TimeoutError) as error:
            self._count_silence(str(error) or f"No answer within {seconds:.0f} seconds.")
        except CapReached as error:
            self._give_up("cap", str(error))
        except UnusableReply as error:
            self._count_bad_answer(str(error))
        else:
            self._silences = self._bad_answers = 0
            return made
        finally:
            task.cancel()
            self._running.discard(task)
        return None

    def release(self) -> None:
        """Let go of what the model is asked right now, and ask it nothing more: the user wants to come to an end."""
        self._released = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._running])

    def _was_released(self) -> bool:
        return self._released

    def _count_silence(self, detail: str) -> None:
        self._silences += 1
        if self._silences >= MOST_SILENCES:
            self._give_up("endpoint", detail)

    def _count_bad_answer(self, detail: str) -> None:
        self._bad_answers += 1
        if self._bad_answers >= MOST_BAD_ANSWERS:
            self._give_up("answers", detail)

    def _give_up(self, cause: Literal["endpoint", "answers", "cap"], detail: str) -> None:
        if self.degraded is None:
            self.degraded = Degraded(cause=cause, detail=" ".join(detail.split())[:LONGEST_DETAIL])
            self._tell(self.degraded)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
