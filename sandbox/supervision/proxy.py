"""The one way out that a policy may open: a proxy on the host that connects to listed hosts, and notes every connection.

It listens at a port of the execution's own network, by a socket that was made in there and handed out: nothing else joins the two. It
speaks the method CONNECT of HTTP alone (RFC 9110, section 9.3.6), so that what is sent stays sealed between the code and the host it talks
to. A name is taken as it is written and looked up once, here; addresses in place of names are refused, and names that lead to addresses which
are not public. `localhost`, where the list says so with its port, is this machine's loopback.

Not covered: what code says to a listed host, and what that host does with it. One that serves others, too, such as a network that delivers
for many sites, may pass on what is meant for them.
"""

import ipaddress
import re
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from open_autoglm.sandbox.policy import HIGHEST_PORT
from open_autoglm.sandbox.report_pb2 import Connection

PORT = 3128
"""Where it listens inside."""
USUAL_PORT = 443
HEAD_BYTES = 8192
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.05
END_SECONDS = 0.2
AT_ONCE = 32
READ_BYTES = 1 << 16
MOST_NOTED = 64
"""Targets off the list that a report names; the rest is counted. Those on the list are always named."""
LONGEST_NAME = 253
LOCAL = "localhost"
_END = b"\r\n\r\n"
_NO_NAME = re.compile(r"[^a-z0-9.:\[\]-]")
_STANDS_FOR_4 = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses by which a network of version 6 reaches those of version 4 (RFC 6052)."""
_LOWEST_32_BITS = 0xFFFFFFFF


class Refusal(StrEnum):
    """Why a connection is not made."""

    CROWDED = "too many connections at once"
    UNFINISHED = "the request does not end"
    NOT_CONNECT = "only CONNECT is understood"
    NO_PLACE = "no host and port"
    NOT_LISTED = "not on the list of the policy"
    NOWHERE = "its name leads nowhere"
    NOT_PUBLIC = "its name leads to no public address"
    SILENT = "it does not answer"


def variables() -> dict[str, str]:
    """Return what programs inside find the proxy by."""
    place = f"http://127.0.0.1:{PORT}"
    return {"HTTPS_PROXY": place, "https_proxy": place}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Whom a request asks for."""

    host: str = "unknown"
    port: int = 0
    refused: str = ""
    """Why it is not connected to; empty where it is."""


@dataclass(slots=True)
class Proxy:
    """Serves one execution until it is stopped."""

    listener: socket.socket
    allow: Sequence[str]
    """Names, with a port where it is not 443: `example.org`, `example.org:8443`, `localhost:8000`."""
    look_up: Callable[..., Any]
    """As `socket.getaddrinfo`."""
    _seen: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    _moved: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    _noting: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def start(
        cls, descriptor: int, allow: Sequence[str], *, look_up: Callable[..., Any] = socket.getaddrinfo
    ) -> "Proxy":
        """Serve at a listening socket, which becomes this object's."""
        proxy = cls(socket.socket(fileno=descriptor), allow, look_up)
        proxy.listener.settimeout(LOOK_SECONDS)
        proxy._begin(proxy._accept)
        return proxy

    def stop(self) -> None:
        """End every connection; one that still looks for its host calls nobody and ends by itself. Idempotent."""
        self._over.set()
        end = time.monotonic() + END_SECONDS
        for thread in list(self._threads):
            thread.join(max(0.0, end - time.monotonic()))
        self.listener.close()

    def connections(self) -> list[Connection]:
        """Return what was connected to or refused, in the order of the first."""
        with self._noting:
            return [
                Connection(host=host, port=port, refused=refused, count=count, bytes=self._moved[host, port, refused])
                for (host, port, refused), count in self._seen.items()
            ]

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                caller = self.listener.accept()[0]
            except TimeoutError:  # nobody calls
                continue
            except OSError:  # such as no descriptor left on this host: whoever calls waits
                self._over.wait(LOOK_SECONDS)
                continue
            self._threads[:] = [thread for thread in self._threads if thread.is_alive()]
            if len(self._threads) > AT_ONCE:
                caller.close()
                self._note(_Target(refused=Refusal.CROWDED))
                continue
            self._begin(self._serve, caller)

    def _serve(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):  # whoever hangs up ends it
            asked = self._asked(_head(caller))
            line, refused = (None, asked.refused) if asked.refused else self._reach(asked.host, asked.port)
            key = self._note(_Target(host=asked.host, port=asked.port, refused=refused))
            if line is None:
                caller.sendall(f"HTTP/1.1 403 {refused}\r\nConnection: close\r\n\r\n".encode("ascii"))
                return
            with line:
                caller.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                self._relay(caller, line, key)

    def _asked(self, head: str | None) -> _Target:
        """Return whom the head of a request asks for, and why that is refused, if so."""
        if head is None:
            return _Target(refused=Refusal.UNFINISHED)
        words = head.partition("\r\n")[0].split(" ")
        if len(words) != 3 or words[0] != "CONNECT" or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
            return _Target(refused=Refusal.NOT_CONNECT)
        host, _, number = words[1].lower().rpartition(":")
        if not host or not number.isdecimal() or len(number) > 5 or int(number) > HIGHEST_PORT:
            return _Target(refused=Refusal.NO_PLACE)
        port = int(number)
        refused = "" if self._is_listed(host, port) else Refusal.NOT_LISTED
        return _Target(host=_NO_NAME.sub("?", host)[:LONGEST_NAME] if refused else host, port=port, refused=refused)

    def _is_listed(self, host: str, port: int) -> bool:
        return f"{host}:{port}" in self.allow or (port == USUAL_PORT and host in self.allow)

    def _reach(self, host: str, port: int) -> tuple[socket.socket | None, str]:
        """Connect to the first address of a host that may be called; return why not, where there is none."""
        try:
            found = [str(entry[4][0]) for entry in self.look_up(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):  # a part of the name that is too long for a question
            return None, Refusal.NOWHERE
        open_to_it = [place for place in found if (_is_loopback if host == LOCAL else _is_public)(place)]
        if not open_to_it:
            return None, Refusal.NOT_PUBLIC
        for place in open_to_it:
            if self._over.is_set():
                break
            with suppress(OSError):  # the next one may answer
                return socket.create_connection((place, port), timeout=PATIENCE_SECONDS), ""
        return None, Refusal.SILENT

    def _note(self, target: _Target) -> tuple[str, int, str]:
        """Count a connection; return what its bytes are counted under."""
        key = (target.host, target.port, target.refused)
        with self._noting:
            if target.refused == Refusal.NOT_LISTED and key not in self._seen and len(self._seen) >= MOST_NOTED:
                key = ("others", 0, target.refused)
            self._seen[key] += 1
        return key

    def _relay(self, one: socket.socket, other: socket.socket, key: tuple[str, int, str]) -> None:
        """Pass on what each says until one hangs up, or the execution is over."""
        ends = {one.fileno(): (one, other), other.fileno(): (other, one)}
        waiting = select.poll()
        for descriptor in ends:
            waiting.register(descriptor, select.POLLIN)
        while not self._over.is_set():
            for descriptor, _ in waiting.poll(LOOK_SECONDS * 1000):
                source, sink = ends[descriptor]
                data = source.recv(READ_BYTES)
                if not data:
                    return
                sink.sendall(data)
                with self._noting:
                    self._moved[key] += len(data)


def _head(caller: socket.socket) -> str | None:
    """Read the head of a request and no byte of what follows; None where it has no end in time, or within so many bytes.

    Raises:
        OSError: The caller is gone.
    """
    head, deadline = b"", time.monotonic() + PATIENCE_SECONDS
    while not head.endswith(_END):
        left = deadline - time.monotonic()
        if left <= 0 or len(head) >= HEAD_BYTES:
            return None
        caller.settimeout(left)
        try:
            seen = caller.recv(HEAD_BYTES - len(head), socket.MSG_PEEK)
        except TimeoutError:
            return None
        if not seen:
            return None
        end = (head + seen).find(_END)
        head += caller.recv(len(seen) if end < 0 else end + len(_END) - len(head))
    caller.settimeout(PATIENCE_SECONDS)
    return head.decode("ascii", "replace")


def _is_loopback(place: str) -> bool:
    return ipaddress.ip_address(place).is_loopback


def _is_public(place: str) -> bool:
    """Whether an address is one of the public network; one that stands for another is public where that is."""
    address = ipaddress.ip_address(place)
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local:
            return False
        if address in _STANDS_FOR_4:
            return _is_public(str(ipaddress.IPv4Address(int(address) & _LOWEST_32_BITS)))
    return address.is_global and not address.is_multicast
