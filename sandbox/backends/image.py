"""The images of the docker backend, with and without what a GPU needs: which packages they hold, what they are called, how they are made.

They hold the versions that this installation uses, no others, so that what is fitted inside is loaded outside by the same code. Their names
end in a hash of all that goes in: after an upgrade the old image no longer matches, and a new one has to be built. The one for GPUs
lies on top of the other and adds PyTorch with CUDA, in the version that is installed here, else the newest that this package takes.
"""

import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from open_autoglm.errors import SandboxUnavailable
from open_autoglm.sandbox.backends.engine import engine
from open_autoglm.sandbox.launch import PACKAGE
from open_autoglm.sandbox.supervision.folders import temporary

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
ADDED = "open-autoglm.added"
"""Label of an image: what its own build installed, as `name==version`, one after the other."""
Say = Callable[[str], None]
Variant = Literal["cpu", "gpu"]
VARIANTS: tuple[Variant, ...] = ("gpu", "cpu")
"""The one on top first."""


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


def wished_for_gpus() -> str:
    """Return the requirement that the image for GPUs adds: `torch==2.9.1`, without the mark of a build for processors alone."""
    try:
        return f"torch=={Version(importlib.metadata.version('torch')).public}"
    except importlib.metadata.PackageNotFoundError:
        own = map(Requirement, importlib.metadata.requires("open-autoglm") or [])
        return next(f"torch{wish.specifier}" for wish in own if wish.name == "torch")


@cache
def image_name(variant: Variant = "cpu") -> str:
    """Return the name of the image that fits this installation."""
    packages = [image_name(), wished_for_gpus()] if variant == "gpu" else [PYTHON, *locked()]
    parts = [*packages, (IMAGES / f"{variant}.Dockerfile").read_text(encoding="utf-8")]
    return f"{REPOSITORY}:{variant}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"


def build(*, base: str | None, debootstrap: bool, say: Say) -> str:
    """Build the image and return its name. Packages come by this Python's pip with its own settings; nothing is fetched inside.

    Raises:
        SandboxUnavailable: A step failed; the message says which, and what may help.
    """
    source = _bootstrapped(say) if debootstrap else base or f"python:{PYTHON}-slim-bookworm"
    with temporary("image") as context:
        (context / "etc").mkdir()
        for name, text in SMALL_FILES.items():
            (context / "etc" / name).write_text(text, encoding="utf-8")
        fill(context, "cpu", locked(), say=say, more=["--no-deps"])
        hint = "" if debootstrap else " Without a registry: autoglm sandbox build --debootstrap"
        _make(context, image_name(), {"BASE": source}, hint, say=say, network="none" if debootstrap else None)
    return image_name()


def build_gpu(*, base: str | None, debootstrap: bool, index: str | None, say: Say) -> str:
    """Build the image for GPUs on top of the other one, which is built first where it is missing, and return its name.

    Args:
        base: For the other one, see `build`.
        debootstrap: Likewise.
        index: Address of the package index that PyTorch comes from, such as one with builds for a certain CUDA; None takes pip's own.
        say: Told of every step.

    Raises:
        SandboxUnavailable: A step failed; the message says which, and what may help.
    """
    if not engine().images(image_name()):
        build(base=base, debootstrap=debootstrap, say=say)
    with temporary("image") as context:
        limits = context / "constraints.txt"
        limits.write_text("\n".join(locked()) + "\n", encoding="utf-8")
        source = ["--index-url", index] if index else []
        fill(context, "gpu", [wished_for_gpus()], say=say, more=["-c", str(limits), *source], there=locked())
        limits.unlink()
        hint = " Wheels of PyTorch for CUDA: autoglm sandbox build --gpu --index https://download.pytorch.org/whl/cu128"
        _make(context, image_name("gpu"), {"BASE": image_name(), "PYTHON": PYTHON}, hint, say=say, network="none")
    return image_name("gpu")


def fill(
    context: Path, variant: Variant, wishes: Sequence[str], *, say: Say, more: Sequence[str], there: Sequence[str] = ()
) -> None:
    """Lay out what a Dockerfile copies: wheels, and the requirements locked to them by version and hash.

    `more` goes to pip; what is `there` already, as `name==version`, is left out.

    Raises:
        SandboxUnavailable: A package cannot be fetched.
    """
    shutil.copyfile(IMAGES / f"{variant}.Dockerfile", context / "Dockerfile")
    say(
        f"Fetching {len(wishes)} packages ..."
        if variant == "cpu"
        else f"Fetching {', '.join(wishes)} and what it needs ..."
    )
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--only-binary", ":all:"]
    wheels = context / "wheels"
    _run([*pip, *more, "-d", str(wheels), *wishes], "The packages could not be fetched")
    lines = []
    for wheel in sorted(wheels.glob("*.whl")):
        name, version, *_ = parse_wheel_filename(wheel.name)
        if f"{name}=={version}" in there:
            wheel.unlink()
        else:
            lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}")
    (context / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _run([*pip, "--no-deps", "-d", str(wheels), "pip"], "pip itself could not be fetched")


def _make(context: Path, name: str, arguments: dict[str, str], hint: str, *, say: Say, network: str | None) -> None:
    say(f"Building {name} from {arguments['BASE']} ...")
    stream = engine(patient=True).build(
        path=str(context), tag=name, buildargs=arguments, rm=True, forcerm=True, decode=True, network_mode=network,
        labels={ADDED: " ".join(line.split()[0] for line in (context / "requirements.txt").read_text(encoding="utf-8").splitlines())},
    )  # fmt: skip
    for line in stream:
        if "error" in line:
            raise SandboxUnavailable(f"The image could not be built: {line['error'].strip()}.{hint}")
    engine(patient=True).prune_images(
        filters={"dangling": True, "label": STAGE}
    )  # as large as what was copied out of it


def added_for_gpus() -> tuple[str, ...]:
    """Return what the image for GPUs holds beside the other one, as `name==version`."""
    about = engine().inspect_image(image_name("gpu"))
    return tuple((about["Config"]["Labels"] or {}).get(ADDED, "").split())


def _bootstrapped(say: Say) -> str:
    """Make a base image from Debian's packages and return its name."""
    suite = SUITES.get(PYTHON)
    if suite is None:
        raise SandboxUnavailable(f"No release of Debian has Python {PYTHON}; use --base with an image that has it.")
    if shutil.which("debootstrap") is None:
        raise SandboxUnavailable("There is no debootstrap program. Install it: apt-get install debootstrap")
    name = f"{REPOSITORY}-base:{suite}"
    if engine().images(name):
        return name
    say(f"Making a base from Debian {suite} ...")
    with temporary("base") as folder:
        root, archive = f"{folder}/root", f"{folder}/base.tar"
        command = ["debootstrap", "--variant=minbase", f"--include={DEBIAN_PACKAGES}", suite, root]
        _run(command, "Debian's packages could not be installed (it takes root and a mirror of Debian)")
        left_out = [f"--exclude=./{path}" for path in ("var/cache", "var/lib/apt", "usr/share/doc", "usr/share/locale")]
        _run(["tar", "-C", root, *left_out, "--one-file-system", "-cf", archive, "."], "The base could not be packed")
        engine(patient=True).import_image_from_file(archive, repository=name.partition(":")[0], tag=suite)
    return name


def _run(command: list[str], problem: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode != 0:
        words = " ".join((ended.stderr or ended.stdout)[-600:].split())
        raise SandboxUnavailable(f"{problem}: {words}")


def images() -> Iterator[tuple[str, int]]:
    """Yield name and size in bytes of every image that was built for the backend, fitting or not."""
    for record in engine().images(REPOSITORY):
        for name in record.get("RepoTags") or []:
            yield name, int(record["Size"])
