"""The manifest: every file of a deliverable with its hash, and what it takes to run the model again."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from open_autoglm.errors import InputError
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.tools.data.schema import InputSchema
from open_autoglm.tools.export.story import Environment, Scores
from open_autoglm.tools.task import Label

FILE_NAME = "manifest.json"

PLAIN_SUFFIXES = frozenset({
    ".cbm", ".csv", ".json", ".md", ".npy", ".npz", ".onnx", ".parquet", ".safetensors", ".skops", ".txt", ".ubj",
})  # fmt: skip
"""Formats that hold numbers and text. A file of any other name is taken to hold code."""


class FileEntry(BaseModel):
    """One file as it was written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size_bytes: int


class Manifest(BaseModel):
    """What is in a deliverable. `loading_runs_code` says whether opening its model can execute code from the model's files."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")

    format_version: Literal[1] = 1
    run_id: str
    created: str
    author: Author
    title: str
    seed: int
    refitted: bool
    loading_runs_code: bool
    task: dict[str, JsonValue]
    """What `ctx.task` is: target, task_type, metric, classes, columns, quantiles."""
    classes: list[Label]
    params: dict[str, JsonValue] | None
    quantiles: list[float] = []
    input: InputSchema
    """Columns that the model expects, which of them name rows, and how the training table was read."""
    scores: Scores
    environment: Environment
    requirements: list[str]
    left_out: list[str] = []
    files: dict[str, FileEntry] = {}

    @property
    def running(self) -> dict[str, FileEntry]:
        """The files that decide what runs: code and model. A notebook that its reader ran again is another matter."""
        return {name: entry for name, entry in self.files.items() if name.endswith(".py") or name.startswith("model/")}


def load_manifest(deliverable: Path) -> Manifest:
    """Read the manifest of a deliverable.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    path = deliverable / FILE_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"No model in {str(deliverable)!r}: {FILE_NAME} is missing. Name the folder of a finished run."
        ) from None
    except (OSError, ValidationError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"The manifest {str(path)!r} cannot be read: {reason}. Export the run again: autoglm resume RUN_DIR."
        ) from error


def hash_file(path: Path) -> FileEntry:
    """Return SHA-256 and size of a file."""
    with path.open("rb") as file:
        return FileEntry(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=path.stat().st_size)


def hash_tree(root: Path) -> dict[str, FileEntry]:
    """Return an entry for every file below `root` but the manifest itself, by relative POSIX path in sorted order."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and p != root / FILE_NAME)
    return {p.relative_to(root).as_posix(): hash_file(p) for p in files}


def verify(deliverable: Path, files: Mapping[str, FileEntry]) -> None:
    """Compare the files with what the manifest says of them; files it does not name are not looked at.

    Raises:
        InputError: A file is missing, leads out of the deliverable, or differs.
    """
    root = deliverable.resolve()
    for name, expected in files.items():
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise InputError(f"The deliverable {str(deliverable)!r} is incomplete: {name!r} is missing.")
        if path.stat().st_size != expected.size_bytes or hash_file(path) != expected:
            raise InputError(
                f"{name!r} in {str(deliverable)!r} is not the file that was delivered (its SHA-256 differs from the manifest). "
                "Restore it, or export the run again: autoglm resume RUN_DIR."
            )


def files_with_code(model: Path) -> Iterator[str]:
    """Yield the files of a model folder whose loading can execute code: pickles, joblib files and unknown formats."""
    for path in sorted(p for p in model.rglob("*") if p.is_file()):
        if path.suffix.lower() not in PLAIN_SUFFIXES or _holds_pickle(path):
            yield path.relative_to(model).as_posix()


def _holds_pickle(path: Path) -> bool:
    """Whether a file of a plain name is a pickle, or holds arrays of Python objects (which numpy pickles)."""
    with path.open("rb") as file:
        head = file.read(256)
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    if head.startswith(b"\x93NUMPY"):
        return b"'|O'" in head
    if head.startswith(b"PK\x03\x04"):
        return _zip_holds_pickle(path)
    return False


def _zip_holds_pickle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    head = file.read(256)
                if (
                    member.filename.endswith((".pkl", ".pickle"))
                    or b"'|O'" in head
                    or head[:2] in (b"\x80\x02", b"\x80\x04", b"\x80\x05")
                ):
                    return True
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):  # damaged, encrypted, or an unknown compression
        return True
    return False
