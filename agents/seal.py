"""The key of a run's seal: a file in the run directory, readable by its user alone.

No isolating sandbox shows that directory to the code that it runs. Who may write the run directory as its user can forge everything
in it: the seal is against code in a sandbox, damaged files, and records copied from elsewhere.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from open_autoglm.errors import RunDirectoryError
from open_autoglm.sandbox.seal import Seal

FILE_NAME = "report.key"
KEY_BYTES = 32


def seal_of(run_dir: Path) -> Seal:
    """Return the seal of a run directory; a new one gets its key here.

    Raises:
        RunDirectoryError: The key is damaged.
        OSError: It cannot be read or written.
    """
    path = run_dir / FILE_NAME
    with suppress(FileExistsError):
        _write_new(path, secrets.token_bytes(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise RunDirectoryError(f"{path} is damaged: put back a copy of it, or start a new run.")
    return Seal(key)


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, so that it appears whole."""
    if path.exists():
        raise FileExistsError(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails where another process was faster
    finally:
        draft.unlink()
