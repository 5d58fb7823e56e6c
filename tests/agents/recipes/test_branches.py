"""Branches on choices are settled in the text, comments and all."""

from open_autoglm.agents.recipes.branches import keep_branches


def test_the_side_that_holds_is_kept_with_its_comments() -> None:
    """And is moved to the left."""
    source = "def f(x):\n    if A:\n        # why\n        x += 1\n    else:\n        x -= 1\n    return x"
    assert keep_branches(source, {"A": True}) == "def f(x):\n    # why\n    x += 1\n    return x"
    assert keep_branches(source, {"A": False}) == "def f(x):\n    x -= 1\n    return x"


def test_what_follows_a_return_is_dropped() -> None:
    """The rest could never run."""
    source = "def f(x):\n    if A:\n        return 1\n    return x"
    assert keep_branches(source, {"A": True}) == "def f(x):\n    return 1"
    assert keep_branches(source, {"A": False}) == "def f(x):\n    return x"


def test_choices_leave_a_condition_that_hangs_on_more() -> None:
    """`A and x` is x where A holds, and nothing at all where it does not."""
    source = "def f(x):\n    if A and x > 1:\n        x = 0\n    return x if A or x else 2"
    assert keep_branches(source, {"A": True}) == "def f(x):\n    if x > 1:\n        x = 0\n    return x"
    assert keep_branches(source, {"A": False}) == "def f(x):\n    return x if x else 2"


def test_not_and_or_are_understood() -> None:
    """Nested, and beside characters of several bytes."""
    source = 'def f():\n    return "价" if not A else "格"'
    assert keep_branches(source, {"A": True}) == 'def f():\n    return "格"'
    nested = "if A or B:\n    if B:\n        x = 1\n    y = 2"
    assert keep_branches(nested, {"A": True, "B": False}) == "y = 2"
