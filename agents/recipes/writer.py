"""Writes a solution: collects the blocks it needs, whole functions, and puts literals in the place of the tables.

Nothing is pasted into code as text. What differs between two solutions is which functions are there, which branch of
a choice was kept, and the values of a few literals made by `repr`; so no name in the data can change what is executed.
"""

import ast
import functools
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from open_autoglm.agents.recipes.branches import keep_branches
from open_autoglm.agents.recipes.literals import literal

BLOCKS = "open_autoglm.agents.recipes.blocks"
CHOICES = f"{BLOCKS}.choices"
RUNTIME = "open_autoglm.sandbox.inside.runtime.runtime"
ROOTS = ("fit", "predict", "save", "load")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A block module, cut into its top-level pieces."""

    docstring: str
    """Source text, quotes and all."""
    pieces: Mapping[str, str]
    """Name of a function, class or constant to its source, with the comment above it."""
    imports: Mapping[str, tuple[str, str | None]]
    """Bound name to (module, attribute); attribute None for `import module as name`."""
    ending: str
    """The `if __name__ == "__main__":` of an entry module."""


@dataclass(slots=True)
class _Collection:
    """What was gathered so far, in the order in which it was first needed."""

    choices: Mapping[str, bool]
    functions: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)


def write_solution(entry: str, *, tables: Mapping[str, object], choices: Mapping[str, bool]) -> str:
    """Write `solution.py` from the entry module `blocks.<entry>`: its fit, predict, save and load and all they use.

    Args:
        entry: Name of a module under `blocks` that defines fit, predict, save and load.
        tables: TASK, COLUMNS, PARAMS, ...: name to the value that its literal gets.
        choices: Name to side, for every choice that the blocks branch on.

    Raises:
        ValueError: A value without a literal, or blocks that do not fit together (two functions of one name).
    """
    home = f"{BLOCKS}.{entry}"
    module = read_module(home)
    collection = _Collection(choices=choices)
    queue = [(home, name) for name in ROOTS]
    while queue:
        queue.extend(_collect(collection, *queue.pop(0)))
    _note_imports(collection, home, module.ending)
    written = [name for name in tables if name in collection.tables]
    parts = [
        module.docstring + "\n\n" + _import_lines(collection.imports),
        "\n".join(f"{name} = {literal(tables[name], column=len(name) + 3)}" for name in written),
        *(["\n".join(collection.constants.values())] if collection.constants else []),
    ]
    top = "\n\n".join(part for part in parts if part)
    source = "\n\n\n".join([top, *collection.functions.values(), module.ending]) + "\n"
    compile(source, "solution.py", "exec", dont_inherit=True)
    return source


def third_party(source: str) -> list[str]:
    """Names of the installed packages that the source imports, sorted."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return sorted(found - set(sys.stdlib_module_names) - {"runtime"})


@functools.cache
def read_module(name: str) -> Module:
    """Cut a block module into pieces, without importing it (and what it imports)."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        msg = f"There is no block module {name!r}"
        raise ValueError(msg)
    text = Path(spec.origin).read_text(encoding="utf-8")
    lines, tree = text.splitlines(), ast.parse(text)
    pieces, imports, docstring, ending = {}, {}, "", ""
    for node in tree.body:
        source = "\n".join(lines[_first_line(node, lines) : node.end_lineno])
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.update(_bindings(node))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            pieces[node.name] = source
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            pieces[ast.unparse(target)] = source
        elif isinstance(node, ast.If):
            ending = source
        elif not docstring:
            docstring = source
    return Module(docstring=docstring, pieces=pieces, imports=imports, ending=ending)


def _first_line(node: ast.stmt, lines: Sequence[str]) -> int:
    """Index of the first line that belongs to a piece: its decorators and the comment right above."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return first


def _bindings(node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str | None]]:
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.split(".")[0]: (alias.name, None) for alias in node.names}
    assert node.module is not None
    return {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}


def _collect(collection: _Collection, home: str, name: str) -> list[tuple[str, str]]:
    """Take one piece over; return the pieces it needs."""
    if collection.homes.setdefault(name, home) != home:
        msg = f"Two blocks are called {name!r}: in {collection.homes[name]} and in {home}"
        raise ValueError(msg)
    if name in collection.functions or name in collection.constants:
        return []
    source, constant = _settled(home, name, tuple(sorted(collection.choices.items())))
    (collection.constants if constant else collection.functions)[name] = source
    return _note_imports(collection, home, source)


@functools.cache
def _settled(home: str, name: str, choices: tuple[tuple[str, bool], ...]) -> tuple[str, bool]:
    """Return a piece without its branches on choices, and whether it is a constant.

    Cached, for nearly the same pieces are wanted for every solution of a run.
    """
    source = keep_branches(read_module(home).pieces[name], dict(choices))
    return source, isinstance(ast.parse(source).body[0], (ast.Assign, ast.AnnAssign))


def _note_imports(collection: _Collection, home: str, source: str) -> list[tuple[str, str]]:
    """Note what the source imports from outside; return the pieces of blocks that it uses."""
    module, needed = read_module(home), []
    for name in _names(source):
        if name in module.pieces:
            needed.append((home, name))
        elif name in module.imports:
            origin, attribute = module.imports[name]
            if origin == CHOICES:
                if name not in collection.tables:
                    collection.tables.append(name)
            elif origin.startswith(BLOCKS):
                needed.append((origin, name))
            else:
                collection.imports[name] = (origin, attribute)
    return needed


@functools.cache
def _names(source: str) -> list[str]:
    """Names that the source reads, in the order of reading."""
    loads = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    loads.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in loads))


def _import_lines(imports: Mapping[str, tuple[str, str | None]]) -> str:
    """Write the imports in three groups, as a formatter would: standard library, packages, the runtime beside us."""
    groups: dict[int, dict[str, list[str]]] = {0: {}, 1: {}, 2: {}}
    for bound, (module, attribute) in imports.items():
        source = "runtime" if module == RUNTIME else module
        group = 2 if source == "runtime" else 0 if source.split(".")[0] in sys.stdlib_module_names else 1
        if attribute is None:
            line = f"import {source}" if bound == source.split(".")[0] else f"import {source} as {bound}"
            groups[group].setdefault(line, [])
        else:
            name = attribute if bound == attribute else f"{attribute} as {bound}"
            groups[group].setdefault(f"from {source} import ", []).append(name)
    return "\n\n".join(_group_lines(group) for group in groups.values() if group)


def _group_lines(group: Mapping[str, list[str]]) -> str:
    plain = sorted((line for line, names in group.items() if not names), key=str.lower)
    froms = sorted((line for line, names in group.items() if names), key=str.lower)
    return "\n".join([*plain, *(line + ", ".join(sorted(group[line], key=_import_order)) for line in froms)])


def _import_order(name: str) -> tuple[int, str]:
    """Constants, classes, functions: the order that isort and ruff keep."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)
