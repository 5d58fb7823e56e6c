"""What syntax trees tell about code without running it. Hints for people and rules for the check step, not a boundary."""

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

NEEDS_PERMISSION: Mapping[str, str] = {
    "subprocess": "starts programs",
    "os.system": "starts programs",
    "os.popen": "starts programs",
    "os.exec": "starts programs",
    "os.spawn": "starts programs",
    "os.posix_spawn": "starts programs",
    "os.fork": "starts processes",
    "os.kill": "signals processes",
    "os._exit": "ends the process without its report",
    "pty": "starts programs",
    "socket": "reaches the network",
    "ssl": "reaches the network",
    "http.client": "reaches the network",
    "urllib.request": "reaches the network",
    "ftplib": "reaches the network",
    "smtplib": "reaches the network",
    "requests": "reaches the network",
    "httpx": "reaches the network",
    "ctypes": "leaves Python",
    "eval": "runs text as code",
    "exec": "runs text as code",
    "compile": "runs text as code",
    "__import__": "imports by a computed name",
    "importlib.import_module": "imports by a computed name",
    "os.environ": "reads the environment",
    "os.getenv": "reads the environment",
}
_PREFIXES = ("subprocess", "pty", "socket", "ssl", "ctypes", "http.client", "urllib.request", "ftplib", "smtplib", "requests",
             "httpx", "os.exec", "os.spawn", "os.posix_spawn")  # fmt: skip
MAX_DEPTH = 200
"""Levels of nodes in one file."""
_OUTSIDE = ("/", "~", "..")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A place in the code that does something only few solutions need."""

    file: str
    line: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported top-level module."""

    file: str
    line: int
    module: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What was read from all files of a bundle."""

    imports: tuple[Import, ...]
    functions: Mapping[str, ast.FunctionDef]
    """Functions at the top level of the entry file, by name; the last definition counts."""
    calls: tuple[Call, ...]
    params: ast.expr | None
    """What PARAMS is assigned at the top level of the entry file."""
    params_assignments: int


def describe(trees: Mapping[str, ast.Module], entry: str) -> Metadata:
    """Read the trees, by file name.

    Raises:
        RecursionError: One is nested so deeply that code which reads trees by recursion would fail on it.
    """
    top = trees[entry].body
    assigned = [value for node in top if (value := _assigned(node, "PARAMS")) is not None]
    nodes = {name: _nodes(tree) for name, tree in sorted(trees.items())}
    return Metadata(
        imports=tuple(found for name, walked in nodes.items() for found in _imports(name, walked)),
        functions={node.name: node for node in top if isinstance(node, ast.FunctionDef)},
        calls=tuple(found for name, walked in nodes.items() for found in _calls(name, walked)),
        params=assigned[-1] if assigned else None,
        params_assignments=len(assigned),
    )


def _nodes(tree: ast.Module) -> list[ast.AST]:
    """Return all nodes, the outer ones first."""
    found: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        found += level
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return found
    raise RecursionError


def _assigned(node: ast.stmt, name: str) -> ast.expr | None:
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
        return node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
        return node.value
    return None


def _imports(file: str, nodes: Sequence[ast.AST]) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file=file, line=node.lineno, module=alias.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            module = "." if node.level else (node.module or "").split(".")[0]
            yield Import(file=file, line=node.lineno, module=module)


def _aliases(nodes: Sequence[ast.AST]) -> dict[str, str]:
    """Return local name to full name, for everything that is imported anywhere in the file."""
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _calls(file: str, nodes: Sequence[ast.AST]) -> Iterator[Call]:
    aliases = _aliases(nodes)
    for node in nodes:
        found: str | None = None
        if isinstance(node, ast.Call):
            found = _full_name(node.func, aliases)
            if found in ("open", "io.open") and _names_outside(node):
                yield Call(file=file, line=node.lineno, name=found, reason="opens a file outside the work folder")
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found = "os.environ" if _full_name(node, aliases) == "os.environ" else None
        reason = _reason(found) if found else None
        if found and reason:
            yield Call(file=file, line=node.lineno, name=found, reason=reason)  # type: ignore[attr-defined]


def _reason(name: str) -> str | None:
    if name in NEEDS_PERMISSION:
        return NEEDS_PERMISSION[name]
    return next((NEEDS_PERMISSION[p] for p in _PREFIXES if name.startswith(p)), None)


def _full_name(node: ast.expr, aliases: Mapping[str, str]) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([aliases.get(node.id, node.id), *reversed(parts)])


def _names_outside(call: ast.Call) -> bool:
    path = call.args[0] if call.args else None
    return isinstance(path, ast.Constant) and isinstance(path.value, str) and path.value.startswith(_OUTSIDE)


def normalised_hash(trees: Mapping[str, ast.Module]) -> str:
    """Return a hash that is equal for files which differ in comments, layout and docstrings only; strips the trees."""
    digest = hashlib.sha256()
    for name, tree in sorted(trees.items()):
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                _drop_docstring(node)
        digest.update(f"{name}\0{ast.dump(tree)}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _drop_docstring(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:]
