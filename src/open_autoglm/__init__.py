"""Open-AutoGLM: a sentence and data in, a verified machine-learning model out.

    import open_autoglm
    result = open_autoglm.run("Predict which passengers survived", data="examples/titanic.csv", time="60s")
    result.predict(new_rows)

The code lives in the folders at the root of the repository; the links beside this file give them their import name
(docs/decisions/0001-import-name.md):

    agents   ->  open_autoglm.agents     who decides: state machine, search, strategists, budget, journal
    sandbox  ->  open_autoglm.sandbox    where generated code runs: the contract and its backends
    tools    ->  open_autoglm.tools      what the agents use: task, data, metrics, tuning, export, serving
    evals    ->  open_autoglm.evals      how we know it works: suites and their runner
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from open_autoglm.api import Model, RunResult, load, resume, run
    from open_autoglm.errors import AutoGLMError

    __version__: str

__all__ = ["AutoGLMError", "Model", "RunResult", "__version__", "load", "resume", "run"]

_HOME = {
    "AutoGLMError": "open_autoglm.errors",
    "Model": "open_autoglm.api",
    "RunResult": "open_autoglm.api",
    "load": "open_autoglm.api",
    "resume": "open_autoglm.api",
    "run": "open_autoglm.api",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `import open_autoglm` itself stays instant."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs 20 ms that `import open_autoglm` does not owe

        return version("open-autoglm")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
