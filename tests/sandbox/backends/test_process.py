"""The backend without isolation: the shared contract, and what is its own."""

from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Sandbox
from open_autoglm.sandbox.contracts.conformance import SandboxContract
from open_autoglm.sandbox.contracts.packages_contract import PackagesContract


class TestProcess(SandboxContract, PackagesContract):
    """Every promise of `Sandbox`."""

    def make_sandbox(self) -> Sandbox:
        return ProcessSandbox(imports=())


def test_it_warns() -> None:
    """Whoever asks learns that nothing is isolated."""
    readiness = ProcessSandbox().probe()

    assert readiness.ready
    assert not readiness.isolating
    assert "without isolation" in readiness.reason
