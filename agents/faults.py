"""What goes wrong around a run, in words: a full disk, a folder that may not be written, a run directory that was damaged.

Only faults that a user can mend are put into words. Anything else is a fault of this program, and stays what it is.
"""

import errno
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from open_autoglm.errors import AutoGLMError, RunDirectoryError, TransientError, damage
from open_autoglm.tools.places import how_to_resume, short

T = TypeVar("T")

_DISK = {
    errno.ENOSPC: "is full. Make room",
    errno.EDQUOT: "has no quota left for you. Make room",
    errno.EIO: "fails (input/output error). Copy the run directory to another one",
}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_TOO_MANY = {errno.EMFILE, errno.ENFILE}
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged file raises; errors of pydantic, JSON, Unicode and Arrow are ValueErrors."""


@contextmanager
def in_words(root: Path) -> Iterator[None]:
    """Turn faults of the machine and of the run directory into errors that say what to do.

    Raises:
        TransientError: The disk is full, memory or file handles ran out; the run can be resumed.
        RunDirectoryError: The run directory may not be written, or its journal is damaged.
    """
    try:
        yield
    except (OSError, sqlite3.DatabaseError, MemoryError) as error:
        explained = _explained(error, root)
        if explained is None:
            raise
        raise explained from error


def intact(path: Path, read: Callable[[Path], T]) -> T:
    """Read a file of a run directory.

    Raises:
        RunDirectoryError: It is gone or damaged.
    """
    try:
        return read(path)
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in {*_DISK, *_TOO_MANY}:
            raise
        how = "is gone" if isinstance(error, FileNotFoundError) else f"is damaged ({damage(error)})"
        raise damaged(path, how) from error


def damaged(path: Path, how: str) -> RunDirectoryError:
    """Return the error for a file of a run directory that cannot be used."""
    return RunDirectoryError(
        f"{short(path)} {how}: the run cannot go on. What it delivered, if anything, is untouched; put back a copy of the file, or "
        "start a new run."
    )


def _explained(error: OSError | sqlite3.DatabaseError | MemoryError, root: Path) -> AutoGLMError | None:
    again = f"Nothing that was recorded is lost; go on with: {how_to_resume(root)}"
    if isinstance(error, MemoryError):
        return TransientError(f"Memory ran out. Free some, or give fewer rows or --workers. {again}")
    code = _as_errno(error) if isinstance(error, sqlite3.DatabaseError) else error.errno
    if code in _DISK:
        return TransientError(f"The disk that holds {short(root)} {_DISK[code]}. {again}")
    if code in _TOO_MANY:
        return TransientError(f"Too many files are open (see `ulimit -n`). {again}")
    if code in _FORBIDDEN:
        return RunDirectoryError(f"{_place(error, root)} may not be written. Change its permissions. {again}")
    if isinstance(error, sqlite3.DatabaseError):
        return damaged(root / "journal.sqlite", f"is damaged ({error})")
    return None


def _place(error: OSError | sqlite3.DatabaseError, root: Path) -> str:
    return short(Path(getattr(error, "filename", None) or root))


def _as_errno(error: sqlite3.DatabaseError) -> int | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code; absent where Python itself raised
    return {
        sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO,
        sqlite3.SQLITE_READONLY: errno.EROFS, sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    }.get(code)  # fmt: skip
