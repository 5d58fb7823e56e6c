"""The public names of the package: a change here is a change for every user."""

import subprocess
import sys

import open_autoglm


def test_public_names_are_frozen() -> None:
    """Exactly these names are promised."""
    assert open_autoglm.__all__ == ["AutoGLMError", "Model", "RunResult", "__version__", "load", "resume", "run"]


def test_every_public_name_is_there() -> None:
    """The lazy names resolve, and unknown ones are an AttributeError."""
    for name in open_autoglm.__all__:
        assert getattr(open_autoglm, name) is not None
        assert name in dir(open_autoglm)
    assert not hasattr(open_autoglm, "nonsense")


def test_importing_the_package_imports_nothing_heavy() -> None:
    """`import open_autoglm` is instant."""
    script = "import sys, open_autoglm; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {"pandas", "numpy", "pydantic", "rich", "cyclopts", "langgraph", "sklearn"}.isdisjoint(loaded)


def test_run_result_members_are_frozen() -> None:
    """The members of a result that are promised."""
    members = {name for name in dir(open_autoglm.RunResult) if not name.startswith("_")}
    assert members == {
        "attempts", "best", "code", "cost", "export", "guesses", "leaderboard", "model", "outcome", "predict",
        "report_path", "run_dir", "sandbox", "score", "stop_reason", "task", "warnings",
    }  # fmt: skip
