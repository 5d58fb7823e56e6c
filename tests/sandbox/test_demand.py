"""What a test needs of the machine: left out elsewhere, failed where CI runs."""

import re
from pathlib import Path

import pytest

from open_autoglm.sandbox.contracts.demand import demand


@pytest.mark.parametrize(
    ("variables", "outcome"), [({"CI": "true"}, pytest.fail.Exception), ({}, pytest.skip.Exception)]
)
def test_what_is_lacking_is_told(
    variables: dict[str, str], outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the reason; nothing happens where all is there."""
    monkeypatch.delenv("CI", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    demand(there=True, reason="no kernel")

    with pytest.raises(outcome, match="no kernel"):
        demand(there=False, reason="no kernel")


LEFT_OUT = {
    "agents/recipes/extras.py": 1,  # libraries of an extra, which the fast tests do without
    "sandbox/backends/test_bubblewrap.py": 2,  # an ordinary user has no control groups; machine code of one processor
    "sandbox/backends/test_landlock.py": 3,  # what only root can do; `test_ordinary_user` runs where Python lies out of reach
    "sandbox/devices/test_gpu.py": 1,  # what is said where there is no driver
    "sandbox/test_inside.py": 1,  # what only root can do
    "sandbox/test_ordinary_user.py": 1,  # only root can become somebody else
    "evals/containment/test_ordinary_user.py": 1,
    "tools/data/test_bad_input.py": 1,  # what root cannot be refused
}
"""Files of tests, and how many of theirs are left out on some machines of CI, too."""


def test_nothing_else_is_left_out_without_a_word() -> None:
    """Whatever a test needs of its machine goes through `demand`, or stands above with the reason."""
    tests = Path(__file__).parents[1]
    words = re.compile(r"pytest\.(mark\.)?(skip|skipif|importorskip|xfail)\(")
    found = {
        path.relative_to(tests).as_posix(): len(words.findall(path.read_text(encoding="utf-8")))
        for path in tests.rglob("*.py")
    }
    shipped = Path(demand.__code__.co_filename).parent

    assert {name: count for name, count in found.items() if count} == LEFT_OUT
    assert [path.name for path in shipped.glob("*.py") if words.search(path.read_text(encoding="utf-8"))] == [
        "demand.py"
    ]
