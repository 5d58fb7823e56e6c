"""The folder through which one session hands a job's code and inputs to the inside."""

import hashlib
import json
import os
import re
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.supervision.folders import remove

RUNTIME = Path(__file__).parents[1] / "inside" / "runtime"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(slots=True)
class Exchange:
    """A session's folder on the host: `job/` (what goes in) and, for a backend without mounts, the writable folders."""

    base: Path
    copy_inputs: bool
    """Whether inputs are copied; otherwise they are linked, which is safe only behind a read-only mount."""
    folders: tuple[str, ...] = ()
    """Names of the writable folders that every execution gets anew."""
    user: int | None = None
    """Whose they are, where executions run as a user of their own."""
    _hashes: dict[tuple[str, int, int, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let that user, and nobody else, through."""
        if self.user is not None:
            os.chown(self.base, -1, self.user)
            self.base.chmod(0o710)

    @property
    def job(self) -> Path:
        """What goes in, on the host."""
        return self.base / "job"

    def fill(self, job: Job) -> str:
        """Lay out the job and return the hash of its code, context, inputs and packages.

        Raises:
            SandboxError: An input is missing or cannot be handed over, or a name is not a plain one.
        """
        self.wipe()
        (self.job / "code").mkdir()
        (self.job / "in").mkdir()
        for name in self.folders:
            (self.base / name).mkdir(mode=0o700)
            if self.user is not None:
                os.chown(self.base / name, self.user, self.user)
        try:
            shutil.copyfile(RUNTIME / "runtime.py", self.job / "code" / "runtime.py")
            for name, text in job.code.items():
                _write(_inside(self.job / "code", name), text)
            hashes = {name: self._hand_over(source, name) for name, source in job.inputs.items()}
            packages = self._hand_over_folder(job.wheelhouse.path, self.job / "packages") if job.wheelhouse else None
        except OSError as error:
            raise SandboxError(f"The job's files could not be laid out in {str(self.base)!r}: {error}") from error
        content = {"call": job.call, "context": dict(job.context)}
        _write(self.job / "job.json", json.dumps(content))
        if not self.copy_inputs:
            self._show_to_all()
        whole = json.dumps({**content, "code": dict(job.code), "inputs": hashes, "packages": packages}, sort_keys=True)
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()

    def _show_to_all(self) -> None:
        """Let another user read it, whatever the umask; the folder around it is this user's alone."""
        for path in [self.job, *self.job.rglob("*")]:
            about = path.lstat()
            if stat.S_ISDIR(about.st_mode):
                path.chmod(0o755)
            elif about.st_nlink == 1:  # what is linked is somebody's file, and readable: only its owner changes that
                path.chmod(0o644)

    def _hand_over(self, source: Path, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise SandboxError(f"Input name {name!r} must be letters, digits, '.', '_' and '-'.")
        target = self.job / "in" / name
        if source.is_dir():
            return self._hand_over_folder(source, target)
        if not source.is_file():
            raise SandboxError(f"Input {name!r} is not there: {str(source)!r}.")
        self._hand_over_file(source, target)
        return self._hash(source)

    def _hand_over_folder(self, source: Path, target: Path) -> str:
        digest = hashlib.sha256()
        target.mkdir()
        for path in sorted(source.rglob("*")):
            inner = path.relative_to(source)
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise SandboxError(f"Input folder {str(source)!r} holds {inner.as_posix()!r}, which is no plain file.")
            if path.is_dir():
                (target / inner).mkdir()
            else:
                self._hand_over_file(path, target / inner)
                digest.update(f"{inner.as_posix()}\0{self._hash(path)}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _hand_over_file(self, source: Path, target: Path) -> None:
        """Link where the inside can read the file as it is, else copy (also across file systems)."""
        if not self.copy_inputs and source.stat().st_mode & stat.S_IROTH:
            try:
                os.link(source, target)
            except OSError:  # another file system, or links to other users' files are forbidden
                shutil.copyfile(source, target)
            return
        shutil.copyfile(source, target)
        target.chmod(0o644)

    def _hash(self, path: Path) -> str:
        about = path.stat()
        key = (str(path), about.st_ino, about.st_mtime_ns, about.st_size)
        if key not in self._hashes:
            with path.open("rb") as file:
                self._hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._hashes[key]

    def wipe(self) -> None:
        """Leave nothing of the execution before, and an empty `job/`.

        Raises:
            SandboxError: Something would not go away; the session must not be used any more.
        """
        self.job.mkdir(exist_ok=True)  # it is mounted inside: it must stay the same folder
        for left in [*self.job.iterdir(), *(self.base / name for name in self.folders)]:
            remove(left)


def _inside(folder: Path, name: str) -> Path:
    target = folder / name
    if not name or name.startswith("/") or ".." in Path(name).parts or "\0" in name:
        raise SandboxError(f"Code file name {name!r} must be a relative path without '..'.")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _write(target: Path, text: str) -> None:
    target.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
