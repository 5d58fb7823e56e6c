"""Small wheels for tests, and a fetch that takes them from a folder."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from open_autoglm.sandbox.packages.wishes import WishRefused


def wheel(
    folder: Path, name: str, version: str = "1.0", *, needs: Sequence[str] = (), files: Mapping[str, str] | None = None
) -> Path:
    """Write a wheel with a module of its own name, and return it."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    content = {f"{module}.py": f"version = {version!r}\n"} if files is None else files
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {n}" for n in needs)]
    path = folder / f"{module}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as made:
        for inner, text in content.items():
            made.writestr(inner, text)
        made.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    return path


class FolderFetch:
    """Takes the newest fitting wheel of a folder for each line, and counts how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, list[str]()

    def __call__(self, lines: Sequence[str], folder: Path) -> None:
        """Copy them."""
        self.asked += lines
        for line in lines:
            wish = Requirement(line)
            fitting = {
                version: path
                for path in self.folder.glob("*.whl")
                for name, version, *_ in [parse_wheel_filename(path.name)]
                if name == canonicalize_name(wish.name) and wish.specifier.contains(version)
            }
            if not fitting:
                raise WishRefused(f"there is no {line}")
            best = fitting[max(fitting)]
            (folder / best.name).write_bytes(best.read_bytes())
