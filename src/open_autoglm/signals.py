"""Ctrl-C and SIGTERM while a run works: first finish with the best so far, then stop now, resumable."""

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from open_autoglm.tools.words import said

if TYPE_CHECKING:
    from open_autoglm.agents.budget import StopFlag

FINISHING = said("Stopping: finishing with the best so far. Ctrl-C again stops now; the run can be resumed.")
STOPPING = said("Stopping now.")


@contextmanager
def stop_on_signals(stop: "StopFlag", note: Callable[[str], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into `stop.request()`, and a second one, SIGTERM or SIGHUP into `stop.abort()`.

    Outside the main thread, where Python takes no signals, it does nothing. A handler only puts a word into a reentrant
    queue: the locks behind `stop` may be held by the very code that the signal interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def handler(number: int, _: FrameType | None) -> None:
        arrived.put(number)

    def obey() -> None:
        while (number := arrived.get()) is not None:
            if number != signal.SIGINT or stop.requested:
                note(STOPPING)
                stop.abort()
            else:
                note(FINISHING)
                stop.request()

    thread = threading.Thread(target=obey, name="signals", daemon=True)
    thread.start()
    heeded = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: the run outlives its terminal
        heeded.append(signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
        arrived.put(None)
        thread.join(timeout=1)
