"""What readers see of an attack suite."""

from open_autoglm.evals.containment.page import as_page
from open_autoglm.evals.containment.runner import Outcome
from open_autoglm.evals.containment.table import as_text, figures, held


def outcome(
    program: str, *, contained: bool | None, backend: str = "b", named: bool | None = None, kind: str = "hostile"
) -> Outcome:
    return Outcome.model_validate({
        "program": program, "kind": kind, "row": "1", "backend": backend, "tier": f"{backend}/t", "status": "ok", "contained": contained,
        "named": named, "problems": [] if contained else ["it broke"], "seconds": 0.1,
    })  # fmt: skip


MIXED = [
    outcome("bomb", contained=True, named=False),
    outcome("leak", contained=False),
    outcome("work", contained=True, kind="innocent"),
    outcome("bomb", contained=None, backend="c"),
]


def test_a_program_has_a_line_and_a_way_a_column() -> None:
    """What went wrong stands below, the counts at the end."""
    lines = as_text(MIXED).splitlines()

    assert lines[0].split() == ["row", "program", "b/t", "c/t"]
    assert lines[1].split(maxsplit=2)[2] == "contained (ok, unnamed)  left out"
    assert "b/t: leak: it broke" in lines
    assert "b/t: bomb: contained, but the report does not name it" in lines
    assert lines[-2].startswith(
        "b/t: 1 of 2 hostile programs contained, 1 of 1 innocent ones work, 0 of 1 attempts named"
    )
    assert lines[-1].endswith("1 left out.")


def test_one_that_is_not_contained_is_enough() -> None:
    """What was left out does not count, nor what is only unnamed."""
    assert not held(MIXED)
    assert held([outcome("a", contained=True, named=False), outcome("b", contained=None)])
    assert [(item.backend, item.hostile, item.left_out) for item in figures(MIXED)] == [("b", 2, 0), ("c", 0, 1)]


def test_a_page_says_what_ran_and_why_something_did_not_hold() -> None:
    """With the command, the machine and what each sandbox is made of; no path of this machine."""
    page = as_page(MIXED, command="autoglm eval run sandbox", sandboxes={"b/t": {"program": "bwrap"}})

    assert "`autoglm eval run sandbox` on commit " in page
    assert "- b/t: program bwrap" in page
    assert "| b/t | 1 of 2 | 1 of 1 | 0 of 1 | 0 | 0 |" in page
    assert "- b/t: leak: it broke" in page
    assert "- b/t: bomb: contained, but the report does not name it" in page
    assert "| 1 | bomb | ✓ (ok, unnamed) | – |" in page
    assert "| 1 | leak | **✗** (ok) |  |" in page


def test_what_a_tier_does_not_promise_is_said_by_name() -> None:
    """It counts neither as contained nor as left out for want of something."""
    told = outcome("hunt", contained=None).model_copy(update={"promised": False, "problems": ["not promised: names"]})

    assert "not promised (ok)" in as_text([told])
    assert "not promised: names" in as_page([told], command="x", sandboxes={})
