"""A real vLLM with a tiny GLM of random weights, for tests with the marker `vllm`. `.ci/vllm-env` makes the environment that it needs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from open_autoglm.agents.glm.serving.choosing import choose
from open_autoglm.agents.glm.serving.launching import Wishes, prepare
from open_autoglm.agents.glm.serving.programs import Program
from open_autoglm.agents.glm.serving.server import serving
from open_autoglm.sandbox.contracts.demand import demand

ROOT = Path(__file__).parents[4]
ENVIRONMENT = Path(os.environ.get("VLLM_ENV") or ROOT / ".venv-vllm")
MAKER = Path(__file__).with_name("make_tiny_glm.py")
FLAGS = ("--dtype", "float32", "--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", "32768")
"""Prompts are read whole: on processors, vLLM 0.32 dies of a request with a seed whose prompt it reads in pieces."""
START_SECONDS = 300.0
END_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class TinyGLM:
    """A served model that answers nonsense, in the form that it is asked for."""

    name: str
    base_url: str
    adapter: Path
    """A LoRA adapter for the dense one."""


@pytest.fixture(scope="session")
def vllm_environment() -> Path:
    """The environment with vLLM; without it these tests are skipped, and in CI they fail."""
    there = (ENVIRONMENT / "bin" / "vllm").exists()
    demand(there=there, reason=f"There is no vLLM in {ENVIRONMENT}: run .ci/vllm-env")
    return ENVIRONMENT


@pytest.fixture(scope="session")
def checkpoints(vllm_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny-moe, tiny-dense and adapter; their words are those of our own sources and prompts."""
    out = tmp_path_factory.mktemp("glm")
    sources = [
        str(path)
        for folder in ("agents", "sandbox", "tools")
        for pattern in ("*.py", "*.j2")
        for path in sorted((ROOT / folder).rglob(pattern))
    ]
    command = [str(vllm_environment / "bin" / "python"), str(MAKER), str(out), *sources]
    made = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    assert made.returncode == 0, made.stderr[-2000:]
    return out


@pytest.fixture(scope="session")
def tiny_moe(checkpoints: Path, vllm_environment: Path) -> Iterator[TinyGLM]:
    """A Glm4MoeForCausalLM that thinks."""
    launch = prepare(
        choose(str(checkpoints / "tiny-moe"), ()),
        Wishes(port=free_port(), extra=FLAGS),
        Program(path=str(vllm_environment / "bin" / "vllm")),
    )
    with serving(launch, checkpoints / "moe.log", environment=_variables(), end_seconds=END_SECONDS) as server:
        assert server.await_ready(lambda _: None, patience_seconds=START_SECONDS)
        yield TinyGLM(name=launch.name, base_url=launch.base_url, adapter=checkpoints / "adapter")


@pytest.fixture(scope="session")
def tiny_dense(checkpoints: Path, vllm_environment: Path) -> Iterator[TinyGLM]:
    """A Glm4ForCausalLM that does not think, with an adapter called `first`: served by the command itself, which Ctrl-C ends."""
    port, adapter = free_port(), checkpoints / "adapter"
    words = ["glm", "serve", str(checkpoints / "tiny-dense"), "--port", str(port), "--vllm", str(vllm_environment)]
    command = [sys.executable, "-m", "open_autoglm", *words, "--lora", f"first={adapter}", "--", *FLAGS]
    variables = {**_variables(), "XDG_CACHE_HOME": str(checkpoints)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()  # ends, empty, if the command does
            base_url = f"http://127.0.0.1:{port}/v1"
            assert base_url in told
            yield TinyGLM(name="tiny-dense", base_url=base_url, adapter=adapter)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS * 2)
    assert process.returncode == 0
    assert not listens(port)


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody goes on listening."""
    until = time.monotonic() + END_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return False
        time.sleep(0.1)
    return True


def _variables() -> Mapping[str, str]:
    """Return this process's variables, and how much memory vLLM may take for contexts: 1 GiB."""
    return {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1"}
