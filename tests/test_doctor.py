"""The check-up: what it finds, and the exit status."""

import importlib.util
import io
import json
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from open_autoglm import doctor
from open_autoglm.agents.glm.asking import Abilities
from open_autoglm.agents.glm.endpoint import Endpoint
from open_autoglm.agents.glm.serving.status import Pages, Served
from open_autoglm.cli import main
from open_autoglm.errors import EndpointFailed
from open_autoglm.front import Front
from open_autoglm.sandbox.base import Readiness
from open_autoglm.terminal import Terminal

HERE = Path()
ENDPOINT = Endpoint(base_url="http://host:9/v1")
WALLS = Readiness(backend="bubblewrap", ready=True, isolating=True, tier="namespaces", reason="bwrap 0.11 works")
OPEN = Readiness(backend="process", ready=True, isolating=False, tier="none", reason="always there, without isolation")
BROKEN = Readiness(
    backend="bubblewrap", ready=False, isolating=True, tier="none", reason="user namespaces are off: sysctl ..."
)


def abilities(**changes: object) -> Abilities:
    """What a good endpoint is found to do, or another."""
    found = Abilities(
        models=[Served(name="glm", context_tokens=32768)],
        asked="glm",
        obeys_schema=True,
        can_stop_thinking=True,
        thinks=True,
        caps_thinking=True,
        adapters=["mine"],
        loads_adapters=True,
        metrics=True,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def check_up(
    *backends: Readiness, endpoint: Endpoint | None = None, root: Path = HERE, ask: doctor.Ask | None = None
) -> doctor.CheckUp:
    """Examine this machine with these backends."""
    return doctor.examine(probe=lambda: backends, endpoint=endpoint, root=root, port=0, ask=ask)


def told_of(ask: doctor.Ask, endpoint: Endpoint = ENDPOINT) -> doctor.Finding:
    """What the check-up says of the endpoint."""
    found = {finding.subject: finding for finding in check_up(WALLS, endpoint=endpoint, ask=ask).findings}
    return found["language model"]


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test connects anywhere."""

    def refuse(*_: object, **__: object) -> socket.socket:
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)


def test_an_isolating_sandbox_is_enough() -> None:
    """Exit 0 with one, 54 without, whatever else is there."""
    assert check_up(WALLS, OPEN).exit_code == 0
    assert check_up(BROKEN, OPEN).exit_code == 54
    assert check_up().exit_code == 54


def test_a_backend_that_is_not_ready_says_why() -> None:
    """The reason is in the text, with how to mend it."""
    text = check_up(BROKEN, OPEN).as_text()
    assert "sandbox bubblewrap: not ready: user namespaces are off: sysctl ..." in text
    assert "No isolating sandbox is ready" in text


def test_versions_disk_and_machine_are_told() -> None:
    """Python, packages, disk and cores each have a line."""
    findings = {finding.subject: finding for finding in check_up(WALLS).findings}
    assert set(findings) == {
        "python",
        "packages",
        "kernel",
        "sandbox bubblewrap",
        "language model",
        "gpu",
        "disk",
        "machine",
    }
    assert "pandas" in findings["packages"].text
    assert "cores" in findings["machine"].text


def test_a_named_endpoint_is_asked_what_it_can_do() -> None:
    """Model and context, schema, thinking, adapters, metrics: for a reader and for a program."""
    told = told_of(lambda _: abilities())
    assert told.verdict == "ok"
    for words in (
        "http://host:9/v1 serves glm (context 32,768 tokens)",
        "obey a JSON schema",
        "switched off and capped",
        "mine, and more",
        "metrics of vLLM",
    ):
        assert words in told.text
    assert told.details["schema"] == told.details["thinking_capped"] == told.details["lora_loading"] == "yes"
    assert told.details["context glm"] == "32768"


@pytest.mark.parametrize(
    ("changes", "words", "verdict"),
    [
        ({"obeys_schema": False}, "asked for twice", "note"),
        ({"can_stop_thinking": False}, "--reasoning-parser", "note"),
        ({"caps_thinking": False}, "not capped", "ok"),
        ({"thinks": False, "caps_thinking": False}, "does not think", "ok"),
        ({"metrics": False, "adapters": [], "loads_adapters": False}, "no LoRA adapters; no metrics", "ok"),
    ],
)
def test_what_an_endpoint_cannot_do_is_said(changes: dict[str, object], words: str, verdict: str) -> None:
    """With what follows from it; only what decisions need is a note."""
    told = told_of(lambda _: abilities(**changes))
    assert words in told.text
    assert told.verdict == verdict


def test_an_endpoint_that_does_not_answer_is_a_problem() -> None:
    """It says who writes the code meanwhile."""

    def fail(_: Endpoint) -> Abilities:
        raise EndpointFailed("http://host:9/v1 is not there.")

    told = told_of(fail)
    assert told.verdict == "problem"
    assert "is not there. Until it does, recipes write the code" in told.text


def test_a_key_that_crosses_the_network_in_the_open_is_said() -> None:
    """And never shown."""
    told = told_of(lambda _: abilities(), replace(ENDPOINT, api_key=SecretStr("secret")))
    assert told.verdict == "note"
    assert "use https" in told.text
    assert "secret" not in f"{told}"


def test_an_endpoint_nearby_is_pointed_to_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens; something does that is none; a server of models, which is named with the way to use it."""
    assert "three ways" in check_up(WALLS).as_text()
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: socket.socket(socket.AF_UNIX))

    def nothing(self: Pages) -> object:
        raise EndpointFailed("no list")

    monkeypatch.setattr(Pages, "served", nothing)
    assert "but it lists no models" in check_up(WALLS).as_text()
    monkeypatch.setattr(Pages, "served", lambda self: ([Served(name="glm", context_tokens=None)], []))
    text = check_up(WALLS).as_text()
    assert "serves glm, and is not used" in text
    assert "export AUTOGLM_BASE_URL=http://127.0.0.1:0/v1" in text


def test_a_full_or_locked_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Too little space, or a folder that cannot be written."""
    monkeypatch.setattr(doctor, "DISK_WANTED_BYTES", 1 << 60)
    assert "PROBLEM  disk: only" in check_up(WALLS, root=tmp_path / "not" / "there").as_text()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written" in check_up(WALLS, root=tmp_path).as_text()


def test_a_missing_package_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is named."""
    monkeypatch.setattr(doctor, "PACKAGES", ("pandas", "no-such-package"))
    assert "missing: no-such-package" in check_up(WALLS).as_text()


def test_a_gpu_is_asked_for_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`nvidia-smi` answers, or fails, and neither stops the check-up."""
    program = tmp_path / "nvidia-smi"
    for script, words in (("echo 'H200, 143771 MiB'", "H200, 143771 MiB"), ("exit 9", "does not answer")):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(shutil, "which", lambda _: str(program))
        assert words in check_up(WALLS).as_text()


def test_a_gpu_that_cannot_be_watched_is_not_given_to_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would watch it is named; where it is installed there is nothing to say."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'open-autoglm[gpu]'" in doctor._gpu_hint()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert not doctor._gpu_hint()


def test_the_command_prints_text_or_one_object() -> None:
    """`doctor` and `doctor --json` end with the same status."""
    out = io.StringIO()
    front = Front(terminal=Terminal(out, io.StringIO(), io.StringIO()), probe=lambda: lambda: [BROKEN])
    assert main(["doctor", "--json"], front=front) == 54
    record = json.loads(out.getvalue())
    assert record["ready"] is False
    assert {"subject", "verdict", "text", "details"} == set(record["findings"][0])
    assert main(["doctor"], front=front) == 54


def test_the_policy_is_printed_as_it_is_and_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    """With its hash, which execution reports carry."""
    assert main(["doctor", "--policy"]) == 0
    text = capsys.readouterr().out
    assert main(["doctor", "--policy", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)

    assert text.startswith("# What code in an isolating sandbox may do.")
    assert text.endswith(f"# sha256 {record['sha256']}\n")
    assert record["policy"]["network"] == {"access": "none", "allow": []}
