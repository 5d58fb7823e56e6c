"""Folders for temporary files: they carry the name of their owner, are removed whatever lies in them, and go when the owner was killed."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.supervision import tree
from open_autoglm.sandbox.supervision.owner import is_gone, owner

PREFIX = "autoglm-"
"""How the name of every such folder begins."""
OWNER, MARKS = "owner", "marks"
"""Files in them: the name of the process that it belongs to, and the marks of processes that go with it."""
_MOUNTS = Path("/proc/self/mountinfo")


def make_folder(kind: str, *, parent: Path | None = None) -> Path:
    """Make a folder, in the one for temporary files or in `parent`, that `sweep` removes once this process is gone.

    Its name says nothing of this process: code in a sandbox can read where its mounts come from.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=parent))
    (folder / OWNER).write_text(owner(), encoding="ascii")
    return folder


@contextmanager
def temporary(kind: str, *, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder as `make_folder` does, and remove it in the end.

    Raises:
        SandboxError: See `remove`.
    """
    folder = make_folder(kind, parent=parent)
    try:
        yield folder
    finally:
        remove(folder)


def owner_of(folder: Path) -> str | None:
    """Return the name of the process that made a folder by `make_folder`; None for others, and those that are just being made."""
    try:
        return (folder / OWNER).read_text(encoding="ascii") or None
    except (OSError, ValueError):
        return None


def mark_in(folder: Path, mark: str) -> None:
    """Note in a folder the mark of processes that belong with it: they go with it when it is swept."""
    with (folder / MARKS).open("a", encoding="ascii") as file:
        file.write(mark + "\n")


def sweep(parent: Path | None = None) -> list[Path]:
    """Remove the folders of this user whose owner was killed, and what runs on of their sessions; return them."""
    swept = []
    for folder in (parent or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        name = owner_of(folder)
        with suppress(OSError, SandboxError):  # somebody else is removing it, or something is mounted in it
            if name is not None and folder.lstat().st_uid == os.geteuid() and is_gone(name):
                marks = folder / MARKS
                for mark in marks.read_text(encoding="ascii").split() if marks.exists() else ():
                    tree.kill_all(tree.marked(mark))
                remove(folder)
                swept.append(folder)
    return swept


def remove(folder: Path) -> None:
    """Remove a file, or a folder that untrusted code may have filled with trees too deep for recursion or without permissions.

    Raises:
        SandboxError: It is still there; nothing of it was touched where something is mounted in it.
    """
    if not os.path.lexists(folder):
        return
    try:
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink()
        else:
            _refuse_mounts(folder)
            shutil.rmtree(folder)
    except (OSError, RecursionError):
        for command in (["/bin/rm", "-rf"], ["/bin/chmod", "-R", "u+rwx"], ["/bin/rm", "-rf"]):
            if os.path.lexists(folder):
                subprocess.run([*command, "--", str(folder)], capture_output=True, check=False)
    if os.path.lexists(folder):
        raise SandboxError(f"The work folder {str(folder)!r} could not be emptied.")


def _refuse_mounts(folder: Path) -> None:
    """Raise where something is mounted at or below a folder: what is mounted is the real thing, and would be emptied."""
    if mounts := mounts_in(folder):
        raise SandboxError(
            f"The folder {str(folder)!r} was not removed: something is mounted at {mounts[0]!r}, and its content would "
            f"have gone, too. Unmount it: umount {mounts[0]}"
        )


def mounts_in(folder: Path) -> list[str]:
    """Return where something is mounted at or below a folder, also what comes from the same file system."""
    if not _MOUNTS.exists():  # not Linux: there nothing of ours mounts
        return [str(folder)] if folder.is_mount() else []
    top = os.fsencode(os.path.realpath(folder))
    told = re.sub(rb"[\\ \t\n#]", lambda found: b"\\%03o" % found[0][0], top)
    places = (line.split()[4] for line in _MOUNTS.read_bytes().splitlines() if told in line)
    plain = (re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), place) for place in places)
    return [os.fsdecode(place) for place in plain if place == top or place.startswith(top.rstrip(b"/") + b"/")]
