"""Which libraries a fork server imports, and that its forks can use them."""

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.process import ProcessLauncher, ProcessSandbox
from open_autoglm.sandbox.base import Job, Limits, Profile, Sandbox
from open_autoglm.sandbox.bundles import profiles
from open_autoglm.sandbox.bundles.profiles import IMPORTS, profile_of
from open_autoglm.sandbox.contracts.conformance import Bench
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.report import Status
from open_autoglm.sandbox.supervision.servers import Servers

needs_torch = pytest.mark.needs(importlib.util.find_spec("torch") is not None, "torch is not installed")


def job(code: str, call: str = "script") -> Job:
    limits = Limits(wall_seconds=1, memory_bytes=1 << 20)
    return Job(
        execution_id="1", phase="test", call=call, code={"solution.py": "", "more.py": code}, context={}, inputs={},
        limits=limits, collect=Path("nowhere"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "call", "profile"),
    [
        ("import json, re\nx = 'import pandas'", "script", Profile.PLAIN),
        ("import os\n\nif True:\n    from sklearn.base import clone", "script", Profile.TABULAR),
        ("import os, numpy as np", "script", Profile.TABULAR),
        ("import json", "fit", Profile.TABULAR),
        ("import torch.nn as nn", "predict", Profile.TORCH),
        ("import os; import json\nfrom transformers import pipeline", "script", Profile.TORCH),
        ("import torches", "notebook", Profile.PLAIN),
    ],
)
def test_the_profile_follows_what_the_code_imports(
    monkeypatch: pytest.MonkeyPatch, code: str, call: str, profile: Profile
) -> None:
    """In any of its files; calls of the runtime that read tables count as well."""
    monkeypatch.setattr(profiles, "_has_torch", lambda: True)
    assert profile_of(job(code, call)) == profile


def test_without_torch_its_profile_is_that_for_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code will say itself what it misses."""
    monkeypatch.setattr(profiles, "_has_torch", lambda: False)
    assert profile_of(job("import torch", "fit")) == Profile.TABULAR
    assert profile_of(job("import torch")) == Profile.PLAIN


def test_torch_is_looked_for_where_code_wants_it() -> None:
    """Without importing it."""
    has = importlib.util.find_spec("torch") is not None
    assert profile_of(job("import torch", "fit")) == (Profile.TORCH if has else Profile.TABULAR)


def test_a_session_holds_one_server_for_each_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wrong guess is given up, what idles is stopped, and plain code takes what there is."""
    monkeypatch.setattr("open_autoglm.sandbox.supervision.servers.IMPORTS", dict.fromkeys(Profile, ()))
    servers = Servers(ProcessLauncher(), tmp_path, 1)
    servers.start(Profile.TORCH)
    tables = servers.ready(Profile.TABULAR, lambda: False)
    assert tables is not None
    assert (servers.has(Profile.TORCH), servers.profile_for(job("import json"))) == (False, Profile.TABULAR)
    assert servers.profile_for(job("import sklearn")) == Profile.TABULAR
    other = servers.ready(Profile.PLAIN, lambda: False)
    assert servers.ready(Profile.TABULAR, lambda: False) is tables
    assert other is not None
    servers.idle_seconds = 0.0
    time.sleep(0.001)
    servers.ready(Profile.PLAIN, lambda: False)
    assert not servers.has(Profile.TABULAR)
    assert tables.process.poll() is not None
    servers.close()
    assert other.process.poll() is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "profile", [Profile.PLAIN, Profile.TABULAR, Profile.KERNEL, pytest.param(Profile.TORCH, marks=needs_torch)]
)
def test_a_fork_server_has_one_thread(profile: Profile, tmp_path: Path) -> None:
    """A fork takes one thread along: what others held would stay locked for good."""
    servers = Servers(ProcessLauncher(), tmp_path, 1)
    server = servers.start(profile)
    server.hurried = True  # let it import everything first
    assert server.wait(lambda: False)
    facts = server.facts
    servers.close()

    assert (facts["threads"], facts["left"], facts["missing"]) == (1, 0, [])
    assert set(IMPORTS[Profile.TABULAR]) < set(IMPORTS[Profile.TORCH])


TRAINING = """
import torch
torch.manual_seed(0)
x = torch.randn(2000, 64)
y = (x[:, :1] * 2 - x[:, 1:2]).tanh()
model = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 1))
steps = torch.optim.Adam(model.parameters(), 0.01)
for _ in range(60):
    loss = torch.nn.functional.mse_loss(model(x), y)
    steps.zero_grad(); loss.backward(); steps.step()
print(loss.item() < 0.1)
"""


@pytest.mark.slow
@needs_torch
@pytest.mark.parametrize("backend", [ProcessSandbox, BubblewrapSandbox], ids=["process", "bubblewrap"])
def test_forks_of_a_server_with_torch_can_train(backend: Callable[[], Sandbox], tmp_path: Path) -> None:
    """One after another, with threads: a parent that had computed would hang them."""
    demand(there=backend().probe().ready, reason=backend().probe().reason)
    session = backend().open(cpus=2, profile=Profile.TORCH)
    bench = Bench(session, tmp_path)
    reports = [bench.run(TRAINING, wall_seconds=60, memory_bytes=4 << 30) for _ in range(3)]
    session.close()

    assert [(report.status, report.stdout.head) for report in reports] == [(Status.STATUS_OK, "True\n")] * 3
    assert reports[-1].claimed_seconds["call"] < reports[0].wall_seconds
