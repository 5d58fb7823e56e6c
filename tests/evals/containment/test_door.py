"""The door that a policy of the suite may open: it answers, and tells what nobody may ask for."""

import hashlib
import http.client
import socket

import pytest

from open_autoglm.evals.containment.door import OPEN, Door

pytestmark = pytest.mark.service


def said(door: Door, method: str, path: str, content: bytes | None = None) -> str:
    line = http.client.HTTPConnection("127.0.0.1", door.port, timeout=10)
    line.request(method, path, content)
    answer = line.getresponse().read().decode()
    line.close()
    return answer


def test_it_answers_and_remembers_odd_questions() -> None:
    """Once, and shown so that no terminal obeys them; whoever hangs up in the middle is nobody's trouble."""
    with Door() as door:
        assert said(door, "GET", "/") == OPEN
        assert said(door, "POST", "/", b"much") == hashlib.sha256(b"much").hexdigest()
        assert door.asked() == []
        said(door, "GET", "/late")
        with socket.create_connection(("127.0.0.1", door.port)) as caller:
            caller.sendall(b"POST / HTTP/1.0\r\nContent-Length: 99\r\n\r\nless")
        assert (door.asked(), door.asked()) == (["'/late'"], [])
    with pytest.raises(ConnectionRefusedError):
        said(door, "GET", "/")
