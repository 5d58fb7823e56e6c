"""What is left on the host is seen, wherever it is left."""

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest

from open_autoglm.evals.containment import leftovers
from open_autoglm.evals.containment.leftovers import Surroundings, planted, tagged
from open_autoglm.sandbox.supervision.folders import make_folder, remove
from open_autoglm.sandbox.supervision.orphans import VARIABLE
from open_autoglm.sandbox.supervision.owner import HAS_PROC

PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}


def test_a_process_and_a_folder_are_told() -> None:
    """Until they are gone."""
    surroundings = Surroundings.now()
    tag = uuid.uuid4().hex
    folder = make_folder("session")
    try:
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)", tag])
        left = surroundings.left(seconds=0)
        alive = tagged(tag)
        child.kill()
        child.wait()
    finally:
        remove(folder)

    assert any(str(folder) in line for line in left)
    assert any(f"process {child.pid}" in line for line in left)
    assert alive == [child.pid]
    assert surroundings.left(seconds=1) == []


@pytest.mark.needs(HAS_PROC, "there is no /proc to tell")
def test_a_process_that_left_its_tree_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of its owner: its parent is another by now."""
    monkeypatch.setattr(leftovers, "owner", lambda: "some/owner/1/1")
    surroundings = Surroundings.now()
    environment = {VARIABLE: "some/owner/1/1"}
    code = "import os, time; os.fork() and os._exit(0); print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code], env=environment, **PIPES) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
    left = surroundings.left(seconds=0)
    os.kill(orphan, signal.SIGKILL)

    assert any(f"process {orphan} " in line for line in left)
    assert surroundings.left(seconds=5) == []


def test_a_file_in_a_folder_open_to_all_is_found() -> None:
    """By the tag in its name."""
    with tempfile.NamedTemporaryFile(suffix="some-tag") as file:
        assert planted("some-tag") == [Path(file.name)]


def test_what_an_engine_keeps_of_a_container_is_told() -> None:
    """Here a process that looks after one: the container's name is in its arguments."""
    name = uuid.uuid4().hex * 2
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "print(1, flush=True); input()", name], **PIPES) as shim:
        assert shim.stdout is not None
        shim.stdout.readline()
        kept = list(leftovers._kept_of([name]))
        shim.communicate("\n")

    assert len(kept) == 1
    assert list(leftovers._kept_of([name])) == []
