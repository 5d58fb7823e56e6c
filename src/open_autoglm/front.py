"""What every command is given: the terminal, the engine and the ways to reach the outside. Tests give their own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from open_autoglm.terminal import Terminal

if TYPE_CHECKING:
    from open_autoglm.dialogue import Reader
    from open_autoglm.doctor import Probe
    from open_autoglm.engine import Engine


def _agent_engine() -> "Engine":
    from open_autoglm.engine import AgentEngine  # noqa: PLC0415 - `--help` needs no engine

    return AgentEngine()


def _terminal_reader() -> "Reader":
    from open_autoglm.dialogue import terminal_reader  # noqa: PLC0415 - only questions pay for it

    return terminal_reader()


def _probe() -> "Probe":
    from open_autoglm.doctor import probe_backends  # noqa: PLC0415 - only doctor pays for it

    return probe_backends


@dataclass(slots=True, kw_only=True)
class Front:
    """The surroundings of one command. Each part is made when it is first needed."""

    terminal: Terminal = field(default_factory=Terminal)
    engine: "Callable[[], Engine]" = _agent_engine
    reader: "Callable[[], Reader]" = _terminal_reader
    probe: "Callable[[], Probe]" = _probe
    whole_process: bool = False
    """Whether the command is all that this process does, so that its start counts against the budget, too."""
    run_dir: Path | None = None
    """The run directory in use, once the run has made it: where the trace of an internal error goes."""


def process_began() -> float:
    """Return when this process began, in seconds since the epoch."""
    import psutil  # noqa: PLC0415 - only a run counts its seconds

    return float(psutil.Process().create_time())
