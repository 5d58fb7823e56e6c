"""What a host leaves behind when it is killed, and that the next one clears it away."""

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.contracts.conformance import DAEMON, alive
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.supervision import owner as owners
from open_autoglm.sandbox.supervision import tree
from open_autoglm.sandbox.supervision.cgroup import ROOT
from open_autoglm.sandbox.supervision.folders import OWNER, mark_in, sweep
from open_autoglm.sandbox.supervision.owner import is_gone, owner

HOST = f"""
import sys, tempfile
from pathlib import Path
from open_autoglm.sandbox.base import Profile
from open_autoglm.sandbox.contracts.conformance import Bench
from open_autoglm.sandbox.backends.{{module}} import {{name}}
session = {{name}}(imports=()).open(cpus=1)
print(session._base, flush=True)
code = {DAEMON!r} + "daemon({{tag!r}})\\n(OUT / 'up').touch()\\ntime.sleep(60)"
Bench(session, Path({{folder!r}})).run(code)
"""


def test_only_what_is_dead_for_certain_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what has no proper name, and not what lives in another PID namespace."""
    boot, namespace, pid, began = owner().split("/")
    assert [is_gone(name) for name in (owner(), "", "1/2/3", f"{boot}/1/{pid}/1", f"{boot}/{namespace}/x/1")] == [
        False
    ] * 5
    assert is_gone(f"an/earlier/{pid}/{began}")
    assert is_gone(f"{boot}/{namespace}/{pid}/1")
    assert is_gone(f"{boot}/{namespace}/999999999/{began}")

    monkeypatch.setattr(owners, "HAS_PROC", False)
    assert not is_gone(owner())
    assert is_gone("//999999999/runs")

    def forbid(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(owners.os, "kill", forbid)
    assert not is_gone("//1/runs")  # a process that may not be signalled is alive


def groups_of(pid: int) -> list[Path]:
    return [path for pattern in ("open-autoglm", "*/open-autoglm") for path in ROOT.glob(f"{pattern}/{pid}-*")]


@pytest.mark.parametrize(
    "backend",
    [ProcessSandbox, BubblewrapSandbox, pytest.param(DockerSandbox, marks=pytest.mark.docker)],
    ids=lambda backend: backend.name,
)
def test_the_next_start_clears_what_a_killed_host_left(backend: Callable[..., Sandbox], tmp_path: Path) -> None:
    """Its processes, also those that left its tree; its folder, control groups and container."""
    sandbox = backend(imports=())
    demand(there=sandbox.probe().ready, reason=sandbox.probe().reason)
    tag = uuid.uuid4().hex
    text = HOST.format(module=sandbox.name, name=backend.__name__, tag=tag, folder=str(tmp_path))
    host = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    base = Path(host.stdout.readline().strip())
    end = time.monotonic() + 30
    while not alive(tag) and time.monotonic() < end:
        time.sleep(0.02)
    assert alive(tag)
    host.send_signal(signal.SIGKILL)
    host.wait()
    host.stdout.close()
    assert base.exists()

    sandbox.open(cpus=1).close()
    while alive(tag) and time.monotonic() < end:
        time.sleep(0.02)
    assert (alive(tag), base.exists(), groups_of(host.pid)) == ([], False, [])


def test_what_runs_on_is_found_by_the_mark_in_its_folder(tmp_path: Path) -> None:
    """Where no control group holds it."""
    mark, folder = uuid.uuid4().hex, tmp_path / "autoglm-x"
    folder.mkdir()
    (folder / OWNER).write_text(owner().rpartition("/")[0] + "/0")
    mark_in(folder, mark)
    code = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], env={tree.MARK: mark}, stdout=subprocess.PIPE) as left:
        assert left.stdout is not None
        left.stdout.readline()
        sweep(tmp_path)
        assert left.wait(10) == -signal.SIGKILL
    assert not folder.exists()
