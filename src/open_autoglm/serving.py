"""Predictions from a delivered model, for `autoglm predict` and the Python API: the model is loaded in a sandbox."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from open_autoglm.errors import RunDirectoryError, damage
from open_autoglm.settings import cache_folder, load_settings

if TYPE_CHECKING:
    from open_autoglm.sandbox.bundles.bundle import Author
    from open_autoglm.tools.serving.predictor import Predictor


def open_predictor(where: Path, *, sandbox: str, warn: Callable[[str], None]) -> "Predictor":
    """Return a predictor for the deliverable of a run directory, or for a deliverable that was taken elsewhere.

    `warn` is told in one line each what is odd about the rows to predict. Asking for `process` by name lets also code
    that recipes did not write run without isolation.

    Raises:
        InputError: A file of the deliverable is missing or was changed.
        RunDirectoryError: There is no deliverable.
        SandboxUnavailable: No sandbox that may load this model is ready.
    """
    from open_autoglm.sandbox.choice import select_sandbox  # noqa: PLC0415 - the sandbox and pandas take half a second
    from open_autoglm.sandbox.packages.provisioned import Packages  # noqa: PLC0415
    from open_autoglm.sandbox.policy import read_policy  # noqa: PLC0415
    from open_autoglm.tools.serving.predictor import Predictor  # noqa: PLC0415

    deliverable = find_deliverable(where)
    settings = load_settings().values
    policy = None if settings.policy is None else read_policy(settings.policy)
    chosen = select_sandbox(sandbox, author=author_of(deliverable), policy=policy, runtime=settings.runtime)
    packages = Packages(cache=cache_folder(), allowed=settings.allowed_packages)
    return Predictor(deliverable=deliverable, sandbox=chosen, trust=sandbox == "process", warn=warn, packages=packages)


def find_deliverable(where: Path) -> Path:
    """Return the folder with the manifest.

    Raises:
        RunDirectoryError: There is none.
    """
    if not where.is_dir():
        raise RunDirectoryError(f"There is no run directory {str(where)!r}. `autoglm runs` lists those there are.")
    for folder in (where / "deliverable", where):
        if (folder / "manifest.json").is_file():
            return folder
    if (where / "run.json").is_file():
        raise RunDirectoryError(
            f"The run {str(where)!r} has delivered no model yet. `autoglm show {where}` says how far it came."
        )
    raise RunDirectoryError(f"{str(where)!r} is neither a run directory nor a deliverable: it has no manifest.json.")


def author_of(deliverable: Path) -> "Author":
    """Return who wrote the delivered code, as its manifest says.

    Raises:
        RunDirectoryError: The manifest cannot be read.
    """
    from open_autoglm.sandbox.bundles.bundle import Author  # noqa: PLC0415 - as above

    path = deliverable / "manifest.json"
    try:
        return Author(json.loads(path.read_text(encoding="utf-8"))["author"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(
            f"{path} is damaged ({damage(error)}): the deliverable cannot be used. Export the run again: autoglm resume RUN_DIR."
        ) from None
