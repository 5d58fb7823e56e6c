"""The judge finds what is wrong with a report, and nothing where all is well."""

from pathlib import Path

import pytest

from open_autoglm.evals.containment.judge import holds_secret, is_named, judge
from open_autoglm.evals.containment.manifest import Expectation, Kind, Program
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.report_pb2 import Artefact, Connection, Isolation, RefusedArtefact, Status, Stream, Violation


def report(**values: object) -> ExecutionReport:
    base = {
        "status": Status.STATUS_OK,
        "stdout": Stream(head="TRIED\n"),
        "job_sha256": "x",
        "isolation": Isolation(backend="b"),
    }
    return ExecutionReport(**{**base, **values})


def problems(expected: Expectation, kind: Kind = "hostile", **values: object) -> list[str]:
    return judge(Program(name="x", kind=kind, row="1", expect=expected), expected, report(**values))


def test_a_contained_program_has_no_problems() -> None:
    """It tried everything, and nothing gave way."""
    assert problems(Expectation()) == []


@pytest.mark.parametrize(
    ("expected", "values", "words"),
    [
        ({}, {"status": Status.STATUS_TIMEOUT}, "ended as timeout"),
        ({}, {"stdout": Stream(head="TRIED\nBREACH the wall\n")}, "BREACH the wall"),
        ({}, {"stdout": Stream(head="quiet\n")}, "without having tried"),
        ({"says": ["x"]}, {}, "did not say 'x'"),
        ({"signal": 9}, {}, "signal 0"),
        ({"exit_code": 3}, {}, "exit code 0"),
        ({"exception": "KeyError"}, {}, "exception ''"),
        ({"detail": "full"}, {}, "does not say 'full'"),
        ({"violations": ["disk_limit"]}, {}, "no violation 'disk_limit'"),
        ({"refused": {"a": "link"}}, {}, "'a' is not among"),
        ({"refused": {"a": "link"}}, {"refused": [RefusedArtefact(path="a", reason="sparse")]}, "as 'sparse'"),
        ({"refused_any": "link"}, {}, "nothing was refused"),
        ({"absent": ["a"]}, {"artefacts": [Artefact(path="a")]}, "came over"),
        ({"artefacts_at_most": 0}, {"artefacts": [Artefact(path="a")]}, "1 artefacts"),
        ({}, {"detail": "\x1b[31m"}, "U+001B"),
        ({}, {"artefacts": [Artefact(path="a\u202e")]}, "U+202E"),
        ({}, {"detail": "x" * 70_000}, "70,000 characters"),
        ({}, {"wall_seconds": 1e3}, "only after 1000.0 seconds"),
        ({}, {"job_sha256": ""}, "does not say what ran"),
        ({}, {"artefacts": [Artefact(path="x" * 9_000)] * 300}, "bytes"),
    ],
)
def test_each_departure_is_told(expected: dict[str, object], values: dict[str, object], words: str) -> None:
    """In words that a reader can act on."""
    assert any(words in problem for problem in problems(Expectation.model_validate(expected), **values))


REACHED = Connection(host="a.example", port=443, count=1)
REFUSED = Connection(host="b.example", port=443, count=1, refused="not on the list of the policy")


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({}, ["'a.example' was reached"]),
        ({"let_through": ["a.example"]}, []),
        ({"let_through": ["a.example", "b.example"]}, ["'b.example' was not reached"]),
        ({"let_through": ["a.example"], "turned_away": {"b.example": "not on the list"}}, []),
        ({"let_through": ["a.example"], "turned_away": {"b.example": "no public"}}, ["'b.example' is not listed as turned away for 'no public'"]),
        ({"let_through": ["a.example"], "turned_away": {"a.example": ""}}, ["'a.example' is not listed as turned away for ''"]),
    ],
)  # fmt: skip
def test_who_was_reached_is_compared(expected: dict[str, object], words: list[str]) -> None:
    """Whoever is not expected to be let through must not have been."""
    assert problems(Expectation.model_validate(expected), connections=[REACHED, REFUSED]) == words


def test_an_innocent_program_may_say_what_it_likes() -> None:
    """Only hostile ones confess."""
    assert problems(Expectation(), "innocent", stdout=Stream(head="BREACH\nTRIED")) == []


def test_naming_is_judged_where_there_is_something_to_name() -> None:
    """By the kind of a violation, its subject or its detail; everything that was tried must be told."""
    told = report(violations=[Violation(kind="system_call", subject="ptrace", detail="another process")])

    assert is_named(Expectation(), told) is None
    assert is_named(Expectation(names=["ptrace"]), told) is True
    assert is_named(Expectation(names=["ptrace", "mount"]), told) is False


def test_a_secret_is_found_wherever_it_came_out(tmp_path: Path) -> None:
    """In a text of the report or in an artefact."""
    assert not holds_secret(report(), tmp_path, "secret")
    assert holds_secret(report(stderr=Stream(tail="a secret")), tmp_path, "secret")
    (tmp_path / "a").write_bytes(b"\0secret")
    assert holds_secret(report(), tmp_path, "secret")


def test_of_what_is_not_promised_only_the_bounds_count() -> None:
    """Whatever the program says; a report that harms its reader is wrong everywhere."""
    expected = Expectation(unpromised="what lies where can be asked for")

    assert problems(expected, stdout=Stream(head="BREACH the wall\n"), status=Status.STATUS_ERROR) == []
    assert problems(expected, detail="\x1b[31m") == ["the report holds U+001B"]
