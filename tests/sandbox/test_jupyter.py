"""Kernels that are used once: the contracts, inside bubblewrap and inside Docker."""

import os

import pytest

from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.conformance import SandboxContract
from open_autoglm.sandbox.isolation_contract import IsolationContract
from open_autoglm.sandbox.jupyter import JupyterSandbox
from open_autoglm.sandbox.packages_contract import PackagesContract

around = BubblewrapSandbox().probe()
needs_bubblewrap = pytest.mark.skipif(not around.ready and "CI" not in os.environ, reason=around.reason)


@needs_bubblewrap
@pytest.mark.slow
class TestInBubblewrap(SandboxContract, PackagesContract, IsolationContract):
    """A kernel in bubblewrap for every execution."""

    def make_sandbox(self) -> Sandbox:
        return JupyterSandbox(imports=(), around=[BubblewrapSandbox()])
