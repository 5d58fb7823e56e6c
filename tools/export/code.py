"""The winner's code as a person gets it: a trial's parameters in place of the first ones, and its parts in reading order."""

import ast
import pprint
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from open_autoglm.errors import AutoGLMError
from open_autoglm.events import Json

LINE_LENGTH = 100
SECTION_LINES = 60
"""A part longer than a screen is cut between two of its functions."""


def with_params(source: str, params: Mapping[str, Json]) -> str:
    """Return the source with the literal of its top-level `PARAMS` replaced; every other character stays.

    Raises:
        AutoGLMError: There is no `PARAMS = {...}` at the top level.
    """
    node = _params_literal(ast.parse(source))
    # ast counts columns in UTF-8 bytes, so the cut is made in bytes
    lines = source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: (node.end_lineno or node.lineno) - 1])) + (node.end_col_offset or 0)
    data = source.encode()
    return (data[:start] + _literal(params).encode() + data[end:]).decode()


def _params_literal(tree: ast.Module) -> ast.expr:
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets: list[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        else:
            continue
        if any(isinstance(t, ast.Name) and t.id == "PARAMS" for t in targets) and statement.value is not None:
            return statement.value
    raise AutoGLMError(
        "solution.py has no PARAMS = {...} at its top level, so a trial's parameters cannot be written into it."
    )


def _literal(params: Mapping[str, Json]) -> str:
    """Return a Python literal on one line where it fits, else one key a line, as a formatter would leave it."""
    plain = dict(params)
    if len(short := repr(plain)) <= LINE_LENGTH - len("PARAMS = "):
        return short.replace("'", '"') if '"' not in short and "\\" not in short else short
    lines = [
        f"    {key!r}: {pprint.pformat(value, width=LINE_LENGTH - 8, sort_dicts=False)},"
        for key, value in plain.items()
    ]
    return "{\n" + "\n".join(line.replace("\n", "\n    ") for line in lines) + "\n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Consecutive statements of a solution that belong together."""

    kind: str
    """`docstring`, `imports`, `settings`, `features`, `fit`, `predict` or `storage`."""
    source: str


def sections(source: str) -> Iterator[Section]:
    """Cut a solution into its parts in order, comments included; the lines for the command line are left out."""
    tree = ast.parse(source)
    lines = source.splitlines()
    start, current = 1, ""
    for statement in tree.body:
        if _is_main(statement):
            if current:
                yield _section(current, lines[start - 1 : statement.lineno - 1])
            return
        kind = _kind(statement)
        first = _first_line(statement, lines)
        too_long = (statement.end_lineno or first) - start >= SECTION_LINES and first > start
        if current and (kind != current or too_long):
            yield _section(current, lines[start - 1 : first - 1])
            start = first
        current = kind
    if current:
        yield _section(current, lines[start - 1 :])


def _section(kind: str, lines: list[str]) -> Section:
    return Section(kind=kind, source="\n".join(lines).strip("\n"))


def _first_line(statement: ast.stmt, lines: list[str]) -> int:
    """Line at which a statement begins, counting decorators and the comments right above it."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(d.lineno for d in decorators)])
    while first > 1 and lines[first - 2].lstrip().startswith("#"):
        first -= 1
    return first


def _kind(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return "docstring"
        case ast.Import() | ast.ImportFrom():
            return "imports"
        case ast.FunctionDef(name="fit" | "predict" as name):
            return name
        case ast.FunctionDef(name="save" | "load"):
            return "storage"
        case ast.FunctionDef() | ast.ClassDef():
            return "features"
        case _:
            return "settings"


def _is_main(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case _:
            return False
