"""A whole run with a real GLM that writes nonsense."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.agents.glm.served.conftest import ROOT, TinyGLM

from open_autoglm.agents.calls import Calls
from open_autoglm.agents.journal import Journal

pytestmark = pytest.mark.vllm
SECONDS = 180


def test_a_run_by_a_model_that_writes_nonsense_ends_with_a_model(tiny_dense: TinyGLM, tmp_path: Path) -> None:
    """Its calls are answered, none of its code can be used, recipes take over, and the result says so."""
    words = ["run", "Predict which passengers survived, use AUC", "--data", str(ROOT / "examples" / "titanic.csv")]
    options = ["--strategist", "glm", "--base-url", tiny_dense.base_url, "--time", f"{SECONDS}s", "--yes", "--json"]
    options += ["--attempts", "14", "--workers", "2"]
    command = [sys.executable, "-m", "open_autoglm", *words, *options, "--out", str(tmp_path / "run")]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS * 3, check=False, env=environment, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    outcome = json.loads(ended.stdout)
    assert outcome["deliverable"] is not None
    assert "could not be used" in outcome["writer"]["degraded"]
    journal = Journal(tmp_path / "run" / "journal.sqlite")
    spent = Calls(journal).spent()
    journal.close()
    assert spent.calls >= 6
    assert spent.failed <= spent.calls / 10
