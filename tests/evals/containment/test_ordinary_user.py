"""The sandboxes hold for an ordinary user, too: without control groups of their own, without the rights that root brings along."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from open_autoglm.evals.containment.runner import Outcome
from open_autoglm.sandbox.contracts.demand import demand

ROOT = Path(__file__).parents[3]
AS_USER = ROOT / ".ci" / "as-user"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.checkout,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux can become an ordinary user"
    ),
]


def outcomes(backend: str, *group: str) -> list[Outcome]:
    """Run half of the suite as a user who owns nothing."""
    command = [
        str(AS_USER),
        *group,
        sys.executable,
        "-m",
        "open_autoglm",
        "eval",
        "run",
        "sandbox",
        "--quick",
        "--json",
    ]
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [*command, "--backend", backend], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    demand(there=ran.returncode != 54, reason=ran.stderr.strip())
    assert ran.stdout, ran.stderr
    return [Outcome.model_validate(outcome) for outcome in json.loads(ran.stdout)["outcomes"]]


def wrong(found: list[Outcome]) -> dict[str, list[str]]:
    return {outcome.program: outcome.problems for outcome in found if outcome.contained is False}


def test_bubblewrap_holds_for_an_ordinary_user() -> None:
    """Memory and processes are limited by rlimits and watched from outside."""
    assert wrong(outcomes("bubblewrap")) == {}


def test_landlock_holds_with_users_of_its_own() -> None:
    """Started by root, in a view in which others can reach Python."""
    assert wrong(outcomes("landlock/own_user", "-r")) == {}


@pytest.mark.docker
def test_docker_holds_for_a_member_of_its_group() -> None:
    """The engine sets limits and kills, where this user may not."""
    assert wrong(outcomes("docker", "-g", "docker")) == {}
