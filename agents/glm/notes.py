"""What written code finds installed, in a few true lines: versions, the traps of each, and what is not there."""

from collections.abc import Mapping

from packaging.utils import canonicalize_name
from packaging.version import Version

from open_autoglm.agents.glm.prompting import render
from open_autoglm.agents.glm.sharing import Shared, joined, token

TOLD = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "xgboost-cpu": "xgboost",
    "xgboost": "xgboost",
    "skrub": "skrub",
    "joblib": "joblib",
    "torch": "torch",
}
"""Packages that solutions are written with, and the module of each."""
WISHED = ("lightgbm", "catboost", "xgboost", "torch", "statsmodels", "category_encoders", "imblearn", "tensorflow")
"""Modules that models like to import: said to be absent where they are."""


def installed_notes(installed: Mapping[str, str]) -> Shared:
    """Return the lines for a prompt.

    Args:
        installed: Name to version of what executions find, names canonical; see `packages.provisioned.installed_in`.
    """
    found = {module: installed[name] for name, module in TOLD.items() if name in installed}
    packages = [joined([token(module), token(version)], " ") for module, version in found.items()]
    there = {*found, *(module for module in WISHED if canonicalize_name(module) in installed)}
    return render(
        "installed",
        packages=joined(packages, ", "),
        absent=joined([token(module) for module in WISHED if module not in there], ", "),
        pandas_3=found.get("pandas", "").startswith("3."),
        **{module: module in found for module in ("sklearn", "lightgbm", "catboost", "xgboost")},
    )


def requirements_of(modules: list[str], installed: Mapping[str, str]) -> list[str]:
    """Return the installed packages that bring these modules, as requirements; numpy and pandas always, for the runtime needs them.

    A module that nothing installed brings is left out: the rules for code name it.
    """
    brings = {module: name for name, module in reversed(TOLD.items()) if name in installed}
    names = {brings.get(module) or canonicalize_name(module) for module in {*modules, "numpy", "pandas"}}
    return sorted(_requirement(name, installed[name]) for name in names if name in installed)


def _requirement(name: str, version: str) -> str:
    found = Version(version)
    return f"{name}>={found.major}.{found.minor},<{found.major + 1}"
