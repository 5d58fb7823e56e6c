"""Kernels that are used once: the contracts inside bubblewrap, and what holds in every sandbox that a kernel is put into."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sandbox.test_driver import MeasuredLauncher

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import DockerSandbox
from open_autoglm.sandbox.backends.jupyter import JupyterSandbox, KernelLauncher
from open_autoglm.sandbox.base import Profile, Readiness, Sandbox
from open_autoglm.sandbox.bundles.profiles import KERNEL_IMPORTS
from open_autoglm.sandbox.contracts.conformance import Bench, SandboxContract
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.contracts.isolation_contract import IsolationContract
from open_autoglm.sandbox.contracts.packages_contract import PackagesContract
from open_autoglm.sandbox.launch import Launcher, Seclusion
from open_autoglm.sandbox.report import Status
from open_autoglm.sandbox.supervision.server import receive
from open_autoglm.sandbox.supervision.session import SupervisedSession

around = BubblewrapSandbox().probe()
needs_bubblewrap = pytest.mark.needs(around.ready, around.reason)
LOOKS = """
import asyncio, threading
from IPython import get_ipython
from IPython.display import display
async def three(): return 3
print(get_ipython() is not None, asyncio.run(three()), threading.active_count(), len(os.listdir('/proc/self/task')))
display({'shown': 1})
"""


class Broken:
    """A backend that is not ready."""

    def __init__(self, name: str) -> None:
        self.name = name

    def probe(self) -> Readiness:
        return Readiness(backend=self.name, ready=False, isolating=True, tier="none", reason=f"{self.name} says why.")

    def launcher(self, *, cpus: int) -> Launcher:
        raise SandboxUnavailable("not asked")


@pytest.mark.slow
def test_a_job_has_the_kernels_process_for_itself(tmp_path: Path) -> None:
    """IPython is there, and nothing else of it: no thread, no loop; what is printed and shown is seen by the supervisor."""
    session = SupervisedSession(KernelLauncher(MeasuredLauncher()), cpus=1, imports=())
    bench = Bench(session, tmp_path)
    fine = bench.run(LOOKS)
    failed = bench.run("print(1)\nraise KeyError(2)")
    forged = bench.run("from IPython import get_ipython\nget_ipython().kernel.do_execute = None\nraise SystemExit(7)")
    session.close()

    assert (fine.status, fine.stdout.head) == (Status.STATUS_OK, "True 3 1 1\n{'shown': 1}\n"), fine.stderr.head
    assert fine.isolation.backend == "jupyter"
    assert (failed.exception.type, failed.stdout.head) == ("KeyError", "1\n")
    assert (forged.status, forged.exit_code) == (Status.STATUS_ERROR, 7), forged.stderr.head


@pytest.mark.slow
def test_a_fork_server_for_kernels_has_one_thread() -> None:
    """What a kernel needs is imported ahead, and none of it starts one: a fork would take it along half."""
    session = SupervisedSession(KernelLauncher(MeasuredLauncher()), cpus=1, imports=())
    server = session._servers.start(Profile.PLAIN)
    while server.facts.get("left", 1):
        server.facts, _ = receive(server.control)
    tasks = list(Path(f"/proc/{server.process.pid}/task").iterdir())
    session.close()

    assert server.facts["threads"] == 1
    assert len(tasks) == 1
    assert server.facts["missing"] == []
    assert "ipykernel.kernelapp" in KERNEL_IMPORTS


def test_without_a_sandbox_around_it_there_is_no_kernel() -> None:
    """The reasons of both are told, and nothing weaker is taken."""
    sandbox = JupyterSandbox(around=[Broken("docker"), Broken("bubblewrap")])

    assert not sandbox.probe().ready
    with pytest.raises(SandboxUnavailable, match=r"docker says why.*bubblewrap says why"):
        sandbox.open()


@needs_bubblewrap
@pytest.mark.slow
class TestInBubblewrap(SandboxContract, PackagesContract, IsolationContract):
    """A kernel in bubblewrap for every execution."""

    start_seconds = 1.0

    def make_sandbox(self) -> Sandbox:
        return JupyterSandbox(imports=(), around=[BubblewrapSandbox()])


@pytest.mark.docker
class TestInDocker(SandboxContract, PackagesContract, IsolationContract):
    """A kernel in a container for every execution."""

    start_seconds = 1.0

    def make_sandbox(self) -> Sandbox:
        sandbox = DockerSandbox(imports=(), seclusion=Seclusion.NAMESPACES)
        demand(there=sandbox.probe().ready, reason=sandbox.probe().reason)
        return JupyterSandbox(imports=(), around=[sandbox])


WAYS = {
    "bubblewrap/namespaces": lambda: BubblewrapSandbox(seclusion=Seclusion.NAMESPACES),
    "bubblewrap/single_use": lambda: BubblewrapSandbox(seclusion=Seclusion.SINGLE_USE),
    "docker/namespaces": lambda: DockerSandbox(seclusion=Seclusion.NAMESPACES),
    "docker/single_use": lambda: DockerSandbox(seclusion=Seclusion.SINGLE_USE),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "tier", [pytest.param(tier, marks=pytest.mark.docker if "docker" in tier else ()) for tier in WAYS]
)
def test_kernels_run_in_every_sandbox(tier: str, tmp_path: Path) -> None:
    """Once for a job, and with a state; both are interrupted and ended from outside."""
    make: Callable[[], BubblewrapSandbox | DockerSandbox] = WAYS[tier]
    readiness = make().probe()
    demand(there=readiness.ready, reason=readiness.reason)
    sandbox = JupyterSandbox(imports=(), around=[make()])
    session = sandbox.open(cpus=1)
    bench = Bench(session, tmp_path)
    job, late = bench.run(LOOKS), bench.run("while True: pass", wall_seconds=1.0)
    kernel = session.kernel()
    kernel.execute("x = 1")
    stopped = kernel.execute("while True: pass", timeout_seconds=0.5)
    kept = kernel.execute("x")
    report = kernel.close()
    session.close()

    assert sandbox.probe().tier == job.isolation.tier == f"jupyter/{tier}"
    assert job.stdout.head.startswith("True 3 1"), job.stderr.head
    assert late.status == Status.STATUS_TIMEOUT
    assert (stopped.end, kept.claimed_outputs[0].text) == ("interrupted", "1")
    assert report.status == Status.STATUS_OK, report
