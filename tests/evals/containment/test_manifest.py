"""The suite as data: it can be read, it is complete, and mistakes in it are told."""

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

from open_autoglm.errors import InputError, UnknownName
from open_autoglm.evals.containment.manifest import FEW_RUNS, SUITE, Expectation, Program, load_manifest, statuses
from open_autoglm.sandbox.policy import default_policy, departures
from open_autoglm.sandbox.report_pb2 import Status


def test_the_manifest_lists_every_program() -> None:
    """A file that nobody runs would look as if it were covered."""
    listed = {program.name for program in load_manifest().programs}

    assert listed == {path.stem for path in (SUITE / "programs").glob("*.py")}


def test_every_program_says_what_it_tries() -> None:
    """The docstring is what a reader of the table looks up."""
    for program in load_manifest().programs:
        assert ast.get_docstring(ast.parse(program.source(SUITE))), program.name


def test_an_expectation_knows_the_statuses_of_the_report() -> None:
    """By the same names, and all of them."""
    assert {f"STATUS_{name.upper()}" for name in statuses()} == set(Status.keys()) - {"STATUS_UNSPECIFIED"}


def test_every_row_of_the_list_is_covered() -> None:
    """By a hostile program, or by a test that is named; and no program is of a row that is not there."""
    manifest = load_manifest()
    rows = {row.row for row in manifest.rows}
    tried = {program.row for program in manifest.programs if program.kind == "hostile"}
    named = {row.row for row in manifest.rows if row.elsewhere}

    assert [row.row for row in manifest.rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert len(rows) >= 64
    assert tried <= rows
    assert rows - tried <= named


@pytest.mark.checkout
def test_tests_that_stand_for_a_row_are_there() -> None:
    """By file and function."""
    root = Path(__file__).parents[3]
    for row in load_manifest().rows:
        file, _, function = row.elsewhere.partition("::")
        assert not file or f"def {function}(" in (root / file).read_text(encoding="utf-8"), row.row


def test_an_expected_error_must_be_told_from_a_mistake() -> None:
    """Else a program that does not even start would pass."""
    with pytest.raises(ValidationError, match="mistake"):
        Expectation(status=["error"])


def test_what_holds_for_a_tier_goes_first() -> None:
    """Then what holds for the backend, then for all."""
    plain, backend, tier = Expectation(says=["a"]), Expectation(says=["b"]), Expectation(says=["c"])
    program = Program(name="x", kind="hostile", row="1", expect=plain, expect_on={"y": backend, "y/z": tier})

    assert [program.expected(*where) for where in (("y", "y/z"), ("y", "y/w"), ("w", "w"))] == [tier, backend, plain]


def test_the_half_repeats_a_few_times_only() -> None:
    """What is quick belongs to it."""
    half = load_manifest().half()

    assert {program.name for program in load_manifest().programs if program.quick} < {program.name for program in half}
    assert max(program.runs for program in half) == FEW_RUNS


def test_unknown_programs_are_refused() -> None:
    """With the nearest name."""
    with pytest.raises(UnknownName, match="fork_bomb"):
        load_manifest().pick(("fork_bom",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"programs": [{"name": "a", "kind": "hostile", "row": "1"}]}', "without a file: a"),
        ('{"programs": [{"name": "a", "kind": "rude", "row": "1"}]}', "programs.0.kind"),
        ("", "cannot be used"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_told(tmp_path: Path, text: str, words: str) -> None:
    """In one sentence."""
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(InputError, match=words):
        load_manifest(tmp_path)


def test_a_folder_without_a_manifest_is_told(tmp_path: Path) -> None:
    """It is no suite."""
    with pytest.raises(InputError, match="no manifest"):
        load_manifest(tmp_path)


def test_what_a_container_lacks_is_missing_there() -> None:
    """What is installed here is one thing, what the image holds another; names of modules and of packages may differ."""
    program = Program(name="p", kind="innocent", row="1", needs=["sklearn", "pytest"])

    assert program.missing() == []
    assert program.missing(image={"scikit-learn"}) == ["pytest"]
    assert program.model_copy(update={"needs": ["no_such_module"]}).missing(image={"scikit-learn"}) == [
        "no_such_module"
    ]


def test_a_program_may_have_a_way_out() -> None:
    """Its policy is the default but for what it lists; without a list it is the default itself."""
    policy = Program(name="x", kind="hostile", row="1", network=["localhost:{door}", "example.org"]).policy(door=8000)

    assert Program(name="x", kind="hostile", row="1").policy(door=8000) is default_policy()
    assert [(item.place, item.more or item.value) for item in departures(policy)] == [
        ("network.access", "proxy"),
        ("network.allow", ("localhost:8000", "example.org")),
    ]
    assert policy.digest != default_policy().digest
