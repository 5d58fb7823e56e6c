"""Files under the hash of their content: what a sandbox may see, and what a run keeps.

Everything is written beside its place, flushed to disk and renamed, so that a name that exists is whole, whoever was
killed meanwhile; several writers of equal content do no harm. Nothing is ever pickled.
"""

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from open_autoglm.errors import InputError
from open_autoglm.tools.data.cells import plain_frame

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """A stored file or folder."""

    sha256: str
    """Of the bytes of a file; of a folder, of its sorted list of paths and their hashes."""
    kind: Literal["file", "folder"]
    size_bytes: int
    path: Path


class ObjectStore:
    """Files and folders under `root`, named by their hash; equal content is stored once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, path: Path) -> ObjectRef:
        """Store a copy of a file or a folder and return where it is. What is hashed is the copy, not the source.

        Raises:
            InputError: Missing, or holding links, devices, pipes or sockets: only plain files and folders are kept.
        """
        draft = self.root / _draft_name()
        try:
            if path.is_dir() and not path.is_symlink():
                sha256, size = _copy_folder(path, draft)
            else:
                sha256, size = _copy_file(path, draft)
            kind: Literal["file", "folder"] = "folder" if draft.is_dir() else "file"
            place = self.root / sha256
            _settle(draft, place)
        finally:
            _remove(draft)
        return ObjectRef(sha256=sha256, kind=kind, size_bytes=size, path=place)

    def put_bytes(self, content: bytes) -> ObjectRef:
        """Store these bytes as a file."""
        sha256 = hashlib.sha256(content).hexdigest()
        place = self.root / sha256
        if not place.exists():
            write_atomically(place, lambda draft: draft.write_bytes(content))
        return ObjectRef(sha256=sha256, kind="file", size_bytes=len(content), path=place)

    def get(self, sha256: str) -> Path:
        """Return where the object is.

        Raises:
            KeyError: It is not here.
        """
        place = self.root / sha256
        if len(sha256) != 64 or not sha256.isalnum() or not place.exists():
            raise KeyError(sha256)
        return place

    def intact(self, sha256: str) -> bool:
        """Whether the object is here and its content still has that hash."""
        try:
            return content_hash(self.get(sha256)) == sha256
        except (KeyError, InputError):
            return False

    def sweep(self) -> int:
        """Remove what killed writers left behind, and return how many; call it when nobody is writing."""
        drafts = list(self.root.glob(".draft-*"))
        for draft in drafts:
            _remove(draft)
        return len(drafts)


class Staging:
    """Tables under opaque names: `<sha256>.parquet` and `<sha256>.csv`, without directory, name or time of their origin."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, frame: pd.DataFrame) -> Path:
        """Write the frame, made plain, as Parquet and return its path. Equal frames give the same path."""
        plain, _ = plain_frame(frame)
        return self._put(".parquet", lambda draft: write_parquet(plain, draft))

    def put_table(self, table: pa.Table) -> Path:
        """Write rows of what `as_columns` made as Parquet and return its path. Equal tables give the same path."""
        return self._put(".parquet", lambda draft: _write(table, draft))

    def put_csv(self, frame: pd.DataFrame) -> Path:
        """Write the frame, made plain, as CSV (UTF-8, comma, one header row) and return its path."""
        plain, _ = plain_frame(frame)
        return self._put(".csv", lambda draft: plain.to_csv(draft, index=False, lineterminator="\n"))

    def _put(self, suffix: str, write: Callable[[Path], object]) -> Path:
        draft = self.root / _draft_name()
        try:
            write(draft)
            _flush(draft)
            place = self.root / f"{content_hash(draft)}{suffix}"
            os.utime(draft, (0, 0))
            draft.replace(place)  # also over a file of that name, which may have been damaged since
            _flush(place.parent)
        finally:
            _remove(draft)
        return place


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a plain frame (see `cells.plain_frame`); the same frame gives the same bytes."""
    _write(pa.Table.from_pandas(frame), path)


def as_columns(frame: pd.DataFrame) -> pa.Table:
    """Return a frame, made plain, as Arrow columns; rows taken of it read back as those rows of the frame do."""
    return pa.Table.from_pandas(plain_frame(frame)[0], preserve_index=False)


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="snappy")


def read_parquet(path: Path) -> pd.DataFrame:
    """Read what `write_parquet` wrote."""
    return pq.read_table(path).to_pandas()


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written beside `path`, flush it to disk, and put it in place at once."""
    draft = path.parent / _draft_name()
    try:
        write(draft)
        _flush(draft)
        draft.replace(path)
        _flush(path.parent)
    finally:
        _remove(draft)


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's sorted paths and hashes.

    Raises:
        InputError: It holds something that is neither a file nor a folder.
    """
    if path.is_dir() and not path.is_symlink():
        return _tree_hash({p.relative_to(path).as_posix(): content_hash(p) for p in _files_in(path)})
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _tree_hash(files: dict[str, str]) -> str:
    lines = "".join(f"{name}\0{sha256}\n" for name, sha256 in sorted(files.items()))
    return hashlib.sha256(b"folder\n" + lines.encode("utf-8", "surrogateescape")).hexdigest()


def _files_in(folder: Path) -> list[Path]:
    files = []
    for directory, folders, names in os.walk(folder, followlinks=False):
        for name in [*folders, *names]:
            path = Path(directory) / name
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                files.append(path)
            elif not stat.S_ISDIR(mode):
                raise InputError(
                    f"{path.relative_to(folder)} is a link or a device; only plain files and folders are stored."
                )
    return files


def _copy_folder(source: Path, draft: Path) -> tuple[str, int]:
    draft.mkdir()
    hashes, total = dict[str, str](), 0
    for path in _files_in(source):
        name = path.relative_to(source)
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        hashes[name.as_posix()], size = _copy_file(path, draft / name)
        total += size
    for directory, _, _ in os.walk(draft):
        _flush(Path(directory))
    return _tree_hash(hashes), total


def _copy_file(source: Path, draft: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise InputError(f"{source.name!r} cannot be stored: {error.strerror}.") from error
    with os.fdopen(descriptor, "rb") as file, draft.open("wb") as out:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise InputError(f"{source.name!r} is a device or a pipe; only plain files and folders are stored.")
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def _settle(draft: Path, place: Path) -> None:
    """Give the draft its final name, unless the same content is there already."""
    if place.exists():
        return
    try:
        draft.rename(place)
    except OSError:
        if not place.exists():  # else another writer of the same content was faster
            raise
    _flush(place.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft_name() -> str:
    return f".draft-{uuid.uuid4().hex}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
