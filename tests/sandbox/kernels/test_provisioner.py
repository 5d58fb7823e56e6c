"""Kernels that any Jupyter starts in a sandbox: by jupyter-client's own managers, and by a notebook's client."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from tests.sandbox.test_driver import MeasuredLauncher

from open_autoglm.errors import SandboxError, SandboxUnavailable
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import KernelSession, Profile
from open_autoglm.sandbox.bundles.profiles import KERNEL_IMPORTS
from open_autoglm.sandbox.contracts.conformance import DAEMON, alive
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.kernels import kernelspecs, provisioner, wires
from open_autoglm.sandbox.supervision.session import SupervisedSession

# jupyter-client's synchronous managers leave an event loop in every thread that asked them for something.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

CLASSES = {"autoglm-bubblewrap": "BubblewrapProvisioner", "autoglm-docker": "DockerProvisioner"}
SANDBOXES = {"autoglm-bubblewrap": BubblewrapSandbox, "autoglm-docker": DockerSandbox}
SECONDS = 60


class Unsealed(ProcessSandbox):
    """Whose kernels are measured, where the tests are."""

    def open(self, *, cpus: int = 2, profile: Profile = Profile.TABULAR) -> KernelSession:
        return SupervisedSession(MeasuredLauncher(), cpus=cpus, imports=KERNEL_IMPORTS)


class UnsealedProvisioner(provisioner.SealedProvisioner):
    """For what a provisioner does itself."""

    make_sandbox = Unsealed


@pytest.fixture(autouse=True)
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Kernelspecs that nobody else sees, provisioners as the installed package names them."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "run"))
    factory = KernelProvisionerFactory.instance()
    here = {**CLASSES, "unsealed": "UnsealedProvisioner"}
    for name, kind in here.items():
        module = __name__ if name == "unsealed" else provisioner.__name__
        point = EntryPoint(name=name, group=KernelProvisionerFactory.GROUP_NAME, value=f"{module}:{kind}")
        monkeypatch.setitem(factory.provisioners, name, point)
    kernelspecs.install(prefix=tmp_path)
    folder = tmp_path / "share" / "jupyter" / "kernels" / "unsealed"
    folder.mkdir()
    (folder / "kernel.json").write_text(json.dumps(kernelspecs.kernelspec("unsealed", "Unsealed")))
    yield tmp_path / "share" / "jupyter" / "kernels"
    KernelProvisionerFactory.clear_instance()


def require(name: str) -> None:
    """Leave a test out where its sandbox is not ready; where CI runs, that would prove nothing."""
    if name in SANDBOXES:
        readiness = SANDBOXES[name]().probe()
        demand(there=readiness.ready, reason=readiness.reason)


def asked(client: Any, code: str) -> tuple[dict[str, Any], str]:
    """Execute code; return the reply and what was printed."""
    printed: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, output_hook=listen, timeout=SECONDS)
    return reply["content"], "".join(printed)


EVERYWHERE = [
    pytest.param("unsealed", marks=pytest.mark.slow),
    pytest.param("autoglm-bubblewrap", marks=pytest.mark.slow),
    pytest.param("autoglm-docker", marks=[pytest.mark.slow, pytest.mark.docker]),
]


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_kernel_manager_starts_interrupts_restarts_and_ends_it(name: str, tmp_path: Path) -> None:
    """As it does with any kernel; afterwards nothing is left."""
    require(name)
    (tmp_path / "rows.csv").write_text("a,b")
    manager = KernelManager(kernel_name=name)
    manager.kernel_spec.metadata["kernel_provisioner"]["config"] = {"data": {"rows.csv": "rows.csv"}, "cpus": 1}
    manager.start_kernel(cwd=str(tmp_path))
    tag = f"autoglm-test-{os.urandom(8).hex()}"
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(SECONDS)
    assert asked(client, "print(open('rows.csv').read())")[1] == "a,b\n"
    timer = threading.Timer(0.5, manager.interrupt_kernel)
    timer.start()
    assert asked(client, "import time\ntime.sleep(60)")[0]["ename"] == "KeyboardInterrupt"
    timer.join()
    asked(client, f"x = 1\n{'import os, sys' + DAEMON}\ndaemon('{tag}')")
    assert alive(tag)
    manager.restart_kernel()
    assert not alive(tag)
    client.wait_for_ready(SECONDS)
    assert asked(client, "x")[0]["ename"] == "NameError"
    assert manager.is_alive()
    folder = Path(manager.ip).parent
    client.stop_channels()
    manager.shutdown_kernel()

    assert not manager.has_kernel
    assert not folder.exists()


@pytest.mark.parametrize("name", EVERYWHERE)
def test_it_can_be_killed_and_is_seen_to_die(name: str) -> None:
    """Also by a manager that does not wait, and by itself."""
    require(name)

    async def live() -> list[bool]:
        manager = AsyncKernelManager(kernel_name=name)
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(SECONDS)
        seen = [await manager.is_alive()]
        client.execute("import os; os._exit(4)")
        async with asyncio.timeout(SECONDS):
            while await manager.is_alive():  # noqa: ASYNC110 - a manager tells nobody
                await asyncio.sleep(0.05)
        seen.append(await manager.is_alive())
        await manager.restart_kernel(now=True)
        await client.wait_for_ready(SECONDS)
        seen.append(await manager.is_alive())
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
        return [*seen, manager.has_kernel]

    assert asyncio.run(live()) == [True, False, True, False]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoglm-bubblewrap", pytest.param("autoglm-docker", marks=pytest.mark.docker)])
def test_a_notebook_is_executed_in_it(name: str) -> None:
    """By nbclient, which knows nothing of it."""
    require(name)
    cells = ["import pandas as pd", "pd.DataFrame({'a': [1]})", "import os\nprint(os.path.exists('/root/.ssh'))"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbclient.NotebookClient(notebook, kernel_name=name, timeout=SECONDS).execute()

    assert "<td>1</td>" in notebook.cells[1].outputs[0]["data"]["text/html"]
    assert notebook.cells[2].outputs[0]["text"] == "False\n"


def test_what_cannot_work_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is too long for sockets, data that are not there, signals that mean nothing here."""
    monkeypatch.setattr(provisioner, "LONGEST_ADDRESS", 3)
    with pytest.raises(SandboxError, match="too long a path"):
        KernelManager(kernel_name="unsealed").start_kernel()
    monkeypatch.undo()


def test_without_a_kernel_nothing_happens() -> None:
    """Before it is launched, and after its end; a failure of the sandbox is an exit status."""
    made = UnsealedProvisioner()

    async def ask() -> list[Any]:
        await made.kill()
        await made.terminate()
        await made.send_signal(2)
        await made.send_signal(15)
        await made.send_signal(1)
        await made.cleanup()
        return [await made.poll(), await made.wait()]

    assert asyncio.run(ask()) == [0, 0]
    assert not made.has_process


def test_data_that_are_not_there_end_the_kernel(kernels: Path) -> None:
    """The manager sees that it is dead."""
    manager = KernelManager(kernel_name="unsealed")
    manager.kernel_spec.metadata["kernel_provisioner"]["config"] = {"data": {"rows.csv": "/nowhere"}}
    manager.start_kernel()
    end = time.monotonic() + SECONDS
    while manager.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert not manager.is_alive()
    manager.shutdown_kernel(now=True)


def test_kernels_are_installed_where_jupyter_looks(kernels: Path, tmp_path: Path) -> None:
    """Each names its provisioner, and a command that runs nothing where that is missing."""
    content = json.loads((kernels / "autoglm-docker" / "kernel.json").read_text())
    assert content["metadata"]["kernel_provisioner"]["provisioner_name"] == "autoglm-docker"
    assert content["argv"][0] == "autoglm-sealed-kernel"
    (tmp_path / "file").touch()
    with pytest.raises(SandboxUnavailable, match="could not be installed"):
        kernelspecs.install(prefix=tmp_path / "file")


@pytest.mark.checkout
def test_the_package_names_its_provisioners() -> None:
    """As entry points, by which any Jupyter finds them."""
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    for name, kind in CLASSES.items():
        assert f'{name} = "{provisioner.__name__}:{kind}"' in text
    assert set(CLASSES) == set(kernelspecs.KERNELS)
    assert wires.CHANNELS[0] == "shell"
