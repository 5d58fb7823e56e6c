"""Blocking work on threads, so that no worker waits for another: one pool for sandboxes, one for the host's own work."""

import asyncio
import concurrent.futures
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from open_autoglm.sandbox.base import Job, Session
from open_autoglm.sandbox.report import ExecutionReport

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """Runs synchronous calls for coroutines."""

    def __init__(self, workers: int) -> None:
        self._sandbox = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="sandbox")
        self._host = ThreadPoolExecutor(max_workers=max(2, workers), thread_name_prefix="host")

    async def host(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the host's own work: profiling, grading, hashing."""
        return await _submit(self._host, functools.partial(function, *args, **kwargs))

    async def execute(self, session: Session, job: Job) -> ExecutionReport:
        """Run a job in its session. Cancelled, it kills the job and waits until it is dead."""
        future = asyncio.get_running_loop().run_in_executor(self._sandbox, session.run, job)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            session.cancel()
            await asyncio.wait([future])
            raise

    def close(self) -> None:
        """Wait for what is running and free the threads."""
        self._sandbox.shutdown(wait=True)
        self._host.shutdown(wait=True)


async def _submit(pool: Executor, call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, call)


def in_a_loop(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where this thread already runs an event loop (Jupyter)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    with concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="autoglm") as thread:
        return thread.submit(lambda: asyncio.run(make())).result()
