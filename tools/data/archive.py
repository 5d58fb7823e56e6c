"""Files in a zip or a tar: listed, read and unpacked by copying their bytes; nothing that an archive asks for is ever made.

An archive is refused as a whole where it holds a link or a device, a name that leads out of its folder or that another one covers, an
encrypted file, or more than anybody packs. `zipfile` and `tarfile` only read headers here: their own extraction was led astray
more than once (CVE-2007-4559, CVE-2025-4517), and their lists are bounded before they are believed.
"""

import io
import shutil
import stat
import struct
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, cast

from open_autoglm.errors import InputError
from open_autoglm.tools.data.guard import BROKEN, Growth, Guarded, broken, compression_of, decompressor

Kind = Literal["zip", "tar"]
MAX_MEMBERS = 10_000
MAX_NAME_BYTES = 1_000
MAX_PART_BYTES = 255
MAX_DEPTH = 20
LISTING_BYTES = 16 << 20
"""Of the list of contents at the end of a zip: it is read whole."""
HEADER_BYTES = 1 << 20
"""Of the headers before one file in a tar: they are read whole."""
_TAR_BROKEN = (*BROKEN, tarfile.TarError, ValueError, OverflowError, UnicodeError)
_TAR_HEADER, _TAR_MAGIC_AT = 512, 257
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_CHUNK = 1 << 20
_TAPE_BYTES = 1 << 17
"""What `tarfile` reads at a time."""

Open = Callable[[], IO[bytes]]


def kind_of(path: Path) -> Kind | None:
    """Recognise a zip or a tar, which may be compressed, by its content.

    Raises:
        InputError: The compressed data is damaged from its very beginning.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_TAR_HEADER)
        if head.startswith(_ZIP_STARTS):
            return "zip"
        compression = compression_of(head)
        if compression is not None:
            file.seek(0)
            try:
                head = decompressor(file, compression).read(_TAR_HEADER)
            except BROKEN as error:
                raise broken(path, error) from error
    return "tar" if head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar" else None


def names_in(path: Path, kind: Kind) -> list[str]:
    """Return the names of the files in an archive; what systems put in beside them is left out.

    Raises:
        InputError: It is damaged, or not to be unpacked (see the module's text).
    """
    return [name for name, _ in _files(path, kind) if not _is_left_over(name)]


@contextmanager
def opened(path: Path, kind: Kind, name: str) -> Iterator[IO[bytes]]:
    """Yield the bytes of one file in an archive.

    Raises:
        InputError: As `names_in`; while reading, also where the file grows too large.
    """
    files = _files(path, kind)
    try:
        found = next((open_file for inner, open_file in files if inner == name), None)
        if found is None:
            raise InputError(f"{path.name!r} holds no file {name!r} any more. Give it again.")
        with found() as file:
            yield file
    finally:
        files.close()


def unpack(path: Path, kind: Kind, folder: Path, *, wanted: Callable[[str], bool]) -> list[Path]:
    """Copy the wanted files into a new folder, under their own names, and return them in the archive's order.

    Raises:
        InputError: As `names_in`; then nothing of it is left.
        OSError: They cannot be written.
    """
    folder.mkdir(parents=True)
    written = []
    try:
        for name, open_file in _files(path, kind):
            if not wanted(name):
                continue
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_file() as file, target.open("xb") as out:
                while chunk := file.read(_CHUNK):
                    out.write(chunk)
            written.append(target)
    except BaseException:
        shutil.rmtree(folder)
        raise
    return written


@dataclass(slots=True)
class _Names:
    """The names seen so far in one archive."""

    path: Path
    _files: set[str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)
    _count: int = 0

    def admit(self, raw: str, *, folder: bool = False) -> str:
        """Return a name as a plain relative path, or refuse the archive."""
        self._count += 1
        if self._count > MAX_MEMBERS:
            raise refusal(self.path, f"more than {MAX_MEMBERS:,} files")
        name = "/".join(part for part in raw.replace("\\", "/").rstrip("/").split("/") if part != ".")
        if folder and not name:
            return name  # the folder that was packed
        problem = _problem(name)
        if problem:
            raise refusal(self.path, f"{raw[:200]!r}, {problem}")
        self._settle(name, raw, folder=folder)
        return name

    def _settle(self, name: str, raw: str, *, folder: bool) -> None:
        """Refuse names that are one and the same on some systems, and files that are folders of others."""
        key = unicodedata.normalize("NFC", name).casefold()
        above = ["/".join(key.split("/")[:depth]) for depth in range(1, key.count("/") + 1)]
        taken = key in self._files or (not folder and key in self._folders) or not self._files.isdisjoint(above)
        if taken:
            raise refusal(self.path, f"{raw[:200]!r} twice, or in another spelling")
        self._folders.update(above, [key] if folder else [])
        if not folder:
            self._files.add(key)


def _problem(name: str) -> str:
    """Return what is wrong with a name, empty where nothing is."""
    parts = name.split("/")
    if name.startswith("/") or "" in parts or ".." in parts or parts[0].endswith(":"):
        return "a name that leads out of its folder"
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cf", "Zl", "Zp") for letter in name):
        return "a name that cannot be shown"
    encoded = [len(part.encode()) for part in parts]
    if max(encoded) > MAX_PART_BYTES or sum(encoded) > MAX_NAME_BYTES or len(parts) > MAX_DEPTH:
        return "a name that is too long"
    return ""


def refusal(path: Path, what: str) -> InputError:
    """Return what to tell of an archive that is not unpacked."""
    return InputError(
        f"{path.name!r} is not unpacked: it holds {what}. If you trust it, unpack it yourself and name the tables."
    )


def _is_left_over(name: str) -> bool:
    return name.startswith("__MACOSX/") or any(part.startswith(".") for part in name.split("/"))


def _files(path: Path, kind: Kind) -> Generator[tuple[str, Open], None, None]:
    """Yield the name of every file, and what opens it; a file can be opened until the next one is asked for."""
    return _zipped(path) if kind == "zip" else _taped(path)


def _zipped(path: Path) -> Generator[tuple[str, Open], None, None]:
    names, growth = _Names(path), Growth(path)
    with path.open("rb") as file:
        _require_short_listing(file, path)
        try:
            archive = zipfile.ZipFile(file)
        except (*BROKEN, ValueError, UnicodeError, struct.error) as error:
            raise _unreadable(path, "zip", error) from error
        for info in archive.infolist():
            folder = info.orig_filename.endswith(("/", "\\"))
            name = names.admit(info.orig_filename, folder=folder)
            if folder:
                continue
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                raise refusal(path, f"{name!r}, which is a link or a device")
            if info.flag_bits & 1:
                raise refusal(path, f"{name!r}, which is encrypted")
            yield name, lambda info=info: _buffered(Guarded(_from_zip(archive, info, path), path, growth))  # type: ignore[misc]  # bound now


def _from_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> IO[bytes]:
    try:
        return archive.open(info)
    except BROKEN as error:
        raise broken(path, error) from error


def _require_short_listing(file: IO[bytes], path: Path) -> None:
    """Refuse a list of contents that would fill the memory, before anything reads it whole."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 22))
    tail = file.read()
    file.seek(0)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        return  # none is found: the reader says so
    listing = int(struct.unpack_from("<L", tail, end + 12)[0])
    if listing == 0xFFFFFFFF:  # a large zip: the true size stands in a record before this one
        large = tail.rfind(b"PK\x06\x06", 0, end)
        listing = int(struct.unpack_from("<Q", tail, large + 40)[0]) if 0 <= large <= end - 56 else LISTING_BYTES + 1
    if listing > LISTING_BYTES:
        raise refusal(path, f"a list of contents of {listing:,} bytes")


class _Tape(Guarded):
    """A decompressed tar, which also bounds what headers may take."""

    headers_left: int | None = None
    _last: bytes = b""
    _count: int = 0

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # as above
        """Fill the buffer, see `Guarded`."""
        count = super().readinto(buffer)
        self._count += count
        self._last = (self._last + buffer[:count])[-2 * _TAPE_BYTES :]
        if self.headers_left is not None:
            self.headers_left -= count
            if self.headers_left < 0:
                raise refusal(self._path, f"more than {HEADER_BYTES:,} bytes of headers for one file")
        return count

    def ends_at(self, offset: int) -> bool:
        """Whether what was read a moment ago marks the end there; `tarfile` takes any header that it cannot read for the end."""
        start = offset - self._count + len(self._last)
        return self._last[start : start + _TAR_HEADER] == bytes(_TAR_HEADER)


def _taped(path: Path) -> Generator[tuple[str, Open], None, None]:
    names = _Names(path)
    with path.open("rb") as file:
        compression = compression_of(file.read(6))
        file.seek(0)
        tape = _Tape(decompressor(file, compression), path, Growth(path))
        tape.headers_left = HEADER_BYTES
        archive = _tar_of(tape, path)
        while (member := _next(archive, tape, path)) is not None:
            name = names.admit(member.name, folder=member.isdir())
            if member.isdir():
                continue
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse() or member.size < 0:
                raise refusal(path, f"{name!r}, which is no plain file")
            data = cast("IO[bytes]", archive.extractfile(member))
            yield name, lambda data=data: _buffered(_OnTape(data, path))  # type: ignore[misc]  # bound now
            _skip(data, path)
        if not tape.ends_at(archive.offset):
            raise _unreadable(path, "tar", EOFError("it is damaged, or cut short"))


def _tar_of(tape: _Tape, path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=tape, mode="r|", bufsize=_TAPE_BYTES)
    except _TAR_BROKEN as error:
        raise _unreadable(path, "tar", error) from error


def _next(archive: tarfile.TarFile, tape: _Tape, path: Path) -> tarfile.TarInfo | None:
    tape.headers_left = HEADER_BYTES
    try:
        return archive.next()
    except _TAR_BROKEN as error:
        raise _unreadable(path, "tar", error) from error
    finally:
        tape.headers_left = None


class _OnTape(io.RawIOBase):
    """One file in a tar; closing it does not end the tar."""

    def __init__(self, data: IO[bytes], path: Path) -> None:
        self._data, self._path = data, path

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # as above
        """Fill the buffer."""
        data = _read(self._data, len(buffer), self._path)
        buffer[: len(data)] = data
        return len(data)


def _skip(data: IO[bytes], path: Path) -> None:
    while _read(data, _CHUNK, path):
        pass


def _read(data: IO[bytes], size: int, path: Path) -> bytes:
    try:
        return data.read(size)
    except _TAR_BROKEN as error:
        raise _unreadable(path, "tar", error) from error


def _buffered(raw: io.RawIOBase) -> IO[bytes]:
    return io.BufferedReader(raw, 1 << 16)


def _unreadable(path: Path, kind: Kind, error: BaseException) -> InputError:
    return InputError(f"{path.name!r} is not a readable {kind} file ({error}). Get it again, or unpack it yourself.")
