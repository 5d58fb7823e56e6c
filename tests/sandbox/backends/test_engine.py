"""Where the engine is looked for, and what a user is told where there is none."""

import socket
import threading
from pathlib import Path

import pytest

from open_autoglm.sandbox.backends.engine import address, missing_engine, status_of


def test_without_an_engine_the_reason_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An engine that is missing where it usually is, missing where it was named, deaf, or on another machine."""
    path = tmp_path / "docker.sock"
    monkeypatch.setattr("open_autoglm.sandbox.backends.engine.USUAL", f"unix://{path}")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert "apt-get install docker.io" in (missing_engine() or "")

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/other.sock")
    assert "unset DOCKER_HOST" in (missing_engine() or "")

    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    path.touch()
    assert "does not answer" in (missing_engine() or "")

    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    assert "on this machine alone" in (missing_engine() or "")


def test_the_socket_that_the_environment_names_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An engine that answers there is one; an empty name counts as none."""
    monkeypatch.setenv("DOCKER_HOST", "")
    assert address().endswith("/var/run/docker.sock")

    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        listener.settimeout(5)

        def answer() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(1000)
                line.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert status_of("/_ping") == 200
        thread.join()
