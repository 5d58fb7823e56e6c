"""Packages that written code wishes for, resolved outside the sandbox and shown inside, read-only, to the executions of that code.

Only wheels are taken, so no code of a package runs on the host. What the sandbox holds counts as installed and is never fetched nor replaced.
The newest versions that fit are taken; where these do not fit together, that is said rather than searched. Everything is kept in a cache
under the hash of what it is made of: a wish that was fulfilled once is fulfilled again without a network.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from open_autoglm.sandbox.base import Wheelhouse
from open_autoglm.sandbox.packages.wishes import WishRefused, installed_version, not_installed, parse, require_allowed
from open_autoglm.sandbox.supervision.folders import sweep, temporary

FETCH_SECONDS = 600
MAX_WHEELS = 150
MAX_BYTES = 16 << 30
"""Of everything that one wheelhouse holds, unpacked."""
METADATA_BYTES = 4 << 20
_CHUNK = 1 << 20
_LIBRARIES = ("purelib", "platlib")

Fetch = Callable[[Sequence[str], Path], None]
"""Puts one wheel for each requirement line into a folder, without what it needs in turn.

Raises:
    WishRefused: It cannot be had.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A fetched file, and what it says of itself."""

    path: Path
    name: str
    version: Version
    needs: tuple[Requirement, ...]


@dataclass(slots=True)
class _Wanted:
    """What all who need a package say about it together."""

    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    extras: set[str] = field(default_factory=set)


class Wheelhouses:
    """Makes and keeps wheelhouses for one kind of sandbox."""

    def __init__(
        self, cache: Path, *, installed: Mapping[str, str], allowed: Sequence[str] = (), fetch: "Fetch | None" = None
    ) -> None:
        """Remember where wheelhouses are kept.

        Args:
            cache: A folder of this user; made when it is needed.
            installed: Canonical name to version of what every execution finds there anyway.
            allowed: Names that may be wished for beside those of `packages.yaml`.
            fetch: Where wheels come from; by default this Python's pip, with its own settings.
        """
        self._cache, self._installed, self._allowed = cache, installed, tuple(allowed)
        self._fetch = fetch or pip_fetch
        self._fulfilled: dict[tuple[str, ...], Wheelhouse | None] = {}

    def fulfil(self, wishes: Sequence[str]) -> Wheelhouse | None:
        """Return the packages that these wishes need, or None where all of them are installed.

        Raises:
            WishRefused: A wish is not allowed, or cannot be fulfilled.
            OSError: The cache cannot be written.
        """
        asked = tuple(wishes)
        if asked not in self._fulfilled:
            missing = not_installed(parse(asked), self._installed)
            self._fulfilled[asked] = self._found(missing) if missing else None
        return self._fulfilled[asked]

    def _found(self, missing: Sequence[Requirement]) -> Wheelhouse:
        require_allowed(missing, self._allowed)
        asked = self._cache / "wishes" / f"{self._key(missing)}.json"
        known = self._known(str(_noted(asked).get("sha256")))
        if known is not None:
            return known
        made = self._make(missing)
        _write(asked, {"wishes": sorted(map(str, missing)), "sha256": made.sha256})
        return made

    def _key(self, missing: Sequence[Requirement]) -> str:
        content = [sorted(map(str, missing)), sorted(self._installed.items()), sys.version_info[:2], sys.platform]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _known(self, sha256: str) -> Wheelhouse | None:
        lock = self._cache / "wheelhouses" / sha256 / "lock.json"
        pins = _noted(lock).get("pins")
        return Wheelhouse(path=lock.parent / "packages", sha256=sha256, pins=tuple(pins)) if pins else None

    def _make(self, missing: Sequence[Requirement]) -> Wheelhouse:
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(self._cache)  # drafts of processes that were killed
        with temporary("draft", parent=self._cache) as folder:
            draft = folder / "house"
            wheels = sorted(self._resolved(missing, folder), key=lambda wheel: wheel.path.name)
            hashes = {wheel.path.name: _sha256(wheel.path) for wheel in wheels}
            sha256 = hashlib.sha256(
                "".join(f"{name} {digest}\n" for name, digest in hashes.items()).encode()
            ).hexdigest()
            known = self._known(sha256)
            if known is not None:
                return known
            _unpack(wheels, draft / "packages")
            pins = sorted(f"{wheel.name}=={wheel.version}" for wheel in wheels)
            _write(draft / "lock.json", {"pins": pins, "wheels": hashes})
            place = self._cache / "wheelhouses" / sha256
            place.parent.mkdir(exist_ok=True)
            if place.exists() and self._known(sha256) is None:  # its notes are damaged
                shutil.rmtree(place)
            _settle(draft, place)
        return Wheelhouse(path=place / "packages", sha256=sha256, pins=tuple(pins))

    def _resolved(self, wishes: Sequence[Requirement], folder: Path) -> list[Wheel]:
        """Fetch what is wished for, then what that needs, and so on."""
        wanted: dict[str, _Wanted] = {}
        wheels: dict[str, Wheel] = {}
        for wish in wishes:
            self._want(wanted, wish, "the code")
        while lacking := [name for name, want in wanted.items() if not _fits(wheels.get(name), want)]:
            if len(wanted) > MAX_WHEELS:
                raise WishRefused(f"What the code wishes for needs more than {MAX_WHEELS} packages. Wish for less.")
            place = Path(tempfile.mkdtemp(dir=folder))
            self._fetch([f"{name}{wanted[name].specifier}" for name in lacking], place)
            fetched = {wheel.name: wheel for wheel in map(_read, sorted(place.iterdir()))}
            for name in lacking:
                if not _fits(fetched.get(name), wanted[name]):
                    raise WishRefused(
                        f"No version of {name} fits: {wanted[name].specifier} is needed. Wish for other versions."
                    )
            wheels.update(fetched)
            for wheel in fetched.values():
                for need in _needs(wheel, wanted[wheel.name].extras):
                    self._want(wanted, need, wheel.name)
        return list(wheels.values())

    def _want(self, wanted: dict[str, _Wanted], need: Requirement, by: str) -> None:
        name = canonicalize_name(need.name)
        version = installed_version(name, self._installed)
        if version is None:
            want = wanted.setdefault(name, _Wanted())
            want.specifier &= need.specifier
            want.extras |= need.extras
        elif not need.specifier.contains(version, prereleases=True):
            raise WishRefused(
                f"{by} needs {name}{need.specifier}, and the sandbox holds {name} {version}. Wish for another version of {by}."
            )


def _fits(wheel: Wheel | None, want: _Wanted) -> bool:
    return wheel is not None and want.specifier.contains(wheel.version, prereleases=True)


def _needs(wheel: Wheel, extras: set[str]) -> Iterator[Requirement]:
    for need in wheel.needs:
        if need.url is not None:
            raise WishRefused(f"{wheel.name} needs {need.name} from an address of its own, which is not fetched.")
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield need


def pip_fetch(lines: Sequence[str], folder: Path) -> None:
    """Fetch by this Python's pip, with its own settings: an index, a proxy, a folder of wheels.

    Raises:
        WishRefused: It does not get them; the message holds its last words.
    """
    listed = folder.with_suffix(".txt")
    listed.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-input", "--no-deps"]
    command = [*pip, "--only-binary", ":all:", "-d", str(folder), "-r", str(listed)]
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, timeout=FETCH_SECONDS,
        )  # fmt: skip
        words, failed = ended.stderr.strip().splitlines(), ended.returncode != 0
    except subprocess.TimeoutExpired:
        words, failed = [f"no answer within {FETCH_SECONDS} seconds"], True
    if failed:
        raise WishRefused(
            f"Packages that the code wishes for could not be fetched ({', '.join(lines)}): {' '.join(words[-2:])[:400]} They come by pip: "
            "name an index (PIP_INDEX_URL) or a folder of wheels (PIP_FIND_LINKS), or do without these packages."
        )


def _read(path: Path) -> Wheel:
    """Read what a wheel says of itself.

    Raises:
        WishRefused: It is damaged.
    """
    try:
        name, version, *_ = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if info.filename.endswith(".dist-info/METADATA")]
            with archive.open(min(files, key=lambda info: len(info.filename))) as file:
                said = BytesParser().parsebytes(file.read(METADATA_BYTES))
        needs = tuple(Requirement(line) for line in said.get_all("Requires-Dist", []))
    except (OSError, ValueError, zipfile.BadZipFile, InvalidWheelFilename, InvalidRequirement) as error:
        raise WishRefused(f"{path.name} is no wheel that can be read: {error}.") from error
    return Wheel(path=path, name=name, version=version, needs=needs)


def _unpack(wheels: Sequence[Wheel], folder: Path) -> None:
    """Copy the modules of all wheels into one folder, readable by everyone, and compile them."""
    folder.mkdir(parents=True)
    left = MAX_BYTES
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel.path) as archive:
                for info in archive.infolist():
                    inner = _place(info, wheel)
                    if inner is not None:
                        left -= _copy(archive, info, folder / inner, wheel, left)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise WishRefused(f"{wheel.path.name} cannot be unpacked: {error}.") from error
    compiler = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "packages"]
    subprocess.run(
        [sys.executable, "-I", *compiler, str(folder)], capture_output=True, check=False
    )  # a file of another Python's syntax stays
    for path in [folder, *folder.rglob("*")]:
        path.chmod(
            0o755 if path.is_dir() else 0o644
        )  # whatever the umask: so it is linked, not copied, where it is used


def _place(info: zipfile.ZipInfo, wheel: Wheel) -> PurePosixPath | None:
    """Return where a file goes; None for what is no module. See the layout of wheels in PEP 427."""
    if info.is_dir():
        return None
    path = PurePosixPath(info.filename)
    if (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in info.filename
        or stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG)
    ):
        raise WishRefused(f"{wheel.path.name} holds {info.filename[:200]!r}, which no wheel may.")
    folder, kind, *inner = (*path.parts, "", "")
    if not folder.endswith(".data") or not kind:
        return path
    return PurePosixPath(*filter(None, inner)) if kind in _LIBRARIES else None


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, wheel: Wheel, left: int) -> int:
    """Write one file and return its size; one that another wheel brought, too, must be the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft, size = target.with_name(f".{target.name[:100]}.draft"), 0
    with archive.open(info) as file, draft.open("wb") as out:
        while chunk := file.read(_CHUNK):
            size += out.write(chunk)
            if size > left:
                raise WishRefused(f"What the code wishes for takes more than {MAX_BYTES >> 30} GiB. Wish for less.")
    if target.exists() and target.read_bytes() != draft.read_bytes():
        raise WishRefused(f"{wheel.path.name} and another package both bring {info.filename!r}, and not the same.")
    draft.replace(target)
    return size


def _noted(path: Path) -> dict[str, Any]:
    """Return what was noted in a file; nothing where it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _settle(draft: Path, place: Path) -> None:
    """Give the draft its name, unless somebody made the same meanwhile."""
    try:
        draft.rename(place)
    except OSError:
        if not place.exists():
            raise


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    shutil.move(draft, path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
