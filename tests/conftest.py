"""Rules for every test: no network, unless the test is marked for it."""

import gc
import os
import socket

import pytest

from open_autoglm.sandbox.contracts.demand import demand

# Only the types of a graph's own state may come back from its checkpoints. LangGraph reads this on import.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

NEEDS_NETWORK = {"vllm", "docker", "service"}
KINDS = ("docker", "gpu", "vllm", "service", "slow")


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that reaches for the network; the fakes make it needless."""
    if NEEDS_NETWORK & {mark.name for mark in request.node.iter_markers()}:
        return
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        if self.family == socket.AF_UNIX:
            connect(self, address)  # type: ignore[arg-type]  # a path, as for every Unix socket
            return
        pytest.fail(f"This test opened a connection to {address!r}. Use a fake, or mark it `service`.")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what this machine cannot run, but never where CI runs."""
    for mark in item.iter_markers("needs"):
        there, reason = mark.args
        demand(there=there, reason=reason)


def pytest_collection_finish() -> None:
    """Keep what was imported for all tests out of the garbage collector's way: it would look through it again and again."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what each kind of test costs, and the tests of each folder."""
    kinds: dict[str, float] = {}
    folders: dict[str, float] = {}
    for outcome in terminalreporter.stats.values():
        for report in outcome:
            if isinstance(report, pytest.TestReport):
                kind = next((marker for marker in KINDS if marker in report.keywords), "fast")
                path = report.nodeid.partition("::")[0].split("/")
                folder = path[1] if len(path) > 2 else "."
                kinds[kind] = kinds.get(kind, 0.0) + report.duration / 60
                folders[folder] = folders.get(folder, 0.0) + report.duration / 60
    for by, minutes in (("marker", kinds), ("folder", folders)):
        told = ", ".join(f"{name} {spent:.1f}" for name, spent in sorted(minutes.items()))
        terminalreporter.write_line(f"minutes per {by} (summed over workers): {told or 'none'}")
