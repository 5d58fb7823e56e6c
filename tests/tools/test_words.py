"""Messages in two languages: the catalogue holds what is said, all of it and nothing else."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

import open_autoglm
from open_autoglm.agents import scoring
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.recipes.improvements import CHANGES
from open_autoglm.agents.recipes.portfolio import RECIPES
from open_autoglm.summary import HEADLINES
from open_autoglm.tools.export import notebook, pages
from open_autoglm.tools.export.words import METRICS, NAMES, REFUSALS, SCORED_SHIPS, SECTIONS, SHIPPED, VERDICTS
from open_autoglm.tools.words import Words, in_language, said, translations
from open_autoglm.tools.words.overheard import OVERHEARD

ROOT = Path(open_autoglm.__file__).parent
TABLES = (
    *METRICS.values(), *NAMES, *REFUSALS, *OVERHEARD, *SECTIONS.values(), *VERDICTS.values(), SHIPPED, SCORED_SHIPS, *notebook.TITLES.values(), *pages.EXPLAINING.values(),
    *(reason.sentence for reason in StopReason), *(recipe.title for recipe in RECIPES.values()), *(change.phrase for change in CHANGES), *HEADLINES.values(), scoring.CUT,
)  # fmt: skip
"""Messages that stand in tables, from where `say` takes them."""


def in_code(path: Path) -> Iterator[str]:
    """Yield the messages that a module says."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("say", "said"):
            ways = [node.args[0]]
            while ways:
                way = ways.pop()
                ways += [way.body, way.orelse] if isinstance(way, ast.IfExp) else []
                if isinstance(way, ast.Constant) and isinstance(way.value, str):
                    yield way.value


def in_template(path: Path) -> Iterator[str]:
    """Yield the messages that a template says."""
    for call in jinja2.Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "say":
            ways = [call.args[0]]
            while ways:
                way = ways.pop()
                ways += [way.expr1, way.expr2] if isinstance(way, nodes.CondExpr) and way.expr2 is not None else []
                if isinstance(way, nodes.Const):
                    yield way.value


@pytest.fixture(scope="module")
def messages() -> set[str]:
    found = set(TABLES)
    for path in [p for folder in ("agents", "tools") for p in (ROOT / folder).rglob("*.py")] + list(ROOT.glob("*.py")):
        if "intent" not in path.parts:  # sentences beside the rules that they belong to, in both languages
            found.update(in_code(path))
    for path in (ROOT / "tools").rglob("*.j2"):
        found.update(in_template(path))
    return found


def test_everything_that_is_said_has_its_chinese(messages: set[str]) -> None:
    """No message is English in a Chinese run, and the catalogue holds none that nobody says."""
    known = translations()
    assert sorted(messages - known.keys()) == []
    assert sorted(known.keys() - messages) == []


def test_a_translation_holds_the_same_values() -> None:
    """Each value of a template stands in its translation, and no other."""
    parse = string.Formatter().parse
    names = [{name for _, name, _, _ in parse(text) if name} for pair in translations().items() for text in pair]
    assert [text for text, a, b in zip(translations(), names[::2], names[1::2], strict=True) if a != b] == []


def test_a_message_is_said_again_in_another_language() -> None:
    """Also the messages and lists in its values; a text that is no message stays."""
    inner = said("has one certain value ({value!r})", value="{x}")
    text = said("Columns that {words}: {names}.", words=inner, names=["a", "b"])
    assert text == "Columns that has one certain value ('{x}'): a, b."
    assert "a、b" in in_language(text, "zh")
    assert "'{x}'" in in_language(text, "zh")
    assert in_language("plain {x}", "zh") == "plain {x}"


def test_what_nobody_translated_is_said_in_english() -> None:
    """A missing translation costs no run."""
    assert Words(language="zh")("not {here}", here="there") == "not there"


def test_latin_letters_stand_apart_from_chinese_ones() -> None:
    """At the borders of values alone: what a value holds, such as the name of a column, stays."""
    say = Words(language="zh")
    assert say("{role} column", role="id") == "id 列"
    assert say("{role} column", role="编号") == "编号列"
    assert say("Mean of {models}", models=["LightGBM", "x年y"]) == "LightGBM、x年y 的平均"
    assert say("{attempts}", attempts="") == ""
    assert (say.gap, Words(language="en").gap) == ("", " "), "between sentences, too"
