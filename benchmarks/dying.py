"""A tree of processes that does not want to die, and a watch that sees from outside when it is dead."""

import os
import select
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

UP_SECONDS, DEAD_SECONDS = 20.0, 20.0


def program(tag: str) -> str:
    """Return code whose processes are all named `tag`: itself, two sessions of their own, a child of each; they ignore signals."""
    return f"""
import ctypes, os, signal, time
ctypes.CDLL(None).prctl(15, {tag!r}.encode(), 0, 0, 0)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
for busy in (True, False):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while busy: pass
        time.sleep(600)
time.sleep(600)
"""


class Tree:
    """Looks for the processes named `tag`, and holds a handle on each, by which the kernel tells its end."""

    SIZE = 5

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._up = threading.Event()
        self._dead_at = 0.0
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._given_up.set()
        self._thread.join()

    def wait_until_up(self) -> None:
        """Return once all of them were seen."""
        assert self._up.wait(UP_SECONDS), "the tree did not come up"

    def dead_at(self) -> float | None:
        """Return when the last of them died, in seconds since the epoch; None where its end came before all were seen."""
        if not self._up.is_set():
            return None
        self._thread.join(DEAD_SECONDS)
        assert self._dead_at, "something of the tree still lives"
        return self._dead_at

    def _watch(self) -> None:
        handles: dict[int, int] = {}
        while len(handles) < self.SIZE and not self._given_up.wait(0.005):
            for pid in self._named():
                if pid not in handles:
                    handles[pid] = os.pidfd_open(pid)
        if len(handles) < self.SIZE:
            return
        self._up.set()
        with select.epoll() as watch:
            for handle in handles.values():
                watch.register(handle, select.EPOLLIN)
            left = len(handles)
            end = time.monotonic() + DEAD_SECONDS
            while left and time.monotonic() < end:
                for handle, _ in watch.poll(0.5):
                    watch.unregister(handle)
                    left -= 1
            self._dead_at = 0.0 if left else time.time()
        for handle in handles.values():
            os.close(handle)

    def _named(self) -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    if (folder / "comm").read_text(encoding="utf-8", errors="replace").strip() == self._tag:
                        found.append(int(folder.name))
                except OSError:  # it ended while we looked
                    continue
        return found
