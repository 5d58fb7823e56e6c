"""Where a language model is served, and the HTTP connections to it.

What is kept in check here, whatever the client library does: the key stands in one place and is put on requests to the endpoint's
own host alone; redirects are not followed; of the library's headers only those that the protocol needs go out, so that neither
another service's credentials in the environment nor facts about this machine do; an answer's bytes are bounded.
"""

import ipaddress
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr

from open_autoglm.errors import SettingsError

MAX_RESPONSE_BYTES = 64 << 20
"""Of one answer, with the protocol around each token (some 200 bytes)."""
CONNECTIONS = 256
SENT_HEADERS = frozenset({"host", "accept", "content-type", "content-length", "connection", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a call waits, and how often it tries again."""

    connect_seconds: float = 5.0
    first_token_seconds: float = 240.0
    """A server may queue a call, and must read the prompt."""
    idle_seconds: float = 60.0
    """Between two pieces of an answer."""
    call_seconds: float = 1800.0
    """The whole call, retries included."""
    retries: int = 3
    backoff_seconds: float = 0.5
    """The first pause is a random part of this, each further one of twice as much."""
    longest_pause_seconds: float = 20.0
    """A server that asks for a longer one is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible endpoint.

    Raises:
        SettingsError: The address is not one that a key may be sent to: no http(s), or with a password, query or fragment in it. Or the
            key cannot be one.
    """

    base_url: str
    """With its version, as in `http://127.0.0.1:8000/v1`."""
    model: str | None = None
    """None takes the one that is served, or the first of several."""
    api_key: SecretStr | None = field(default=None, repr=False)
    context_tokens: int | None = None
    """Where it should be less than what the server says, or the server says nothing."""
    unix_socket: Path | None = None
    """Reach the server over this socket; the address then only names it."""
    timing: Timing = Timing()

    def __post_init__(self) -> None:
        """Refuse an address that would give something away."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"base_url {self.shown!r} is no endpoint. Give an address such as http://127.0.0.1:8000/v1."
            )
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise SettingsError(
                f"base_url {self.shown!r} holds a name, password or query, which would stand in logs. Give the plain address, and the "
                "key by AUTOGLM_API_KEY."
            )
        if not re.fullmatch(r"[!-~]*", self.key):
            raise SettingsError("The API key holds a blank, a line end or another character that no key holds.")

    @property
    def key(self) -> str:
        """The key, for the one place that sends it; empty where there is none."""
        return "" if self.api_key is None else self.api_key.get_secret_value().strip()

    @property
    def shown(self) -> str:
        """The address as it may stand in messages."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")

    @property
    def root(self) -> str:
        """The server's own address, without the version: where health, metrics and counting of tokens are."""
        return self.shown.removesuffix("/v1")

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent stays on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return self.unix_socket is not None or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    @property
    def shows_key(self) -> bool:
        """Whether the key crosses a network unencrypted."""
        return bool(self.key) and not self.is_loopback and urlsplit(self.base_url).scheme == "http"

    def without_key(self, text: str) -> str:
        """Return a text, such as a server's complaint, with the key struck out."""
        return text.replace(self.key, "[key]") if self.key else text


def connections(endpoint: Endpoint) -> httpx2.AsyncClient:
    """Return HTTP connections that keep to the endpoint."""
    own = httpx2.URL(endpoint.base_url)

    async def send_little(request: httpx2.Request) -> None:
        if (request.url.scheme, request.url.netloc) != (own.scheme, own.netloc):
            raise httpx2.UnsupportedProtocol(f"a request to {request.url.host}, which is not the endpoint")
        for name in [*request.headers]:
            if name.lower() not in SENT_HEADERS:
                del request.headers[name]
        request.headers["user-agent"] = "open-autoglm"
        if endpoint.key:
            request.headers["authorization"] = f"Bearer {endpoint.key}"

    async def receive_little(response: httpx2.Response) -> None:
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream)

    # Without TLS, a context that knows no authority, and so would trust nobody: reading the machine's takes 50 ms.
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if own.scheme == "http" else True
    socket = None if endpoint.unix_socket is None else str(endpoint.unix_socket)
    return httpx2.AsyncClient(
        transport=None if socket is None else httpx2.AsyncHTTPTransport(uds=socket, verify=trusted),
        verify=trusted,
        timeout=httpx2.Timeout(None, connect=endpoint.timing.connect_seconds),
        limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        follow_redirects=False,
        trust_env=not endpoint.is_loopback,  # proxies and certificates of the machine, which do not concern itself
        event_hooks={"request": [send_little], "response": [receive_little]},
    )


class _Bounded(httpx2.AsyncByteStream):
    """An answer's bytes, up to the bound."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream
        self._left = MAX_RESPONSE_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise httpx2.ReadError(f"the answer has more than {MAX_RESPONSE_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
