"""bubblewrap: the shared contracts in both of its ways to keep executions apart, and what is its own."""

import pytest

from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.bubblewrap import BubblewrapLauncher, BubblewrapSandbox, programs
from open_autoglm.sandbox.conformance import SandboxContract
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
