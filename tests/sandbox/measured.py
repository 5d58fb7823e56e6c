"""Measures lines that run only inside a sandbox, where the tests themselves run under coverage.

`environment()` makes Python start with `sitecustomize`, beside this file's folder `measured_start`, which begins to measure and
writes down what it saw also where a process ends by `os._exit`.
"""

import atexit
import os
from functools import cache
from pathlib import Path

import open_autoglm.sandbox
from open_autoglm.sandbox.supervision.folders import make_folder, remove

FOLDER = Path(__file__).parent / "measured_start"


@cache
def _parts() -> str:
    """Return a folder for what is half written: a process that is killed at that moment must not leave a broken file."""
    folder = make_folder("measured")
    atexit.register(remove, folder)
    return str(folder)


def folders() -> list[str]:
    """Return where a process that is measured writes; nothing where nothing is measured."""
    measured = environment()
    return [measured["MEASURED_PARTS"], os.path.dirname(measured["MEASURED_FILE"])] if measured else []  # noqa: PTH120


def environment() -> dict[str, str]:
    """Return the variables that a Python to be measured is started with; empty where nothing is measured."""
    try:
        import coverage  # noqa: PLC0415 - no dependency of the tests themselves
    except ImportError:
        return {}
    current = coverage.Coverage.current()
    if current is None:
        return {}
    sandbox = Path(open_autoglm.sandbox.__file__).resolve().parent
    return {
        "MEASURED_PARTS": _parts(),
        "PYTHONPATH": str(FOLDER),
        "MEASURED_FILE": os.path.abspath(current.get_option("run:data_file") or ".coverage"),  # noqa: PTH100 - as coverage does
        "MEASURED_SOURCE": str(sandbox),
    }
