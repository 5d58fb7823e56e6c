"""Where a worker that finds nothing to try waits for those that still run: what they find may give it something to do."""

import asyncio


class WaitingRoom:
    """Workers of one event loop. A worker is either busy or waiting, and leaves once for good.

    Args:
        workers: How many there are; all begin busy.
    """

    def __init__(self, workers: int) -> None:
        self._busy = workers
        self._waiting: list[asyncio.Future[bool]] = []
        self.news = 0
        """How often a worker had news; what was decided before the last of them may no longer hold."""

    def tell(self) -> None:
        """Say that an attempt was closed: whoever waits decides anew."""
        self.news += 1
        self._busy += len(self._waiting)
        self._wake(go_on=True)

    def leave(self) -> None:
        """Say that a worker ends. Those that wait decide anew: why it ended may be their reason, too."""
        self._busy -= 1
        self.tell()

    async def wait(self, seen: int) -> bool:
        """Wait for news, and tell whether there are any; there are none where nobody is busy any more.

        Args:
            seen: `news` as it was before the worker decided that there is nothing to do.
        """
        if seen != self.news:
            return True
        self._busy -= 1
        if not self._busy:
            self._wake(go_on=False)
            return False
        woken = asyncio.get_running_loop().create_future()
        self._waiting.append(woken)
        return await woken

    def _wake(self, *, go_on: bool) -> None:
        for woken in self._waiting:
            if not woken.done():  # its worker was cancelled
                woken.set_result(go_on)
        self._waiting.clear()
