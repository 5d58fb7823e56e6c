"""The seam between the front door and the agents."""

from pathlib import Path
from typing import Any

import pytest

from open_autoglm.agents import run as run_module
from open_autoglm.agents.budget import StopFlag
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.workspace import Workspace
from open_autoglm.engine import AgentEngine, Hooks
from open_autoglm.errors import RunDirectoryError
from open_autoglm.sandbox.supervision.pool import PooledSandbox
from open_autoglm.scripted_engine import example_outcome


class Called:
    """Stands for `start_run` and `resume_run`: remembers what it was given, and whether the sandbox was open then."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.sandboxes: list[PooledSandbox] = []
        self.given: list[dict[str, Any]] = []

    def __call__(self, *arguments: object, sandbox: PooledSandbox, **given: Any) -> Outcome:
        sandbox.open(cpus=sandbox.first.cpus).close()
        self.sandboxes.append(sandbox)
        self.given.append(given)
        return self.outcome


def test_a_run_and_its_resumption_share_one_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both get sessions that are kept warm, of the sandbox that the run asked for, and the same hooks; the pool ends with them."""
    called = Called(example_outcome(tmp_path / "run"))
    monkeypatch.setattr(run_module, "start_run", called)
    monkeypatch.setattr(run_module, "resume_run", called)
    options = RunOptions(prompt="x", data=[tmp_path / "x.csv"], out=tmp_path / "run", sandbox="process")
    Workspace.create(options)
    hooks = Hooks(stop=StopFlag())

    AgentEngine().start(options, frames=None, hooks=hooks)
    AgentEngine().resume(tmp_path / "run", budget=None, hooks=hooks)

    assert [(type(pool), pool.name, pool._closed, pool._waiting) for pool in called.sandboxes] == [
        (PooledSandbox, "process", True, [])
    ] * 2
    started, resumed = called.given
    assert started.pop("frames") is resumed.pop("budget") is None
    assert [given.pop("connect").keywords for given in (started, resumed)] == [{"key": None}] * 2
    assert started == resumed == hooks.as_keywords()


def test_a_folder_without_a_run_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    """No sandbox is opened for nothing."""
    with pytest.raises(RunDirectoryError, match="not a run directory"):
        AgentEngine().resume(tmp_path, budget=None, hooks=Hooks())
