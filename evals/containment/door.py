"""A server on this machine that a policy of the suite may list: where the way out leads that such a policy opens."""

import hashlib
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Any

OPEN = "the door is open"
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 5.0
_MOST_ODD = 10
_MOST_BYTES = 64 << 20


class Door:
    """Answers `GET /` with a sentence and `POST /` with the hash of what it was sent; whoever asks for anything else is remembered."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Answers)
        self._odd: list[str] = []
        self._server.odd = self._odd
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOK_SECONDS,), daemon=True)

    def __enter__(self) -> "Door":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def asked(self) -> list[str]:
        """Return the paths that nobody may ask for, and that were asked for since this was last called."""
        found, self._odd[:] = list(self._odd), []
        return found


class _Server(ThreadingTCPServer):
    daemon_threads = True
    odd: list[str]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of our own mistakes alone: a caller may hang up whenever he likes."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Answers(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        self._answer(OPEN)

    def do_POST(self) -> None:
        size = min(int(self.headers.get("Content-Length", 0)), _MOST_BYTES)
        self._answer(hashlib.sha256(self.rfile.read(size)).hexdigest())

    def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - the standard library's name
        """Keep the terminal for outcomes."""

    def _answer(self, text: str) -> None:
        if self.path != "/" and len(self.server.odd) < _MOST_ODD:
            self.server.odd.append(ascii(self.path[:100]))
        content = text.encode("ascii")
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
