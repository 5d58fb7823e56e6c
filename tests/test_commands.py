"""What commands say beside their results."""

import io
import socket
from pathlib import Path

import pytest

from open_autoglm.agents.options import RunOptions
from open_autoglm.commands import _point_to_a_model
from open_autoglm.front import Front
from open_autoglm.terminal import Terminal


class Screen(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def told(options: RunOptions, *, interactive: bool = True) -> str:
    """Return what a run says that finds a server on vLLM's port."""
    screen = Screen()
    keys = Screen() if interactive else io.StringIO()
    with socket.create_server(("127.0.0.1", 0)) as server:
        _point_to_a_model(Front(terminal=Terminal(io.StringIO(), screen, keys)), options, port=server.getsockname()[1])
    return screen.getvalue()


def options(folder: Path, **more: object) -> RunOptions:
    return RunOptions.model_validate({"prompt": "Predict y.", "data": ["t.csv"], "root": folder / "runs", **more})


@pytest.mark.service
def test_the_first_run_points_to_a_server_nearby(tmp_path: Path) -> None:
    """A person is told how to have it used; it is not asked anything."""
    assert "--base-url" in told(options(tmp_path))


@pytest.mark.parametrize("more", [{"base_url": "http://127.0.0.1:8000/v1"}, {"strategist": "recipes"}])
def test_who_has_decided_is_not_told(tmp_path: Path, more: dict[str, object]) -> None:
    """An endpoint was named, or recipes were asked for."""
    assert told(options(tmp_path, **more)) == ""


def test_later_runs_and_programs_are_not_told(tmp_path: Path) -> None:
    """It is said once, to a person."""
    assert told(options(tmp_path), interactive=False) == ""
    (tmp_path / "runs").mkdir()
    assert told(options(tmp_path)) == ""
