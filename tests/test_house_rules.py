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
SIZED = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def place(path: Path, line: int = 1) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def too_long(path: Path) -> Iterator[str]:
    """Name the module, and each function in it, that is longer than the rule allows."""
    text = path.read_text(encoding="utf-8")
    count = len(text.splitlines())
    if count > MAX_MODULE_LINES:
        yield f"{place(path)} has {count} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{place(path, node.lineno)} {node.name} has {lines} lines"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_has_its_import_name(folder: str) -> None:
    """`src/open_autoglm/<folder>` must be a link to `<folder>` (git needs `core.symlinks=true`)."""
    link = ROOT / "src" / "open_autoglm" / folder

    assert link.is_symlink(), f"{link} is not a link: run `git config core.symlinks true && git checkout {link}`"
    assert link.resolve() == ROOT / folder


def test_modules_stay_small() -> None:
    """Split a module that has two subjects; split a function that needs headings. So for tests."""
    assert [found for path in SIZED for found in too_long(path)] == []


def test_nothing_is_left_for_later() -> None:
    """What is not done is not there: finish it or leave it out."""
    texts = {path: path.read_text(encoding="utf-8") for path in MODULES}
    assert [
        f"{place(path)} says {found.group()}" for path, text in texts.items() if (found := UNFINISHED.search(text))
    ] == []


def test_every_module_says_what_it_is_for() -> None:
    """A module begins with a docstring."""
    assert [place(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []
