"""Paths as people write them, for messages and for commands that can be copied."""

import shlex
from pathlib import Path


def short(path: Path) -> str:
    """Return the path as seen from the working directory, where it lies below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def how_to_resume(run_dir: Path, *options: str) -> str:
    """Return the command that goes on with a run, as typed from the working directory."""
    return " ".join(["autoglm resume", shlex.quote(short(run_dir)), *options])
