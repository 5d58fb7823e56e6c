"""The proxy: lets through what is listed, refuses everything else, and notes both."""

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


@contextmanager
def serving(*allow: str, look_up: Callable[..., Any] = socket.getaddrinfo) -> Iterator[tuple[Proxy, int]]:
    """Serve these hosts; give the proxy and its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = Proxy.start(listener.detach(), allow, look_up=look_up)
    try:
        yield running, port
    finally:
        running.stop()
        running.stop()


def leads_to(*addresses: str) -> Callable[..., Any]:
    """Return what stands in for the name service: every name has these addresses."""
    families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
    return lambda _, port, **__: [
        (family, socket.SOCK_STREAM, 6, "", (address, port))
        for family, address in zip(families, addresses, strict=True)
    ]


@pytest.fixture
def served(echo: int) -> Iterator[tuple[Proxy, int]]:
    """A proxy that allows the server, and hosts that do not exist."""

    def look_up(host: str, port: int, **rest: Any) -> Any:
        if host == "nowhere.invalid":
            raise socket.gaierror
        return (leads_to("10.1.2.3") if host == "private.example" else socket.getaddrinfo)(host, port, **rest)

    with serving(f"localhost:{echo}", "nowhere.invalid", "private.example", "localhost:1", look_up=look_up) as both:
        yield both


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


def test_everything_else_is_refused_with_the_reason(served: tuple[Proxy, int], echo: int) -> None:
    """Numbers in place of names, other ports, other methods, half a request, names that lead nowhere or to private addresses."""
    running, port = served
    for request in (
        f"CONNECT 127.0.0.1:{echo} HTTP/1.1\r\n\r\n", "CONNECT localhost:443 HTTP/1.1\r\n\r\n", "GET http://x/ HTTP/1.1\r\n\r\n",
        "CONNECT \x1b[2J HTTP/1.1\r\n\r\n", "CONNECT nowhere.invalid:443 HTTP/1.1\r\n\r\n", "CONNECT private.example:443 HTTP/1.1\r\n\r\n",
        "CONNECT localhost:1 HTTP/1.1\r\n\r\n", "CONN",
    ):  # fmt: skip
        answer, caller = asked(port, request)
        caller.close()
        assert answer.startswith(b"HTTP/1.1 403 ")

    assert {c.refused for c in running.connections()} == set(Refusal) - {Refusal.CROWDED}
    assert {(c.host, c.port, c.refused) for c in running.connections()} == {
        ("127.0.0.1", echo, "not on the list of the policy"),
        ("localhost", 443, "not on the list of the policy"),
        ("unknown", 0, "only CONNECT is understood"),
        ("unknown", 0, "the request does not end"),
        ("unknown", 0, "no host and port"),
        ("nowhere.invalid", 443, "its name leads nowhere"),
        ("private.example", 443, "its name leads to no public address"),
        ("localhost", 1, "it does not answer"),
    }


def test_so_many_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch, echo: int) -> None:
    """One more is hung up on; open ones end with the execution."""
    monkeypatch.setattr(proxy, "AT_ONCE", 1)
    with serving(f"localhost:{echo}") as (running, port):
        answer, first = asked(port, f"CONNECT localhost:{echo} HTTP/1.1\r\n\r\n")
        second = socket.create_connection(("127.0.0.1", port))
        second.settimeout(10)
        left = second.recv(1)

    assert (answer[:12], left, first.recv(1)) == (b"HTTP/1.1 200", b"", b"")
    assert [(c.host, c.refused) for c in running.connections()] == [
        ("localhost", ""),
        ("unknown", "too many connections at once"),
    ]
    first.close()
    second.close()


@pytest.mark.parametrize(
    "name",
    ["local_host", "local@host", "LOCAL%HOST", "local\x00host", "loc\u00e4alhost", "localhost.", ".localhost", "x@localhost", "localhost\tx",
     "localhost:1@localhost"],
)  # fmt: skip
def test_a_listed_name_is_taken_as_it_is_written(served: tuple[Proxy, int], echo: int, name: str) -> None:
    """Nothing is left out of a name to make it fit the list; upper case alone means nothing."""
    running, port = served
    answer, caller = asked(port, f"CONNECT {name}:{echo} HTTP/1.1\r\n\r\n")
    caller.close()

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert all(connection.refused for connection in running.connections())


@pytest.mark.parametrize(
    "request_",
    [
        "CONNECT localhost:{echo} HTTP/1.1\r\n", "CONNECT localhost:{echo}", "CONNECT localhost:{echo} HTTP/1.1\r\nX: " + "x" * 9000 + "\r\n\r\n",
        "CONNECT localhost:{echo} HTTP/1.1\n\n", "CONNECT localhost:{echo}\r\n\r\n", "CONNECT\tlocalhost:{echo}\tHTTP/1.1\r\n\r\n",
        "connect localhost:{echo} HTTP/1.1\r\n\r\n", "CONNECT localhost:{echo}\nX: HTTP/1.1\r\n\r\n", " CONNECT localhost:{echo} HTTP/1.1\r\n\r\n",
        "GET http://localhost:{echo}/ HTTP/1.1\r\n\r\nCONNECT localhost:{echo} HTTP/1.1\r\n\r\n", "\x05\x01\x00\x03\x09localhost\r\n\r\n",
        "CONNECT localhost:" + "1" * 5000 + " HTTP/1.1\r\n\r\n", "CONNECT localhost:+{echo} HTTP/1.1\r\n\r\n", "CONNECT :{echo} HTTP/1.1\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_whole_request_is_not_carried_out(served: tuple[Proxy, int], echo: int, request_: str) -> None:
    """Cut short, too long, with other line ends, with more than one meaning, with a port that no number holds."""
    running, port = served
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.settimeout(10)
        try:
            caller.sendall(request_.replace("{echo}", str(echo)).encode())
            caller.shutdown(socket.SHUT_WR)
            answer = caller.recv(200)
        except OSError:  # hung up on, with bytes of ours unread
            answer = b""
    while not running.connections():
        pass

    assert not answer.startswith(b"HTTP/1.1 200")
    assert all(connection.refused for connection in running.connections())


def test_a_request_that_comes_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch, echo: int) -> None:
    """However often another byte comes: the time is that of the whole head."""
    monkeypatch.setattr(proxy, "PATIENCE_SECONDS", 0.2)
    with serving(f"localhost:{echo}") as (running, port), socket.create_connection(("127.0.0.1", port)) as caller:
        caller.settimeout(10)
        for letter in f"CONNECT localhost:{echo} HTTP/1.1":
            caller.sendall(letter.encode())
        answer = caller.recv(200)

    assert answer.startswith(b"HTTP/1.1 403 the request does not end")
    assert [c.refused for c in running.connections()] == ["the request does not end"]


def test_noise_does_not_hide_what_was_let_through(served: tuple[Proxy, int], echo: int) -> None:
    """Names that are not listed are counted together beyond some number; those that are listed never are."""
    running, port = served
    for number in range(proxy.MOST_NOTED + 20):
        asked(port, f"CONNECT noise-{number}.example:443 HTTP/1.1\r\n\r\n")[1].close()
    answer, caller = asked(port, f"CONNECT localhost:{echo} HTTP/1.1\r\n\r\n")
    caller.close()
    found = running.connections()

    assert answer.startswith(b"HTTP/1.1 200")
    assert [(c.host, c.port) for c in found if not c.refused] == [("localhost", echo)]
    assert [(c.host, c.count) for c in found if c.host == "others"] == [("others", 20)]
    assert len(found) == proxy.MOST_NOTED + 2


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "fe80::1", "fd00::1",
        "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2001:0:a00:1::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_a_listed_name_leads_to_no_private_address(echo: int, address: str) -> None:
    """Also not by one of version 6 that stands for one of version 4; who answers for a name may answer what he likes."""
    with serving(f"rebound.example:{echo}", look_up=leads_to(address)) as (running, port):
        answer, caller = asked(port, f"CONNECT rebound.example:{echo} HTTP/1.1\r\n\r\n")
        caller.close()

    assert answer.startswith(b"HTTP/1.1 403 its name leads to no public address")
    assert [c.bytes for c in running.connections()] == [0]


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found public is what is called: another answer afterwards changes nothing."""
    answers = [leads_to("93.184.216.34"), leads_to("127.0.0.1")]
    called: list[object] = []

    def look_up(*words: Any, **more: Any) -> Any:
        return answers.pop(0)(*words, **more)

    def call(address: object, timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    with serving("rebound.example", look_up=look_up) as (_, port):
        caller = socket.create_connection(("127.0.0.1", port))
        monkeypatch.setattr(socket, "create_connection", call)
        caller.sendall(b"CONNECT rebound.example:443 HTTP/1.1\r\n\r\n")
        answer = caller.recv(200)
        caller.close()

    assert answer.startswith(b"HTTP/1.1 403 it does not answer")
    assert called == [("93.184.216.34", 443)]


def test_localhost_is_this_machine_alone(echo: int) -> None:
    """Where a machine's own list of names says something else, nothing is called."""
    with serving(f"localhost:{echo}", look_up=leads_to("10.0.0.1")) as (_, port):
        answer, caller = asked(port, f"CONNECT localhost:{echo} HTTP/1.1\r\n\r\n")
        caller.close()

    assert answer.startswith(b"HTTP/1.1 403 its name leads to no public address")


def test_nobody_is_called_for_an_execution_that_is_over(echo: int) -> None:
    """A name that takes its time to be found is found too late."""
    late, over = threading.Event(), threading.Event()

    def look_up(*words: Any, **more: Any) -> Any:
        late.set()
        over.wait(10)
        return socket.getaddrinfo(*words, **more)

    with serving(f"localhost:{echo}", look_up=look_up) as (running, port):
        caller = socket.create_connection(("127.0.0.1", port))
        caller.sendall(f"CONNECT localhost:{echo} HTTP/1.1\r\n\r\n".encode())
        late.wait(10)
    over.set()
    caller.settimeout(10)
    answer = caller.recv(200)
    caller.close()

    assert not answer.startswith(b"HTTP/1.1 200")
    assert all(connection.refused for connection in running.connections())


class NoDescriptorLeft(socket.socket):
    """Somebody calls, and cannot be taken in."""

    asked = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.asked += 1
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_a_host_without_descriptors_does_not_spin() -> None:
    """Who calls waits in the queue; asking for him without pause would take a whole processor."""
    listener = NoDescriptorLeft()
    running = Proxy(listener, (), socket.getaddrinfo)
    running._begin(running._accept)
    running._over.wait(4 * proxy.LOOK_SECONDS)
    running.stop()

    assert 1 <= listener.asked <= 10


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


@pytest.mark.needs(BubblewrapSandbox().probe().ready, "namespaces cannot be made here")
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
        "{access: proxy, allow: ['a.org:']}", "{access: proxy, allow: ['a.org:0']}", "{access: proxy, allow: ['a.org:0443']}", "{access: proxy, allow: ['a.org:65536']}",
        "{access: proxy, allow: ['a.org:\u0661']}", "{access: proxy, allow: ['localhost:']}", "{access: proxy, allow: ['A.org']}", "{access: proxy, allow: ['127.0.0.0x1:1']}",
    ],
)  # fmt: skip
def test_a_list_holds_names(tmp_path: Path, network: str) -> None:
    """Neither numbers nor patterns, no port that no request can name, and none without a proxy."""
    (tmp_path / "policy.yaml").write_text(f"network: {network}")
    with pytest.raises(SettingsError, match="network"):
        read_policy(tmp_path / "policy.yaml")
    assert default_policy().network.allow == ()
