"""Values that nobody may be told, planted in tables and in executions: none comes out below the level that shows it."""

import base64
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agents.glm.sharing.world import (
    CANARY,
    NUMBER,
    a_brief,
    a_bundle,
    brief_of,
    failed,
    table,
)

from open_autoglm.agents.glm.sharing import Share, data_card, failure_text, report_excerpt, request_card, source_for
from open_autoglm.agents.glm.sharing.code_text import words_of
from open_autoglm.agents.glm.sharing.vocabulary import EXCEPTIONS, LIBRARY_NAMES, MESSAGE_WORDS
from open_autoglm.agents.strategist import Request
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.inside.runtime import driver
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.report_pb2 import ClaimedException
from open_autoglm.tools.data.sketch import sketch
from open_autoglm.tools.task import SourceRole, TaskType

CLOSED: list[Share] = ["schema", "summary"]
NUMBERS = ("424242", "424,242", "4.24242", "424 242", "424_242", "0x67932")
canaries = st.text(alphabet="bcdfghjklmnpqrstvwxyzäßç", min_size=6, max_size=14).map(lambda text: f"zq{text}")
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "repr": repr,
    "bytes": lambda text: repr(text.encode()),
    "escaped": lambda text: text.encode("unicode_escape").decode() + "".join(f"\\u{ord(char):04x}" for char in text),
    "hex": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "url": quote,
    "in capitals": str.upper,
    "backwards": lambda text: text[::-1],
    "in a list": lambda text: repr([text, {text: 1.5}]),
    "in half quotes": lambda text: f"'{text}",
    "in other quotes": lambda text: f"“{text}”",
    "over two lines": lambda text: f"{text[:5]}\n{text[5:]}",
    "with a blank": lambda text: f"{text[:5]} {text[5:]}",
    "in an address": lambda text: f"https://example.org/{text}?q={text}",
    "in a path": lambda text: f"/tmp/{text}/{text}.csv",
    "as a name": lambda text: f"df.{text}({text}=1)",
}
"""How a value is written by code that prints it."""
MESSAGES = [
    "could not convert string to float: {}",
    "KeyError: {}",
    "Found unknown categories [{}] in column colour during transform",
    "{}",
    "time data {} does not match format '%Y-%m-%d'",
    "invalid literal for int() with base 10: {}\nand then {}",
    "the value {} of the column is not valid, and so is 'colour' {}",
]


def fragments(text: str) -> set[str]:
    """Pieces of a canary that would give it away, in small and capital letters, forwards and backwards."""
    pieces = {text[start : start + 5] for start in range(len(text) - 4)}
    pieces |= {piece[::-1] for piece in pieces}
    return pieces | {piece.upper() for piece in pieces}


def assert_untold(canary: str, text: str) -> None:
    encoded = [way(canary) for name, way in WAYS.items() if name in ("hex", "base64", "url")]
    found = [piece for piece in [*fragments(canary), *encoded] if piece in text]
    assert not found, f"{found[:3]} in:\n{text}"


@settings(max_examples=4, deadline=None)
@given(canary=canaries, told=st.booleans())
def test_no_rare_value_is_in_a_card(*, canary: str, told: bool) -> None:
    """Rare levels, ids, free text, names, groups, units and what stands beside numbers, whether the roles were told or not."""
    brief = brief_of(table(canary), columns={"id": ["customer_id"], "group": "group"} if told else {})
    for share in CLOSED:
        assert_untold(canary, data_card(brief.task, brief.profile, share, classes=brief.classes))


@pytest.mark.parametrize("number", [NUMBER, -NUMBER, 4242424242.0])
@pytest.mark.parametrize("middle", [False, True])
def test_no_extreme_is_in_a_card(*, number: float, middle: bool) -> None:
    """Not as the least, not as the greatest, not as a lonely value in the middle, not as a mean."""
    frame = table(number=number)
    frame["size"] += number if middle else 0.0
    brief = brief_of(frame, TaskType.REGRESSION, "size")
    for share in CLOSED:
        text = data_card(brief.task, brief.profile, share)
        assert not [written for written in (*NUMBERS, repr(number)) if written in text]


@pytest.mark.parametrize("rows", [12, 25, 60])
def test_small_tables_show_no_number_of_one_row(rows: int) -> None:
    """A quantile is told only where ten rows lie on either side of it, so that none is an extreme."""
    frame = pd.DataFrame(
        {"size": [float(number**3 + 1000) for number in range(rows)], "y": [0.5 * n for n in range(rows)]}
    )
    brief = brief_of(frame, TaskType.REGRESSION, "y")
    text = data_card(brief.task, brief.profile, "summary")

    assert "1000" not in text
    assert ("quantiles" in text) == (rows >= 20)
    assert "5 %:" not in text.replace("25 %:", "").replace("75 %:", "").replace("95 %:", "")


@pytest.mark.parametrize("share", CLOSED)
def test_dates_are_not_told(share: Share) -> None:
    """A date is nearly a name; that a column holds dates, and how they are written, is told."""
    frame = table()
    frame["since"] = ["1999-03-07"] * 100 + ["2011-11-23"] * 100
    brief = brief_of(frame)
    text = data_card(brief.task, brief.profile, share, classes=brief.classes)

    assert "datetime" in text
    assert "1999" not in text
    assert "2011" not in text


def test_what_ten_rows_share_is_told_under_summary_and_nothing_of_it_under_schema() -> None:
    """The levels of a column, and the classes."""
    brief = a_brief()
    for level, rows in (("summary", 10), ("schema", 0)):
        text = data_card(brief.task, brief.profile, level, classes=brief.classes)  # type: ignore[arg-type]  # two of the levels
        for word in ("red", "green", "blue", "gruyere", "emmental"):
            assert (f'"{word}"' in text) == bool(rows)


def test_a_class_of_nine_rows_goes_by_a_stand_in() -> None:
    """The rule of ten holds for classes, too, in the card, in code and in messages."""
    frame = table()
    frame.loc[:8, "kind"] = CANARY
    brief = brief_of(frame, TaskType.MULTICLASS)
    bundle = CodeBundle(
        files={
            "solution.py": f"CLASSES = {brief.classes!r}\n\ndef fit(train, ctx): ...\ndef predict(model, rows, ctx): ...\n"
        },
        author=Author.RECIPES,
    )
    report = failed(f"unknown class '{CANARY}', known are 'gruyere'", line=1)
    for text in (
        data_card(brief.task, brief.profile, "summary", classes=brief.classes),
        source_for(bundle, "summary", brief).text,
        report_excerpt(report, bundle, "summary", brief),
    ):
        assert_untold(CANARY, text)
        assert "gruyere" in text


@pytest.mark.parametrize("share", CLOSED)
@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=4, deadline=None)
@given(canary=canaries, template=st.sampled_from(MESSAGES))
def test_no_value_is_in_an_excerpt(share: Share, way: str, canary: str, template: str) -> None:
    """Not from the message, nor from what was printed, warned of, or claimed, however it is written."""
    said = template.replace("{}", WAYS[way](canary))
    report = failed(
        said, stdout=f"rows:\n{said}\n{canary} 1.5 red", stderr=f"UserWarning: {said}\n  warnings.warn({canary!r})"
    )
    report.exception.frames.add(file=f"{canary}.py", line=1, function=canary, source=canary)
    report.exception.frames.add(file="solution.py", line=20, function=canary, source=canary)
    report.detail = said
    report.violations.add(kind="connect", subject=f"{canary}.example.org", detail=said, count=1)
    report.progress.add(step=1, value=NUMBER)
    report.artefacts.add(path=f"model/{canary}.bin")
    report.refused.add(path=canary, reason=said)
    report.claimed_seconds[canary] = 1.0
    report.connections.add(host=canary, refused=said)
    assert_untold(canary, report_excerpt(report, a_bundle(), share, a_brief()))


anything = st.text(min_size=6, max_size=40).filter(
    lambda text: any(len(word) >= 4 and not _is_known(word) for word in re.findall(r"\w+", text))
)


def _is_known(word: str) -> bool:
    return (
        word.lower() in MESSAGE_WORDS
        or word in LIBRARY_NAMES | EXCEPTIONS
        or any(word in words_of(code) for code in a_bundle().files.values())
    )


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(cell=anything, way=st.sampled_from(sorted(WAYS)), template=st.sampled_from(MESSAGES))
def test_no_cell_whatsoever_is_in_an_excerpt(cell: str, way: str, template: str) -> None:
    """Any text in which a word is no library's and not the code's own, in any script."""
    written = WAYS[way](cell)
    report = failed(template.replace("{}", written), stdout=written, stderr=written)
    for share in CLOSED:
        text = report_excerpt(report, a_bundle(), share, a_brief())
        assert cell not in text
        for word in re.findall(r"\w+", cell):
            assert len(word) < 4 or _is_known(word) or word not in text


@pytest.mark.parametrize("share", CLOSED)
@pytest.mark.parametrize(
    "written",
    [
        "424242.125",
        "424,242.125",
        "4.24242125e+05",
        "424242",
        "-424242.125",
        "np.float64(424242.125)",
        "'424242.125'",
        "424242.125.",
        "[424242.125,",
        "$424242",
        "424242kg",
        "4242-42-12",
    ],
)
def test_no_number_is_in_an_excerpt(share: Share, written: str) -> None:
    """However it is written."""
    report = failed(
        f"cannot convert {written} to int", stdout=f"max {written}", stderr=f"RuntimeWarning: overflow at {written}"
    )
    text = report_excerpt(report, a_bundle(), share, a_brief())
    assert not [piece for piece in (*NUMBERS, "4242") if piece in text]


@pytest.mark.parametrize("share", CLOSED)
def test_an_exceptions_class_may_be_made_of_a_cell(share: Share) -> None:
    """Its name is told where libraries or the code itself have it."""
    for name, told in ((CANARY, False), ("KeyError", True), ("NotFittedError", True), ("Context", True)):
        text = report_excerpt(failed("", type_=name), a_bundle(), share, a_brief())
        assert (name in text) == told


@pytest.mark.parametrize("share", CLOSED)
def test_a_chain_of_exceptions_tells_nothing(share: Share, tmp_path: Path) -> None:
    """A real exception as the driver describes it, its causes, notes and group members, and the traceback on stderr."""
    code = tmp_path / "solution.py"
    code.write_text(
        f"def fit(train, ctx):\n    try:\n        int('{CANARY}')\n    except ValueError as error:\n"
        f"        error.add_note('{CANARY}')\n        raise ExceptionGroup('{CANARY}', [KeyError('{CANARY}'), error]) from error\n"
    )
    space: dict[str, Callable[[object, object], object]] = {}
    exec(compile(code.read_text(), str(code), "exec"), space)
    with pytest.raises(ExceptionGroup) as caught:
        space["fit"](None, None)
    claim = driver.describe(caught.value, tmp_path)
    report = ExecutionReport(phase="smoke.fit", status=Status.STATUS_ERROR, exception=ClaimedException(**claim))
    report.stderr.head = "".join(traceback.format_exception(caught.value))

    text = report_excerpt(report, a_bundle(), share, a_brief())
    assert report.exception.frames
    assert_untold(CANARY, text)
    assert "ExceptionGroup" in text


@pytest.mark.parametrize("share", CLOSED)
@pytest.mark.parametrize("way", WAYS)
def test_a_line_that_says_why_code_failed_tells_nothing(share: Share, way: str) -> None:
    """Neither a claimed exception, nor a place that is none, nor another sentence."""
    said = WAYS[way](CANARY)
    for line in (
        f"ValueError: bad {said} at solution.py:12",
        f"ValueError: bad at {CANARY}:12",
        f"{CANARY}: bad",
        f"Predictions are of type {said}; expected float64",
        said,
    ):
        assert_untold(CANARY, failure_text(line, share, a_brief(), a_bundle()))
    assert (
        failure_text("KeyError: 'x' at solution.py:12", "schema", a_brief(), a_bundle()) == "KeyError at solution.py:12"
    )


def test_warnings_and_suspects_of_the_profile_name_columns_alone() -> None:
    """The profile's own words hold labels and levels; a card makes its own."""
    frame = table(classes=(CANARY, "other"))
    frame["ending"] = frame["kind"].map({CANARY: f"{CANARY} end", "other": "open"})
    frame["copy"] = frame["kind"]
    brief = brief_of(frame)
    text = data_card(brief.task, brief.profile, "schema", classes=brief.classes)

    assert brief.profile.suspects
    assert_untold(CANARY, text)
    assert "suspect" in data_card(brief.task, brief.profile, "summary", classes=brief.classes)


def test_rows_are_told_under_rows_alone() -> None:
    """A caller that hands in rows at another level is not obeyed."""
    brief, frame = a_brief(), table()
    for share in CLOSED:
        assert_untold(CANARY, data_card(brief.task, brief.profile, share, classes=brief.classes, rows=frame))
    assert CANARY in data_card(brief.task, brief.profile, "rows", classes=brief.classes, rows=frame)


@pytest.mark.parametrize("share", [*CLOSED, "rows"])
def test_before_the_rows_are_split_no_value_is_told(share: Share) -> None:
    """A row that is read then may be in the holdout: names, kinds and counts only, and no name of a file."""
    request = Request(prompt="?", tables={SourceRole.TRAIN: sketch(table(), CANARY)})
    text = request_card(request, share)

    assert request.tables[SourceRole.TRAIN].columns[1].levels
    assert_untold(CANARY, text)
    assert not [word for word in ("gruyere", "emmental", "red", "424242", "2020") if word in text]
    assert '"colour": categorical' in text
