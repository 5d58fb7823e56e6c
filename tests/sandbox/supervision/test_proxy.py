"""The proxy: lets through what is listed, refuses everything else, and notes both."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from open_autoglm.errors import SettingsError
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.landlock import LandlockSandbox
from open_autoglm.sandbox.contracts.conformance import Bench
from open_autoglm.sandbox.policy import default_policy, read_policy
from open_autoglm.sandbox.supervision import proxy
from open_autoglm.sandbox.supervision.proxy import Proxy, Refusal

pytestmark = pytest.mark.service


@pytest.fixture
def echo() -> Iterator[int]:
    """A server on loopback that says everything twice; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller = server.accept()[0]
            except OSError:
                return
            with caller:
                while data := caller.recv(100):
                    caller.sendall(data * 2)

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.fixture
def served(echo: int) -> Iterator[tuple[Proxy, int]]:
    """A proxy that allows the server, and hosts that do not exist."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = Proxy.start(listener.detach(), (f"localhost:{echo}", "nowhere.invalid", "private.example", "localhost:1"))
    yield running, port
    running.stop()
    running.stop()


def asked(port: int, request: str) -> tuple[bytes, socket.socket]:
    """Send a request; return the first answer and the connection."""
    caller = socket.create_connection(("127.0.0.1", port))
    caller.settimeout(10)
    caller.sendall(request.encode())
    caller.shutdown(socket.SHUT_WR) if not request.endswith("\r\n\r\n") else None
    return caller.recv(200), caller


def test_a_listed_host_is_reached(served: tuple[Proxy, int], echo: int) -> None:
    """And what goes either way is counted."""
    running, port = served
    answer, caller = asked(port, f"CONNECT LOCALHOST:{echo} HTTP/1.1\r\nHost: x\r\n\r\n")
    caller.sendall(b"ab")
    said = caller.recv(100)
    caller.close()
    while not (found := running.connections()) or found[0].bytes < 6:
        pass

    assert (answer.split(b"\r\n")[0], said) == (b"HTTP/1.1 200 Connected", b"abab")
    assert [(c.host, c.port, c.refused, c.count, c.bytes) for c in found] == [("localhost", echo, "", 1, 6)]


def test_everything_else_is_refused_with_the_reason(
    served: tuple[Proxy, int], echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers in place of names, other ports, other methods, half a request, names that lead nowhere or to private addresses."""
    real = socket.getaddrinfo
    private = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 443))]

    def lookup(host: str, *rest: object, **more: object) -> object:
        if host == "nowhere.invalid":
            raise socket.gaierror
        return private if host == "private.example" else real(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    running, port = served
    for request in (
        f"CONNECT 127.0.0.1:{echo} HTTP/1.1\r\n\r\n", "CONNECT localhost:443 HTTP/1.1\r\n\r\n", "GET http://x/ HTTP/1.1\r\n\r\n",
        "CONNECT \x1b[2J HTTP/1.1\r\n\r\n", "CONNECT nowhere.invalid:443 HTTP/1.1\r\n\r\n", "CONNECT private.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\n\r\n", "CONN",
    ):  # fmt: skip
        answer, caller = asked(port, request)
        caller.close()
        assert answer.startswith(b"HTTP/1.1 403 ")

    assert {c.refused for c in running.connections()} == set(Refusal)
    assert {(c.host, c.port, c.refused) for c in running.connections()} == {
        ("127.0.0.1", echo, "not on the list of the policy"),
        ("localhost", 443, "not on the list of the policy"),
        ("unknown", 0, "only CONNECT is understood"),
        ("unknown", 0, "no host and port"),
        ("nowhere.invalid", 443, "its name leads nowhere"),
        ("private.example", 443, "its name leads to no public address"),
        ("localhost", 1, "it does not answer"),
    }


def test_so_many_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch, echo: int) -> None:
    """One more is hung up on; open ones end with the execution."""
    monkeypatch.setattr(proxy, "AT_ONCE", 1)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = Proxy.start(listener.detach(), (f"localhost:{echo}",))
    answer, first = asked(port, f"CONNECT localhost:{echo} HTTP/1.1\r\n\r\n")
    second = socket.create_connection(("127.0.0.1", port))
    second.settimeout(10)
    left = second.recv(1)
    running.stop()

    assert (answer[:12], left, first.recv(1)) == (b"HTTP/1.1 200", b"", b"")
    first.close()
    second.close()


INSIDE = """
import socket
place = os.environ['HTTPS_PROXY'].removeprefix('http://').split(':')
def through(target):
    with socket.create_connection((place[0], int(place[1]))) as line:
        line.sendall(f'CONNECT {target} HTTP/1.1\\r\\n\\r\\n'.encode())
        status = line.recv(100).split()[1].decode()
        if status == '200': line.sendall(b'ab')
        print(status, status == '200' and line.recv(100) == b'abab')
"""


@pytest.mark.skipif(not BubblewrapSandbox().probe().ready, reason="namespaces cannot be made here")
def test_code_reaches_what_its_policy_lists_and_nothing_else(tmp_path: Path, echo: int) -> None:
    """By the variable that programs look for; every connection is in the report."""
    (tmp_path / "policy.yaml").write_text(f"network: {{access: proxy, allow: ['localhost:{echo}']}}")
    policy = read_policy(tmp_path / "policy.yaml")
    session = BubblewrapSandbox(imports=(), policy=policy).open(cpus=1)
    code = INSIDE + f"through('localhost:{echo}')\nthrough('example.org:443')\n"
    reports = [Bench(session, tmp_path).run(code) for _ in range(2)]
    session.close()

    for report in reports:
        assert report.stdout.head == "200 True\n403 False\n", report.stderr.head
        assert [(c.host, c.refused, c.bytes) for c in report.connections] == [
            ("localhost", "", 6),
            ("example.org", "not on the list of the policy", 0),
        ]


def test_what_has_no_network_of_its_own_refuses(tmp_path: Path) -> None:
    """Rather than leaving a way out shut, or all of them open."""
    (tmp_path / "policy.yaml").write_text("network: {access: proxy, allow: [example.org]}")
    readiness = LandlockSandbox(policy=read_policy(tmp_path / "policy.yaml")).probe()

    assert not readiness.ready
    assert os.name != "posix" or "no network of its own" in readiness.reason or "Landlock" in readiness.reason


@pytest.mark.parametrize(
    "network",
    [
        "{access: proxy}", "{allow: [example.org]}", "{access: proxy, allow: ['1.2.3.4']}", "{access: proxy, allow: [localhost]}",
        "{access: proxy, allow: ['::1']}", "{access: proxy, allow: ['a.org:https']}", "{access: proxy, allow: ['*.org']}",
    ],
)  # fmt: skip
def test_a_list_holds_names(tmp_path: Path, network: str) -> None:
    """Neither numbers nor patterns, and none without a proxy."""
    (tmp_path / "policy.yaml").write_text(f"network: {network}")
    with pytest.raises(SettingsError, match="network"):
        read_policy(tmp_path / "policy.yaml")
    assert default_policy().network.allow == ()
