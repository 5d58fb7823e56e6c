"""Opening a file that may be compressed, without trusting what it claims about its size."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from open_autoglm.errors import InputError

MAX_BYTES = 16 << 30
"""Of one table after decompression."""
RATIO_FREE_BYTES = 256 << 20
"""Up to here any compression ratio is believed."""
MAX_RATIO = 250
TABLE_SUFFIXES = (
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".json",
    ".jsonl",
    ".ndjson",
    ".parquet",
    ".xlsx",
    ".xlsm",
    ".sqlite",
    ".db",
    ".data",
)
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}
_BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What the decompressors raise on damaged, truncated or encrypted data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A file as its bytes appear after decompression."""

    path: Path
    compression: str | None
    """gzip, bz2, xz, zip, or None."""
    member: str | None = None
    """The file inside a zip."""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Yield the decompressed bytes from their beginning.

        Raises:
            InputError: Damaged, truncated or encrypted data; more than `MAX_BYTES`; a ratio over `MAX_RATIO`.
        """
        with self.path.open("rb") as file:
            if self.compression is None:
                yield file
                return
            try:
                inner = self._decompressor(file)
            except _BROKEN as error:
                raise self._broken(error) from error
            with inner, io.BufferedReader(cast("io.RawIOBase", _Guarded(inner, self)), 1 << 16) as guarded:
                yield guarded

    def head(self, size: int) -> tuple[bytes, bool]:
        """Return up to `size` bytes of the beginning, and whether they are everything."""
        with self.open() as file:
            data = file.read(size)
            return data, len(data) < size or file.read(1) == b""

    def _decompressor(self, file: IO[bytes]) -> IO[bytes]:
        if self.compression == "gzip":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
        if self.compression == "bz2":
            return cast("IO[bytes]", bz2.BZ2File(file))
        if self.compression == "xz":
            return cast("IO[bytes]", lzma.LZMAFile(file))
        assert self.member is not None
        return zipfile.ZipFile(file).open(self.member)

    def _broken(self, error: BaseException) -> InputError:
        return InputError(
            f"{self.path.name!r} cannot be decompressed ({self.compression}: {error}). "
            "It may be damaged, cut short or encrypted: get the file again, or unpack it yourself and name the table."
        )


class _Guarded(io.RawIOBase):
    """Counts what comes out of a decompressor and refuses what no honest table looks like."""

    def __init__(self, inner: IO[bytes], container: Container) -> None:
        self._inner, self._container = inner, container
        self._compressed = max(1, container.path.stat().st_size)
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # typeshed's Buffer is 3.12's
        try:
            data = self._inner.read(len(buffer))
        except _BROKEN as error:
            raise self._container._broken(error) from error  # noqa: SLF001  # one subject, one module
        self._read += len(data)
        if self._read > MAX_BYTES or self._read > max(RATIO_FREE_BYTES, MAX_RATIO * self._compressed):
            name = self._container.path.name
            raise InputError(
                f"{name!r} grows past {self._read >> 20} MiB when unpacked, which no ordinary table of its size does. "
                "If you trust the file, unpack it yourself and name the table."
            )
        buffer[: len(data)] = data
        return len(data)


def open_container(path: Path, member: str | None = None) -> Container:
    """Recognise compression by content, and find the one table inside a zip.

    Raises:
        InputError: A zip that is damaged, empty or holds several tables (it lists them), or no `member`.
    """
    with path.open("rb") as file:
        magic = file.read(6)
    compression = next((name for start, name in _MAGIC.items() if magic.startswith(start)), None)
    if compression != "zip":
        return Container(path=path, compression=compression)
    members = _members(path)
    if "xl/workbook.xml" in members or "mimetype" in members:  # an Excel or OpenDocument file is a zip too
        return Container(path=path, compression=None)
    return Container(path=path, compression="zip", member=_one_table(path, members, member))


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except _BROKEN as error:
        raise InputError(
            f"{path.name!r} is not a readable zip file ({error}). Get it again, or unpack it yourself."
        ) from error
    return [n for n in names if not n.startswith("__MACOSX/") and not n.rsplit("/", 1)[-1].startswith(".")]


def _one_table(path: Path, members: list[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted in members:
            return wanted
        raise InputError(f"{path.name!r} holds no file {wanted!r}. It holds: {_listed(members)}.")
    tables = members if len(members) == 1 else [n for n in members if n.lower().endswith(TABLE_SUFFIXES)]
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise InputError(f"{path.name!r} holds no table; it holds: {_listed(members)}.")
    raise InputError(f"{path.name!r} holds {len(tables)} tables: {_listed(tables)}. Name one with --read member=NAME.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return (", ".join(repr(name) for name in names[:8]) or "nothing") + more
