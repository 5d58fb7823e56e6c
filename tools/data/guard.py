"""Decompressing without trusting what a file claims about its size."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import IO, cast

from open_autoglm.errors import InputError

MAX_BYTES = 16 << 30
"""Of everything in one file after decompression."""
RATIO_FREE_BYTES = 256 << 20
"""Up to here any compression ratio is believed."""
MAX_RATIO = 250
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What the decompressors raise on damaged, truncated or encrypted data."""
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}


class Growth:
    """How much came out of one file so far; refuses what no honest table looks like."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._most = min(MAX_BYTES, max(RATIO_FREE_BYTES, MAX_RATIO * path.stat().st_size))
        self._bytes = 0

    def add(self, count: int) -> None:
        """Count bytes that came out.

        Raises:
            InputError: More than `MAX_BYTES`, or than `MAX_RATIO` times the file's size.
        """
        self._bytes += count
        if self._bytes > self._most:
            raise InputError(
                f"{self._path.name!r} grows past {self._bytes >> 20} MiB when unpacked, which no ordinary table of its size does. "
                "If you trust the file, unpack it yourself and name the table."
            )


class Guarded(io.RawIOBase):
    """Reads a decompressor, counts what comes out, and says in words what is wrong with the file."""

    def __init__(self, inner: IO[bytes], path: Path, growth: Growth) -> None:
        self._inner, self._path, self._growth = inner, path, growth

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # typeshed's Buffer is 3.12's
        """Fill the buffer.

        Raises:
            InputError: The data is damaged, truncated or encrypted, or grows too large.
        """
        try:
            data = self._inner.read(len(buffer))
        except BROKEN as error:
            raise broken(self._path, error) from error
        self._growth.add(len(data))
        buffer[: len(data)] = data
        return len(data)


def compression_of(head: bytes) -> str | None:
    """Return gzip, bz2, xz or None, by a file's first bytes."""
    return next((name for start, name in _MAGIC.items() if head.startswith(start)), None)


def decompressor(file: IO[bytes], compression: str | None) -> IO[bytes]:
    """Return the decompressed bytes of a file, uncounted."""
    if compression == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if compression == "bz2":
        return cast("IO[bytes]", bz2.BZ2File(file))
    if compression == "xz":
        return cast("IO[bytes]", lzma.LZMAFile(file))
    return file


def broken(path: Path, error: BaseException) -> InputError:
    """Return what to tell of a file that cannot be decompressed."""
    return InputError(
        f"{path.name!r} cannot be decompressed ({error}). It may be damaged, cut short or encrypted: get the file again, "
        "or unpack it yourself and name the table."
    )
