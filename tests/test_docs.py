"""The documentation keeps its word: commands exist, options are described, examples parse, links lead somewhere."""

import ast
import hashlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

import open_autoglm
from open_autoglm import errors
from open_autoglm.cli import app
from open_autoglm.errors import AutoGLMError
from open_autoglm.settings import KEYS

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")
PAGES = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "docs/glm.md", "examples/README.md")
pytestmark = pytest.mark.checkout


def text_of(page: str) -> str:
    """Return a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> Iterator[str]:
    """Yield the code blocks of a page in a language."""
    yield from re.findall(rf"```{language}\n(.*?)```", text_of(page), flags=re.DOTALL)


def commands(page: str) -> Iterator[list[str]]:
    """Yield the arguments of each autoglm command in the shell blocks of a page."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["autoglm"]:
                yield words[1:]


def options_of(command: App) -> set[str]:
    """Return the long options of a command."""
    collected = command.assemble_argument_collection(default_parameter=app.default_parameter)
    parsed = [argument for argument in collected if argument.parse]
    return {name for argument in parsed for name in (*argument.names, *argument.negatives) if name.startswith("--")}


def every_command() -> Iterator[tuple[str, App]]:
    """Yield each command with its full name."""
    for name, command in app.resolved_commands().items():
        if name.startswith("-"):
            continue
        if command.default_command is not None:
            yield name, command
        for inner, subcommand in command.resolved_commands().items():
            if not inner.startswith("-"):
                yield f"{name} {inner}", subcommand


@pytest.mark.parametrize("page", [*READMES, "docs/glm.md", "examples/README.md"])
def test_every_command_shown_can_be_typed(page: str) -> None:
    """The command line parses each command of the page, with its options."""
    shown = list(commands(page))
    assert shown
    for words in shown:
        app.parse_args(words, exit_on_error=False, print_error=False)


def named(page: str) -> set[str]:
    """Return what a page names in every language alike: code within its text, but for examples of reading files, and where its links lead."""
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    code = {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)}
    links = set(re.findall(r"\]\(([^)]+)\)", text)) - set(READMES)
    return {span for span in code if not span.startswith("--read ")} | links


def outline(page: str) -> list[str]:
    """Return the headings by depth, and the beginnings of rows and list items, in their order."""
    return re.findall(r"^(#+ |\||- |```\w*)", text_of(page), flags=re.MULTILINE)


def test_both_readmes_say_the_same() -> None:
    """Section by section: the same tables, lists and blocks, the same files, options and links."""
    english, chinese = READMES
    assert outline(english) == outline(chinese)
    assert named(english) == named(chinese)


@pytest.mark.parametrize("page", READMES)
def test_every_command_and_option_is_described(page: str) -> None:
    """What the command line knows is on the page."""
    text = text_of(page)
    missing = {name for name, _ in every_command() if f"autoglm {name}" not in text}
    missing |= {option for _, command in every_command() for option in options_of(command) if f"{option}" not in text}
    assert missing == set()


@pytest.mark.parametrize("page", READMES)
def test_every_option_described_exists(page: str) -> None:
    """The page promises nothing that the command line does not know."""
    known = {option for _, command in every_command() for option in options_of(command)} | {"--help"}
    assert set(re.findall(r"--[a-z][a-z-]+", text_of(page))) - known == set()


@pytest.mark.parametrize("page", READMES)
def test_python_examples_parse_and_use_public_names(page: str) -> None:
    """Examples are Python, and what they take from the package is public."""
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner = {"open_autoglm": open_autoglm, "result": open_autoglm.RunResult, "model": open_autoglm.Model}
                assert hasattr(owner[node.value.id], node.attr)


@pytest.mark.parametrize("page", READMES)
def test_every_exit_code_is_described(page: str) -> None:
    """Each exit code of the error tree has its row."""
    codes = {
        kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AutoGLMError)
    }
    described = {int(code) for code in re.findall(r"^\| (\d+) \|", text_of(page), flags=re.MULTILINE)}
    assert described == codes | {0, 3}


@pytest.mark.parametrize("page", READMES)
def test_every_setting_is_described(page: str) -> None:
    """Each key of the settings is on the page."""
    assert [key for key in KEYS if key not in text_of(page)] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Relative links name files that exist."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text_of(page))
    assert [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()] == []


def test_the_example_data_is_what_its_note_says() -> None:
    """The bytes of the example are those of the source."""
    digest = hashlib.sha256((ROOT / "examples" / "titanic.csv").read_bytes()).hexdigest()
    assert digest in text_of("examples/README.md")
