"""Takes over the files that untrusted code left behind, once its whole process tree is dead.

The folder is walked by descriptors that never follow a link: only regular files with one name come over, bounded in
number, depth and size. Everything else is listed with the reason. Nothing is unpacked or loaded.
"""

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.report_pb2 import Artefact, RefusedArtefact
from open_autoglm.sandbox.supervision.streams import sanitise

MAX_FILES = 2_000
MAX_DEPTH = 8
MAX_ENTRIES = 20_000
MAX_REFUSED = 100
MAX_PATH_BYTES = 400
CHUNK_BYTES = 1 << 20


@dataclass(slots=True)
class Collection:
    """What came over and what did not."""

    artefacts: list[Artefact] = field(default_factory=list)
    refused: list[RefusedArtefact] = field(default_factory=list)
    bytes_taken: int = 0
    entries_seen: int = 0

    def refuse(self, path: str, reason: str) -> None:
        """List something that stays behind."""
        if len(self.refused) < MAX_REFUSED:
            self.refused.append(
                RefusedArtefact(path=sanitise(path.encode("utf-8", "replace").decode())[:300], reason=reason)
            )


def collect(root: int, target: Path, *, max_bytes: int) -> Collection:
    """Copy the files under the folder of descriptor `root` into `target` (made here) and return what happened.

    Raises:
        SandboxError: The host's own disk failed or is full.
    """
    target.mkdir(parents=True, exist_ok=True)
    found = Collection()
    _walk(root, "", 0, target, found, max_bytes)
    found.artefacts.sort(key=lambda artefact: artefact.path)
    return found


def _walk(folder: int, prefix: str, depth: int, target: Path, found: Collection, max_bytes: int) -> None:
    for name in _names(folder, prefix, found):
        path = prefix + name
        problem = _bad_name(name) or _too_long(path)
        if problem:
            found.refuse(path, problem)
            continue
        try:
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode):
                _enter(folder, name, path, depth, target, found, max_bytes)
            else:
                _take(folder, name, path, about, target, found, max_bytes)
        except OSError as error:
            found.refuse(path, f"cannot be read: {error.strerror}")


def _names(folder: int, prefix: str, found: Collection) -> list[str]:
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            found.entries_seen += 1
            if found.entries_seen > MAX_ENTRIES:
                found.refuse(prefix or "/", f"more than {MAX_ENTRIES:,} entries: the rest was not looked at")
                break
            names.append(entry.name)
    return sorted(names)


def _bad_name(name: str) -> str | None:
    if any("\udc80" <= c <= "\udcff" for c in name):
        return "the name is not UTF-8"
    if len(name.encode()) > 200:
        return "the name is longer than 200 bytes"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name) or "\\" in name:
        return "the name holds control characters"
    return None


def _too_long(path: str) -> str | None:
    return f"the path is longer than {MAX_PATH_BYTES} bytes" if len(path.encode()) > MAX_PATH_BYTES else None


def _enter(folder: int, name: str, path: str, depth: int, target: Path, found: Collection, max_bytes: int) -> None:
    if depth >= MAX_DEPTH:
        found.refuse(path, f"deeper than {MAX_DEPTH} folders")
        return
    with _opened(name, folder, os.O_DIRECTORY) as inner:
        with _hosts_own(target / path):
            (target / path).mkdir(exist_ok=True)
        _walk(inner, f"{path}/", depth + 1, target, found, max_bytes)


def _take(
    folder: int, name: str, path: str, about: os.stat_result, target: Path, found: Collection, max_bytes: int
) -> None:
    problem = _problem(about, found, max_bytes)
    if problem:
        found.refuse(path, problem)
        return
    with _opened(name, folder, os.O_NONBLOCK) as source:
        now = os.fstat(source)
        if (now.st_dev, now.st_ino) != (about.st_dev, about.st_ino) or not stat.S_ISREG(now.st_mode):
            found.refuse(path, "changed while it was read")
            return
        digest, size = _copy(source, target / path, now.st_size)
    found.bytes_taken += size
    found.artefacts.append(Artefact(path=path, sha256=digest, size_bytes=size))


def _problem(about: os.stat_result, found: Collection, max_bytes: int) -> str | None:
    if stat.S_ISLNK(about.st_mode):
        return "a symbolic link"
    if not stat.S_ISREG(about.st_mode):
        return "not a regular file"
    if about.st_nlink != 1:
        return "a hard link"
    if about.st_size > 1 << 20 and about.st_blocks * 512 < about.st_size // 8:
        return "a sparse file"
    if len(found.artefacts) >= MAX_FILES:
        return f"more than {MAX_FILES:,} files"
    if found.bytes_taken + about.st_size > max_bytes:
        return f"more than {max_bytes:,} bytes in all"
    return None


@contextmanager
def _opened(name: str, folder: int, flags: int) -> Iterator[int]:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _copy(source: int, target: Path, size: int) -> tuple[str, int]:
    """Copy at most `size` bytes and return their hash and count."""
    digest, copied = hashlib.sha256(), 0
    with _hosts_own(target), target.open("xb") as file:
        while copied < size and (data := os.read(source, min(CHUNK_BYTES, size - copied))):
            digest.update(data)
            file.write(data)
            copied += len(data)
    return digest.hexdigest(), copied


@contextmanager
def _hosts_own(target: Path) -> Iterator[None]:
    """Tell a failure of the host's disk from one of the code that wrote the artefact."""
    try:
        yield
    except OSError as error:
        raise SandboxError(f"The artefact {str(target)!r} could not be stored: {error.strerror or error}.") from error
