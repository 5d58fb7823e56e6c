"""requirements.lock: the installed versions of what a solution imports, and of what those need in turn."""

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
ALWAYS = ("numpy", "pandas", "pyarrow")
"""What reading a table takes; pandas keeps its text columns in pyarrow where that is installed."""


def imported_modules(files: Mapping[str, str]) -> set[str]:
    """Return the top-level modules that Python files import, without the standard library and the files themselves."""
    own = {name.split("/")[0].removesuffix(".py") for name in files} | {"runtime", "solution"}
    found: set[str] = set()
    for name, text in files.items():
        if name.endswith(".py"):
            found |= {module.split(".")[0] for module in _imports(ast.parse(text))}
    return found - own - set(sys.stdlib_module_names)


def _imports(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def pinned(files: Mapping[str, str], requirements: Iterable[str] = ()) -> list[str]:
    """Return `name==version` lines for everything the files need, sorted; what is not installed here is left out."""
    by_module = _distributions()
    wanted = [_canonical(d) for module in imported_modules(files) for d in by_module.get(module, [])]
    wanted += [_canonical(match[1]) for line in requirements if (match := _NAME.match(line))]
    versions: dict[str, str] = {}
    queue = [*wanted, *ALWAYS]
    while queue:
        name = queue.pop()
        if name in versions:
            continue
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # an optional need, or one of another platform
            continue
        versions[name] = found.version
        queue += _needs(found)
    return [f"{name}=={versions[name]}" for name in sorted(versions)]


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Return the distributions that bring each module; finding them reads the files of all that is installed."""
    return metadata.packages_distributions()


def _needs(found: metadata.Distribution) -> Iterable[str]:
    """Yield what a distribution needs; extras are not followed, and markers of other platforms name what is not installed."""
    for line in found.requires or []:
        requirement, _, marker = line.partition(";")
        if "extra" not in marker and (match := _NAME.match(requirement)):
            yield _canonical(match[1])


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
