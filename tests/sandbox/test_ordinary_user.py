"""What every backend promises holds for an ordinary user, too: the contracts, run as somebody who owns nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BACKENDS = Path(__file__).parent / "backends"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.checkout,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux can become an ordinary user"
    ),
]


def run(*words: str) -> str:
    """Run tests in a view of this machine in which their files can be read, and return what pytest printed."""
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not checkout"]
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(ROOT / ".ci" / "as-user"), *words]
    command[command.index("TESTS") : command.index("TESTS") + 1] = tests
    ran = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]
    return ran.stdout


@pytest.mark.parametrize(
    "contract",
    [
        "test_process.py::TestProcess",
        "test_bubblewrap.py::TestNamespaces",
        "test_bubblewrap.py::TestSingleUse",
        "test_jupyter.py::TestInBubblewrap",
        "test_landlock.py::TestSameUser",
    ],
)
def test_it_holds(contract: str) -> None:
    """Without control groups, and without the rights that root brings along."""
    assert " passed" in run("TESTS", f"{BACKENDS}/{contract}")


@pytest.mark.parametrize("contract", ["TestNamespaces", "TestSingleUse"])
@pytest.mark.docker
def test_it_holds_for_a_member_of_the_engines_group(contract: str) -> None:
    """The engine makes containers for them as for root."""
    assert " passed" in run("-g", "docker", "TESTS", f"{BACKENDS}/test_docker.py::{contract}")


def test_users_of_their_own_do_where_python_lies_in_roots_home() -> None:
    """Landlock's tests as another user, by root, in a view in which others can reach Python."""
    told = run("-r", "TESTS", f"{BACKENDS}/test_landlock.py::TestOwnUser")
    assert " passed" in told
    assert "skipped" not in told
