"""Opening a file that may be compressed, or the one table in an archive."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from open_autoglm.errors import InputError
from open_autoglm.tools.data import archive
from open_autoglm.tools.data.guard import BROKEN, Growth, Guarded, broken, compression_of, decompressor

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
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip")
"""Behind the suffix of a table: `train.csv.zip`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A file as its bytes appear after decompression."""

    path: Path
    compression: str | None
    """gzip, bz2, xz, zip, tar, or None."""
    member: str | None = None
    """The file inside a zip or a tar."""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Yield the decompressed bytes from their beginning.

        Raises:
            InputError: Damaged, truncated or encrypted data; more than `guard.MAX_BYTES`; a ratio over `guard.MAX_RATIO`.
        """
        if self.member is not None:
            with archive.opened(self.path, cast("archive.Kind", self.compression), self.member) as file:
                yield file
            return
        with self.path.open("rb") as file:
            if self.compression is None:
                yield file
                return
            try:
                inner = decompressor(file, self.compression)
            except BROKEN as error:
                raise broken(self.path, error) from error
            guarded = cast("io.RawIOBase", Guarded(inner, self.path, Growth(self.path)))
            with inner, io.BufferedReader(guarded, 1 << 16) as buffered:
                yield buffered

    def head(self, size: int) -> tuple[bytes, bool]:
        """Return up to `size` bytes of the beginning, and whether they are everything."""
        with self.open() as file:
            data = file.read(size)
            return data, len(data) < size or file.read(1) == b""


def open_container(path: Path, member: str | None = None) -> Container:
    """Recognise compression by content, and find the one table inside an archive.

    Raises:
        InputError: An archive that is damaged, not to be trusted, empty or holds several tables (it lists them), or no `member`.
    """
    kind = archive.kind_of(path)
    if kind is not None:
        names = archive.names_in(path, kind)
        if not _is_document(names):
            return Container(path=path, compression=kind, member=_one_table(path, names, member))
        return Container(path=path, compression=None)
    with path.open("rb") as file:
        return Container(path=path, compression=compression_of(file.read(6)))


def unpack_several(path: Path, folder: Path) -> list[Path] | None:
    """Unpack an archive with more than one table into a new folder and return them, by name; None where it is none.

    Raises:
        InputError: The archive is damaged, or not to be trusted.
        OSError: The tables cannot be written.
    """
    kind = archive.kind_of(path)
    if kind is None:
        return None
    names = archive.names_in(path, kind)
    tables = set(_tables(names))
    if len(tables) < 2 or _is_document(names):
        return None
    return sorted(archive.unpack(path, kind, folder, wanted=tables.__contains__))


def _is_document(names: list[str]) -> bool:
    """Whether it is an Excel or OpenDocument file, which is a zip too."""
    return "xl/workbook.xml" in names or "mimetype" in names


def _tables(names: list[str]) -> list[str]:
    return names if len(names) == 1 else [name for name in names if _is_table(name.lower())]


def _is_table(name: str) -> bool:
    inner = next((name.removesuffix(suffix) for suffix in PACKED_SUFFIXES if name.endswith(suffix)), name)
    return inner.endswith(TABLE_SUFFIXES)


def _one_table(path: Path, names: list[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted in names:
            return wanted
        raise InputError(f"{path.name!r} holds no file {wanted!r}. It holds: {_listed(names)}.")
    tables = _tables(names)
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise InputError(f"{path.name!r} holds no table; it holds: {_listed(names)}.")
    raise InputError(f"{path.name!r} holds {len(tables)} tables: {_listed(tables)}. Name one with --read member=NAME.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return (", ".join(repr(name) for name in names[:8]) or "nothing") + more
