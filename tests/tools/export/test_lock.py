"""The lock pins what a solution imports and what that needs."""

import importlib.metadata

from open_autoglm.tools.export.lock import imported_modules, pinned

FILES = {
    "solution.py": "import numpy as np\nfrom sklearn.linear_model import Ridge\nimport json\nfrom runtime import Context\nimport extra\n",
    "extra.py": "import lightgbm\n",
    "notes.txt": "import nothing",
}


def test_only_foreign_modules_count() -> None:
    """The standard library, the runtime and the bundle's own files are not requirements."""
    assert imported_modules(FILES) == {"numpy", "sklearn", "lightgbm"}


def test_versions_are_those_installed_with_their_needs() -> None:
    """scikit-learn brings scipy along; a requirement without an import counts too; an unknown one is left out."""
    lines = dict(line.split("==") for line in pinned(FILES, ["joblib>=1", "no-such-package-here<2"]))
    assert lines["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert {"scipy", "threadpoolctl", "lightgbm", "joblib", "pandas", "pyarrow"} <= set(lines)
    assert "pytest" not in lines
    assert list(lines) == sorted(lines)
