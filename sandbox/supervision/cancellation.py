"""The wish to end an execution, in a form that wakes who waits for other things."""

import os
import threading
from contextlib import suppress


class Cancellation(threading.Event):
    """An event that a selector can wait for as well: it is readable from `set` to `clear`."""

    def __init__(self) -> None:
        super().__init__()
        self._ear, self._bell = os.pipe()
        for end in (self._ear, self._bell):
            os.set_blocking(end, False)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._ear

    def set(self) -> None:
        """Wish it."""
        super().set()
        with suppress(BlockingIOError):  # it has rung often enough
            os.write(self._bell, b"\0")

    def clear(self) -> None:
        """Wish it no more."""
        super().clear()
        with suppress(BlockingIOError):
            while os.read(self._ear, 1 << 10):
                pass

    def close(self) -> None:
        """Free its descriptors."""
        os.close(self._ear)
        os.close(self._bell)
        self._ear = self._bell = -1  # the numbers may be given to others
