"""Where vLLM is: in an environment of its own, or in its container image. It never shares an environment with this package."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from open_autoglm.errors import InputError

IMAGE = "vllm/vllm-openai:v0.33.0"
"""What `--docker` runs; the flags are those of this version."""
WANTED = "0.33"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A vLLM that can be started."""

    path: str
    """`vllm` itself, or `docker`."""
    image: str | None = None
    """The image that `docker` runs it in."""


def find_program(named: Path | None, *, image: str | None, own: Path) -> Program:
    """Return the vLLM to start.

    Args:
        named: The program, the environment that it is in, or that environment's Python.
        image: A container image; None starts no container.
        own: The environment that is looked into before PATH is.

    Raises:
        InputError: It is not there; says how to get it.
    """
    if image is not None:
        if named is not None:
            raise InputError("--vllm and --docker name two places for one vLLM. Give one of them.")
        docker = shutil.which("docker")
        if docker is None:
            raise InputError("There is no docker program. Install it, or vLLM itself: " + how_to_install(own))
        return Program(path=docker, image=image)
    if named is not None:
        return Program(path=str(_within(named)))
    inside = own / "bin" / "vllm"
    found = str(inside) if _runs(inside) else shutil.which("vllm")
    if found is None:
        raise InputError(
            f"vLLM was not found in {own} nor on PATH. Install it into an environment of its own: {how_to_install(own)} "
            "Or name it by --vllm PATH, or run its container by --docker."
        )
    return Program(path=found)


def how_to_install(own: Path) -> str:
    """Return the commands that make the environment which is looked into."""
    return f"`python3 -m venv {own} && {own}/bin/pip install 'vllm>={WANTED}'`."


def _within(named: Path) -> Path:
    """Return the program that a path means."""
    path = named.expanduser().absolute()
    candidates = [path / "bin" / "vllm", path / "vllm"] if path.is_dir() else [path]
    if path.name.startswith("python"):
        candidates = [path.parent / "vllm"]
    for candidate in candidates:
        if _runs(candidate):
            return candidate
    raise InputError(f"There is no vLLM at {str(named)!r}: no program {str(candidates[0])!r} that can be run.")


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
