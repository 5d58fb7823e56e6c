"""bubblewrap: the shared contracts in both of its ways to keep executions apart, and what is its own."""

from pathlib import Path

import pytest

from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.bubblewrap import BubblewrapLauncher, BubblewrapSandbox, programs
from open_autoglm.sandbox.conformance import Bench, SandboxContract
from open_autoglm.sandbox.isolation_contract import IsolationContract
from open_autoglm.sandbox.launch import Seclusion

ready = BubblewrapSandbox().probe()
pytestmark = pytest.mark.skipif(not ready.ready, reason=ready.reason)


class TestNamespaces(SandboxContract, IsolationContract):
    """A fork server whose executions have namespaces of their own."""

    def make_sandbox(self) -> Sandbox:
        return BubblewrapSandbox(imports=(), launcher=BubblewrapLauncher(programs()[0], Seclusion.NAMESPACES))


@pytest.mark.slow
class TestSingleUse(SandboxContract, IsolationContract):
    """A bubblewrap for every execution, as where nested namespaces are refused."""

    def make_sandbox(self) -> Sandbox:
        return BubblewrapSandbox(imports=(), launcher=BubblewrapLauncher(programs()[0], Seclusion.SINGLE_USE))


def test_libraries_may_start_processes_inside(tmp_path: Path) -> None:
    """Joblib looks when it is imported whether semaphores work, and would silently do everything one by one."""
    session = BubblewrapSandbox(imports=("joblib",)).open(cpus=2)
    code = "import joblib\nprint(len(set(joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(4))) - {os.getpid()}) > 0)"
    report = Bench(session, tmp_path).run(code)
    session.close()

    assert report.stdout.head == "True\n", report.stderr.head
