"""The page on the architecture shows what the code does."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"


@pytest.fixture(scope="module")
def draw() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw", ROOT / "docs" / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pictures_are_those_of_the_code(draw: ModuleType) -> None:
    """`make docs` draws them anew after a change of a graph."""
    page = PAGE.read_text(encoding="utf-8")
    assert draw.with_drawings(page) == page, (
        "docs/architecture.md shows other graphs than the code has: run `make docs`"
    )


def test_the_pictures_show_every_step(draw: ModuleType) -> None:
    """Both graphs, from start to end."""
    run, worker = draw.drawings().values()
    for step in ("understand", "profile", "confirm", "search", "finalise", "export", "report"):
        assert f" {step};" in run
    for step in ("choose", "write", "check", "smoke", "repair", "evaluate", "grade", "learn"):
        assert f" {step};" in worker


def test_a_page_without_a_mark_is_refused(draw: ModuleType) -> None:
    """A picture that has no place would be lost silently."""
    with pytest.raises(ValueError, match="drawn: run graph"):
        draw.with_drawings("# A page")


def test_every_file_that_the_page_names_exists() -> None:
    """A newcomer who follows the page must not end at a place that is gone."""
    page = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"`((?:agents|tools|sandbox|evals|benchmarks|src|docs)/[\w./]*)", page)
    assert len(named) > 15
    missing = [name for name in named if not (ROOT / name).exists()]
    missing += [link for link in re.findall(r"\]\((decisions/[\w.-]+)\)", page) if not (ROOT / "docs" / link).exists()]
    assert not missing
