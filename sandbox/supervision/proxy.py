"""The one way out that a policy may open: a proxy on the host that connects to listed hosts, and notes every connection.

It listens at a port of the execution's own network, by a socket that was made in there and handed out: nothing else joins the two. It
speaks the method CONNECT of HTTP alone, so that what is sent stays sealed between the code and the host it talks to. Addresses in place of
names are refused, and names that lead to addresses which are not public, but `localhost` where the list says so with its port.
"""

import ipaddress
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

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
LOCAL = "localhost"


class Refusal(StrEnum):
    """Why a connection is not made."""

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


@dataclass(slots=True)
class Proxy:
    """Serves one execution until it is stopped."""

    listener: socket.socket
    allow: Sequence[str]
    """Names, with a port where it is not 443: `example.org`, `example.org:8443`, `localhost:8000`."""
    _seen: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    _moved: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def start(cls, descriptor: int, allow: Sequence[str]) -> "Proxy":
        """Serve at a listening socket, which becomes this object's."""
        proxy = cls(socket.socket(fileno=descriptor), allow)
        proxy.listener.settimeout(LOOK_SECONDS)
        proxy._begin(proxy._accept)
        return proxy

    def stop(self) -> None:
        """End every connection; one that still looks for its host ends by itself. Idempotent."""
        self._over.set()
        end = time.monotonic() + END_SECONDS
        for thread in list(self._threads):
            thread.join(max(0.0, end - time.monotonic()))
        self.listener.close()

    def connections(self) -> list[Connection]:
        """Return what was connected to or refused, in the order of the first."""
        return [
            Connection(host=host, port=port, refused=refused, count=count, bytes=self._moved[host, port, refused])
            for (host, port, refused), count in self._seen.items()
        ]

    def _begin(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]  # a method of this class
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                caller = self.listener.accept()[0]
            except OSError:  # nobody calls
                continue
            self._threads[:] = [thread for thread in self._threads if thread.is_alive()]
            if len(self._threads) > AT_ONCE:
                caller.close()
                continue
            self._begin(self._serve, caller)

    def _serve(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):  # whoever hangs up ends it
            host, port, refused = self._asked(caller)
            target = None
            if not refused:
                target, refused = self._reach(host, port)
            key = (host, port, refused) if len(self._seen) < MOST_NOTED else ("others", 0, refused)
            self._seen[key] += 1
            if target is None:
                caller.sendall(f"HTTP/1.1 403 {refused}\r\nConnection: close\r\n\r\n".encode("ascii", "replace"))
                return
            with target:
                caller.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                self._relay(caller, target, key)

    def _asked(self, caller: socket.socket) -> tuple[str, int, str]:
        """Read the request; return host, port and why it is refused, if so."""
        caller.settimeout(PATIENCE_SECONDS)
        head, end = b"", time.monotonic() + PATIENCE_SECONDS
        while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES and time.monotonic() < end:
            part = caller.recv(1)  # no byte of what follows
            if not part:
                break
            head += part
        words = head.split(b"\r\n")[0].decode("ascii", "replace").split()
        if len(words) < 2 or words[0] != "CONNECT":
            return "unknown", 0, Refusal.NOT_CONNECT
        host, _, number = words[1].rpartition(":")
        host = "".join(character for character in host.lower()[:253] if character.isalnum() or character in ".-")
        if not host or not number.isdecimal() or int(number) > 65_535:
            return host or "unknown", 0, Refusal.NO_PLACE
        port = int(number)
        return host, port, "" if self._is_listed(host, port) else Refusal.NOT_LISTED

    def _is_listed(self, host: str, port: int) -> bool:
        return f"{host}:{port}" in self.allow or (port == USUAL_PORT and host in self.allow)

    def _reach(self, host: str, port: int) -> tuple[socket.socket | None, str]:
        """Connect to the first public address of a host; return why not, where there is none."""
        try:
            found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError:
            return None, Refusal.NOWHERE
        public = [str(place) for place in found if ipaddress.ip_address(place).is_global or host == LOCAL]
        if not public:
            return None, Refusal.NOT_PUBLIC
        for place in public:
            with suppress(OSError):  # the next one may answer
                return socket.create_connection((place, port), timeout=PATIENCE_SECONDS), ""
        return None, Refusal.SILENT

    def _relay(self, one: socket.socket, other: socket.socket, key: tuple[str, int, str]) -> None:
        """Pass on what each says until one hangs up, or the execution is over."""
        while not self._over.is_set():
            for source in select.select([one, other], [], [], LOOK_SECONDS)[0]:
                data = source.recv(READ_BYTES)
                if not data:
                    return
                (other if source is one else one).sendall(data)
                self._moved[key] += len(data)
