"""`autoglm sandbox`: what it tells of images and containers, with a real engine, and what it removes; nothing that others made."""

import io
import json
import tempfile
from pathlib import Path

import pytest

from open_autoglm.cli import main
from open_autoglm.front import Front
from open_autoglm.sandbox.backends.engine import missing_engine
from open_autoglm.sandbox.backends.image import image_name
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.supervision.folders import OWNER
from open_autoglm.sandbox.supervision.owner import owner
from open_autoglm.scripted_engine import ScriptedEngine
from open_autoglm.terminal import Terminal


def typed(*tokens: str) -> str:
    lacking = missing_engine()
    demand(there=lacking is None, reason=lacking or "")
    out = io.StringIO()
    front = Front(terminal=Terminal(out, io.StringIO(), io.StringIO()), engine=ScriptedEngine)
    assert main(["sandbox", *tokens], front=front) == 0
    return out.getvalue()


@pytest.mark.docker
def test_both_images_are_listed() -> None:
    """The one for GPUs is named as one that not everybody needs."""
    found = json.loads(typed("list", "--json"))
    assert (found["wanted"], found["wanted_for_gpus"]) == (image_name(), image_name("gpu"))

    said = typed("list")
    assert image_name() in said
    assert image_name("gpu") in said
    if image_name("gpu") not in [image["image"] for image in found["images"]]:
        assert "needed for GPUs alone: autoglm sandbox build --gpu" in said


def test_what_killed_hosts_left_is_removed_without_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And told; images and containers are left to who has one."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "autoglm-session-x"
    left.mkdir()
    (left / OWNER).write_text(owner().rpartition("/")[0] + "/0")
    out, told = io.StringIO(), io.StringIO()
    front = Front(terminal=Terminal(out, told, io.StringIO()), engine=ScriptedEngine)

    assert main(["sandbox", "prune"], front=front) == 0
    assert f"removed folder {left}\n" in out.getvalue()
    assert not left.exists()
    assert "Containers and images were not looked at. There is no Docker engine" in told.getvalue()


def test_kernels_are_offered_to_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Jupyter looks for them, without an engine."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    out = io.StringIO()
    front = Front(terminal=Terminal(out, io.StringIO(), io.StringIO()), engine=ScriptedEngine)

    assert main(["sandbox", "kernels"], front=front) == 0
    assert sorted(path.name for path in (tmp_path / "kernels").iterdir()) == ["autoglm-bubblewrap", "autoglm-docker"]
    assert str(tmp_path / "kernels" / "autoglm-docker") in out.getvalue()
