"""The image of the docker backend: which packages it holds, what it is called, how it is made.

It holds the versions that this installation uses, no others, so that what is fitted inside is loaded outside by the same code. Its name
ends in a hash of all that goes in: after an upgrade the old image no longer matches, and a new one has to be built.
"""

import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.launch import PACKAGE

REPOSITORY = "open-autoglm-sandbox"
IMAGES = PACKAGE / "images"
WANTED = (
    "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "joblib", "skops", "skrub", "lightgbm", "matplotlib", "catboost",
    "xgboost-cpu", "tqdm", "optuna", "nbformat", "nbclient", "ipykernel", "jupyter-client",
)  # fmt: skip
"""What executed code may import, as far as it is installed here; what these need comes along."""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SUITES = {"3.11": "bookworm", "3.13": "trixie"}
"""Python's version to the release of Debian that has it."""
DEBIAN_PACKAGES = "python3,libgomp1,ca-certificates"
SMALL_FILES = {
    "group": "sandbox:x:1000:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
STAGE = "open-autoglm.stage"
"""Label of what a build leaves behind: the stage that the packages were installed in."""
Say = Callable[[str], None]


@cache
def locked() -> tuple[str, ...]:
    """Return the requirements with the versions of this installation, sorted: `numpy==2.4.6`."""
    found: dict[str, str] = {}
    todo = [Requirement(name) for name in WANTED]
    while todo:
        requirement = todo.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # of an extra that is not installed
            continue
        found[name] = package.version
        todo += [Requirement(line) for line in package.requires or []]
    return tuple(f"{name}=={version}" for name, version in sorted(found.items()))


@cache
def image_name() -> str:
    """Return the name of the image that fits this installation."""
    parts = [PYTHON, *locked(), (IMAGES / "cpu.Dockerfile").read_text(encoding="utf-8")]
    return f"{REPOSITORY}:cpu-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"


def build(*, base: str | None, debootstrap: bool, say: Say) -> str:
    """Build the image and return its name. Packages come by this Python's pip with its own settings; nothing is fetched inside.

    Raises:
        SandboxUnavailable: A step failed; the message says which, and what may help.
    """
    from open_autoglm.sandbox.docker import engine  # noqa: PLC0415 - it asks for this module's names

    source = _bootstrapped(say) if debootstrap else base or f"python:{PYTHON}-slim-bookworm"
    with tempfile.TemporaryDirectory(prefix="autoglm-image-") as folder:
        context = Path(folder)
        _fill(context, say)
        say(f"Building {image_name()} from {source} ...")
        network = "none" if debootstrap else None
        stream = engine().build(
            path=str(context), tag=image_name(), buildargs={"BASE": source}, rm=True, forcerm=True, decode=True, network_mode=network,
            timeout=None,
        )  # fmt: skip
        for line in stream:
            if "error" in line:
                hint = "" if debootstrap else " Without a registry: autoglm sandbox build --debootstrap"
                raise SandboxUnavailable(f"The image could not be built: {line['error'].strip()}.{hint}")
    engine().prune_images(filters={"dangling": True, "label": STAGE})  # as large as what was copied out of it
    return image_name()


def _fill(context: Path, say: Say) -> None:
    """Lay out what the Dockerfile copies."""
    pins = locked()
    shutil.copyfile(IMAGES / "cpu.Dockerfile", context / "Dockerfile")
    (context / "requirements.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    (context / "etc").mkdir()
    for name, text in SMALL_FILES.items():
        (context / "etc" / name).write_text(text, encoding="utf-8")
    say(f"Fetching {len(pins)} packages ...")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "--no-deps"]
    _run(
        [*pip, "-d", str(context / "wheels"), "-r", str(context / "requirements.txt"), "pip"],
        "The packages could not be fetched",
    )


def _bootstrapped(say: Say) -> str:
    """Make a base image from Debian's packages and return its name."""
    from open_autoglm.sandbox.docker import engine  # noqa: PLC0415 - see above

    suite = SUITES.get(PYTHON)
    if suite is None:
        raise SandboxUnavailable(f"No release of Debian has Python {PYTHON}; use --base with an image that has it.")
    if shutil.which("debootstrap") is None:
        raise SandboxUnavailable("There is no debootstrap program. Install it: apt-get install debootstrap")
    name = f"{REPOSITORY}-base:{suite}"
    if engine().images(name):
        return name
    say(f"Making a base from Debian {suite} ...")
    with tempfile.TemporaryDirectory(prefix="autoglm-base-") as folder:
        root, archive = f"{folder}/root", f"{folder}/base.tar"
        command = ["debootstrap", "--variant=minbase", f"--include={DEBIAN_PACKAGES}", suite, root]
        _run(command, "Debian's packages could not be installed (it takes root and a mirror of Debian)")
        left_out = [f"--exclude=./{path}" for path in ("var/cache", "var/lib/apt", "usr/share/doc", "usr/share/locale")]
        _run(["tar", "-C", root, *left_out, "--one-file-system", "-cf", archive, "."], "The base could not be packed")
        engine().import_image_from_file(archive, repository=name.partition(":")[0], tag=suite)
    return name


def _run(command: list[str], problem: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode != 0:
        words = " ".join((ended.stderr or ended.stdout)[-600:].split())
        raise SandboxUnavailable(f"{problem}: {words}")


def images() -> Iterator[tuple[str, int]]:
    """Yield name and size in bytes of every image that was built for the backend, fitting or not."""
    from open_autoglm.sandbox.docker import engine  # noqa: PLC0415 - see above

    for record in engine().images(REPOSITORY):
        for name in record.get("RepoTags") or []:
            yield name, int(record["Size"])
