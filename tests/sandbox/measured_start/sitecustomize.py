"""Begins to measure a process that a test started; see `measured.py`."""

import atexit
import os
import shutil
import time
from collections.abc import Callable
from typing import Any

import coverage

measure = coverage.Coverage(
    data_file=os.environ["MEASURED_PARTS"] + "/part",
    data_suffix=True,
    branch=True,
    source=[os.environ["MEASURED_SOURCE"]],
    config_file=False,
)
measure.start()


def write() -> None:
    """Write down what was seen so far, in a file of this process's own."""
    measure.stop()
    measure.save()
    whole = measure.get_data().data_filename()
    target = f"{os.environ['MEASURED_FILE']}.inside.{os.getpid()}.{time.monotonic_ns()}"
    hidden = os.path.join(os.path.dirname(target), f".measuring{time.monotonic_ns()}")  # noqa: PTH118, PTH120 - as in coverage
    shutil.copyfile(whole, hidden)
    os.rename(hidden, target)  # noqa: PTH104


def writing_first(end: Callable[..., Any]) -> Callable[..., Any]:
    """Return a way to end this program, after what was measured is on disk."""

    def write_and_end(*arguments: object) -> None:
        try:
            write()
        finally:
            end(*arguments)

    return write_and_end


atexit.register(write)
os._exit = writing_first(os._exit)
os.execv = writing_first(os.execv)
