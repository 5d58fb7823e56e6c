"""The first lines of a run directory: which run lies there, and what it was asked to do. Read without pandas."""

import json
from dataclasses import dataclass
from pathlib import Path

from open_autoglm.agents.options import RunOptions
from open_autoglm.errors import RunDirectoryError, damage
from open_autoglm.tools.places import short

HEADER = "run.json"
LAYOUT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What `run.json` says."""

    run_id: str
    options: RunOptions


def read_header(root: Path) -> Header:
    """Read the header of a run that this version can go on with.

    Raises:
        RunDirectoryError: It is no run directory, one of another version, or its header is damaged.
    """
    path = root / HEADER
    if not root.exists():
        raise RunDirectoryError(f"There is no run directory {str(root)!r}. `autoglm runs` lists those there are.")
    if not path.is_file():
        raise RunDirectoryError(f"{root} is not a run directory: it has no {HEADER}. `autoglm runs` lists your runs.")
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        layout, run_id = header["layout"], _text(header["run_id"])
        if layout != LAYOUT_VERSION:
            raise RunDirectoryError(
                f"{short(root)} was written by another version of autoglm (layout {layout}, here {LAYOUT_VERSION}). "
                "Go on with the version that wrote it, or start a new run."
            )
        return Header(run_id=run_id, options=RunOptions.model_validate(header["options"]))
    except (ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(
            f"{path} is damaged ({damage(error)}); the run cannot go on. Put back a copy of it, or start a new run."
        ) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
