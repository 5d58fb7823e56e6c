"""What an excerpt still tells, so that a failure can be mended."""

import pytest
from tests.agents.glm.sharing.world import CANARY, a_brief, a_bundle, failed

from open_autoglm.agents.glm.sharing import report_excerpt
from open_autoglm.sandbox.report import ExecutionReport, Status


def excerpt(message: str, **more: str) -> str:
    return report_excerpt(failed(message, **more), a_bundle(), "summary", a_brief())  # type: ignore[arg-type]  # passed on


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("could not convert string to float: 'Ann'", "could not convert string to float: '‹1›'"),
        ("'colour'", "'colour'"),
        ('"[\'colour\', \'shade\'] not in index"', '"[\'colour\', \'‹1›\'] not in index"'),
        (
            "\"None of [Index(['colour', 'shade'], dtype='str')] are in the [columns]\"",
            "\"None of [Index(['colour', '‹1›'], dtype='str')] are in the [columns]\"",
        ),
        ("Found unknown categories ['Ann', 'red'] in column 0 during transform", "Found unknown categories ['‹1›', 'red'] in column 0 during transform"),
        ("operands could not be broadcast together with shapes (712,) (711,)", "operands could not be broadcast together with shapes (‹1›,) (‹2›,)"),
        ("Length of values (712) does not match length of index (711), not 712", "Length of values (‹1›) does not match length of index (‹2›), not ‹1›"),
        ("Input X contains NaN.", "Input X contains NaN."),
        ("'NoneType' object has no attribute 'Ann'", "'NoneType' object has no attribute '‹1›'"),
        ("name 'fit_featuers' is not defined", "name '‹1›' is not defined"),
        ("module 'pandas' has no attribute 'red'", "module 'pandas' has no attribute 'red'"),
        ("can't compare datetime.datetime to datetime.date", "can't compare datetime.datetime to datetime.date"),
        ("y contains previously unseen labels: [3]", "y contains previously unseen labels: [3]"),
        ("Ann Smith of Lyon paid 31.75 on 3 May", "‹1› ‹2› of ‹3› ‹4› ‹5› on 3 ‹6›"),
    ],
)  # fmt: skip
def test_messages_keep_what_is_not_data(message: str, told: str) -> None:
    """Words of libraries, columns, levels that many rows share, and names of the code stay; the same blank is the same value."""
    assert f"| message: {told}" in excerpt(message).split("\n")


def test_lines_are_the_bundles_own() -> None:
    """The frame says where; the line comes from the bundle, whatever the execution claims it to be."""
    report = failed(CANARY, line=20)
    text = report_excerpt(report, a_bundle(), "schema", a_brief())
    line = a_bundle().files["solution.py"].splitlines()[19]

    assert f"| >   20 {line}" in text
    assert "| solution.py:20, in fit" in text


def test_a_place_outside_the_code_is_left_out() -> None:
    """Other files, and lines that are not there."""
    report = failed("", line=10_000)
    report.exception.frames.add(file="runtime.py", line=3, function="script")
    assert "runtime.py" not in report_excerpt(report, a_bundle(), "rows", a_brief())
    assert "10000" not in report_excerpt(report, a_bundle(), "rows", a_brief())


def test_endings_without_an_exception_are_told() -> None:
    """A limit that was met, with its numbers of time and memory."""
    report = ExecutionReport(phase="fold.fit", status=Status.STATUS_OUT_OF_MEMORY, signal=9, wall_seconds=12.34)
    report.resources.peak_memory_bytes = 3 << 30
    assert report_excerpt(report, a_bundle(), "schema", a_brief()) == (
        "| out_of_memory in fold.fit after 12.3 s, killed by signal 9, peak memory 3.0 GiB"
    )


def test_output_is_its_beginning_and_its_end_without_the_traceback() -> None:
    """Never the whole log."""
    text = excerpt(
        "bad", stdout="fold " * 5_000, stderr="warned\nTraceback (most recent call last):\n  File x\nValueError: bad"
    )
    assert "Traceback" not in text
    assert "characters left out" in text
    assert len(text) < 4_000
