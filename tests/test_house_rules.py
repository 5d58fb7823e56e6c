"""Rules that no linter checks. Each failure says which rule, where, and what to do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).parents[1]
FOLDERS = ["agents", "evals", "sandbox", "tools"]
MODULES = sorted(
    path for folder in [*FOLDERS, "src"] for path in (ROOT / folder).rglob("*.py") if not path.name.endswith("_pb2.py")
)
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_has_its_import_name(folder: str) -> None:
    """`src/open_autoglm/<folder>` must be a link to `<folder>` (git needs `core.symlinks=true`)."""
    link = ROOT / "src" / "open_autoglm" / folder

    assert link.is_symlink(), f"{link} is not a link: run `git config core.symlinks true && git checkout {link}`"
    assert link.resolve() == ROOT / folder


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path: Path) -> None:
    """Split a module that has two subjects; split a function that needs headings."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES
    for function in functions(path):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= MAX_FUNCTION_LINES, f"{path.name}:{function.lineno} {function.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_for_later(path: Path) -> None:
    """What is not done is not there: no markers of unfinished work."""
    found = UNFINISHED.search(path.read_text(encoding="utf-8"))
    assert found is None, f"{path.name} says {found.group() if found else ''}: finish it or leave it out"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    """A module begins with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
