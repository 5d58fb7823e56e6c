"""A server that is started, watched and ended, played by a program that misbehaves; nothing of it is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from open_autoglm.agents.glm.serving.launching import Launch
from open_autoglm.agents.glm.serving.server import Server, serving
from open_autoglm.errors import ServerFailed

pytestmark = pytest.mark.service
FAKE = Path(__file__).with_name("fake_vllm.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(behaviour: str) -> Launch:
    port = free_port()
    return Launch(
        argv=[sys.executable, str(FAKE), "serve", "model", "--port", str(port)],
        environment={"FAKE_VLLM": behaviour},
        secrets={},
        name="model",
        port=port,
        container=None,
    )


@pytest.fixture
def said() -> list[str]:
    return []


def group_of(server: Server) -> list[int]:
    return [
        p.pid
        for p in psutil.process_iter()
        if p.status() != psutil.STATUS_ZOMBIE and _group(p.pid) == server.process.pid
    ]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def test_a_server_that_listens_is_waited_for_and_ended(tmp_path: Path, said: list[str]) -> None:
    """Ready once it answers; gone, and its port free, when the block is left."""
    with serving(launch("listens"), tmp_path / "logs" / "log", environment=os.environ) as server:
        assert server.await_ready(said.append)
        server.check()
    assert server.process.returncode == -signal.SIGTERM
    assert not server.answers
    assert "50% Completed" in server.log_end


def test_what_it_started_is_ended_with_it(tmp_path: Path, said: list[str]) -> None:
    """Also a child that heeds no signal."""
    with serving(launch("child"), tmp_path / "log", environment=os.environ) as server:
        assert server.await_ready(said.append)
        assert len(group_of(server)) == 2
    assert group_of(server) == []


def test_a_server_that_ignores_the_wish_to_end_is_killed(tmp_path: Path, said: list[str]) -> None:
    """After its time, with its child."""
    with serving(launch("ignores, child"), tmp_path / "log", environment=os.environ, end_seconds=1.0) as server:
        assert server.await_ready(said.append)
    assert server.process.returncode == -signal.SIGKILL
    assert group_of(server) == []


def test_a_container_is_killed_by_its_name(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no child of ours: only its engine can."""
    monkeypatch.chdir(tmp_path)
    contained = replace(launch("ignores"), container="autoglm-glm-1")
    contained = replace(contained, argv=[str(FAKE), *contained.argv[2:]])
    with serving(contained, tmp_path / "log", environment=os.environ, end_seconds=1.0) as server:
        assert server.await_ready(said.append)
    assert (tmp_path / "killed").read_text() == "autoglm-glm-1"
    assert group_of(server) == []


def test_a_server_that_dies_says_why(tmp_path: Path, said: list[str]) -> None:
    """Early, with the end of its log without colours, and what to do."""
    with (
        pytest.raises(ServerFailed, match=r"status 1 .* too little memory") as caught,
        serving(launch("dies"), tmp_path / "log", environment=os.environ) as server,
    ):
        server.await_ready(said.append)
    assert "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB" in caught.value.tail[0]


def test_a_server_that_hangs_is_given_up(tmp_path: Path, said: list[str]) -> None:
    """Once its log stood still for so long."""
    with (
        pytest.raises(ServerFailed, match="printed nothing for 1 s"),
        serving(launch("hangs"), tmp_path / "log", environment=os.environ) as server,
    ):
        server.await_ready(said.append, patience_seconds=1.0)
    assert group_of(server) == []


def test_a_wish_to_stop_is_heeded_before_it_answers(tmp_path: Path, said: list[str]) -> None:
    """Waiting ends without an error."""
    with serving(launch("hangs"), tmp_path / "log", environment=os.environ) as server:
        assert not server.await_ready(said.append, stopped=lambda: True)


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    """With the reason of the system."""
    missing = launch("listens")
    absent = Launch(argv=["/nowhere/vllm"], environment={}, secrets={}, name="m", port=missing.port, container=None)
    with pytest.raises(ServerFailed, match="No such file"), serving(absent, tmp_path / "log", environment={}):
        pass


def command(behaviour: str, tmp_path: Path, *words: str) -> "subprocess.Popen[str]":
    """Start the command itself on a folder with a checkpoint."""
    model = tmp_path / "tiny"
    model.mkdir()
    (model / "config.json").write_text('{"architectures": ["Glm4ForCausalLM"]}')
    environment = {
        **os.environ,
        "FAKE_VLLM": behaviour,
        "XDG_CACHE_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    arguments = ["glm", "serve", str(model), "--vllm", str(FAKE), *words]
    return subprocess.Popen(
        [sys.executable, "-m", "open_autoglm", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_asked_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """It prints the endpoint and how to use it, ends with 0, and leaves nothing."""
    port = free_port()
    process = command("child", tmp_path, "--port", str(port))
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    assert f"tiny is served at http://127.0.0.1:{port}/v1" in lines[0]
    assert f"AUTOGLM_BASE_URL=http://127.0.0.1:{port}/v1" in lines[1]
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    child = int((tmp_path / "autoglm" / "glm" / f"serve-{port}.log").read_text().split("child ")[1].split()[0])
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_command_that_was_killed_leaves_no_server(tmp_path: Path) -> None:
    """The kernel ends the server for it."""
    port = free_port()
    process = command("listens", tmp_path, "--port", str(port))
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.communicate(timeout=60)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
    pytest.fail("the server outlived its command")


def test_the_command_prints_the_log_of_a_server_that_died(tmp_path: Path) -> None:
    """Its last lines, then one line that says what to do; exit 1."""
    process = command("dies", tmp_path, "--port", str(free_port()))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "  ERROR torch.OutOfMemoryError" in err
    assert err.splitlines()[-1].startswith("error: The server ended with status 1")


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Exit 2, and how to find out who has it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = command("listens", tmp_path, "--port", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--port names another one" in err
