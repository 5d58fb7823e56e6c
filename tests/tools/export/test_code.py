"""A trial's parameters are written into the code, and nothing else changes; a solution falls into its parts."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_autoglm.errors import AutoGLMError
from open_autoglm.tools.export.code import sections, with_params

SOURCE = '''"""What it does: é, 预测."""

import numpy as np

# how strongly it is pulled to zero
PARAMS = {"alpha": 1.0}  # tuned later


def helper(x):  # keep   this   spacing
    return  x


# the main thing
def fit(train, ctx):
    return helper(ctx.params["alpha"])


def predict(model, rows, ctx):
    return np.zeros(len(rows))


def save(model, directory):
    pass


if __name__ == "__main__":
    print("é")
'''
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def params_of(source: str) -> object:
    return next(ast.literal_eval(n.value) for n in ast.parse(source).body if isinstance(n, ast.Assign))


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(max_size=12), json_values, max_size=4))
def test_any_parameters_come_back(params: dict[str, object]) -> None:
    """Whatever JSON a trial has, the written literal evaluates to it, and the rest of the tree is the same."""
    written = with_params(SOURCE, params)
    assert params_of(written) == params
    assert ast.dump(ast.parse(with_params(written, {"alpha": 1.0}))) == ast.dump(ast.parse(SOURCE))


def test_the_rest_of_the_text_stays() -> None:
    """Comments, spacing and characters outside ASCII are kept as they are."""
    assert with_params(SOURCE, {"alpha": 0.5}) == SOURCE.replace('{"alpha": 1.0}', '{"alpha": 0.5}')


def test_an_annotated_literal_is_found() -> None:
    """`PARAMS: dict = {...}` counts as well."""
    assert with_params("PARAMS: dict = {}\n", {"a": 1}) == 'PARAMS: dict = {"a": 1}\n'


def test_long_parameters_stand_one_a_line() -> None:
    """What does not fit on a line is written as a formatter would."""
    written = with_params("PARAMS = {}\n", {f"a_long_parameter_{i}": i / 7 for i in range(6)})
    assert max(map(len, written.splitlines())) < 100
    assert written.count("\n") == 9 - 1


def test_code_without_parameters_is_refused() -> None:
    """A function's own PARAMS does not count."""
    with pytest.raises(AutoGLMError, match="PARAMS"):
        with_params("def f():\n    PARAMS = {}\n", {})


def test_sections_follow_the_source() -> None:
    """Parts come in order with the comments above them; the lines for the command line are left out."""
    found = list(sections(SOURCE))
    assert [s.kind for s in found] == ["docstring", "imports", "settings", "features", "fit", "predict", "storage"]
    assert found[2].source.startswith("# how strongly")
    assert found[4].source.startswith("# the main thing")
    assert "__main__" not in "".join(s.source for s in found)


def test_sections_lose_no_statement() -> None:
    """All statements together are the module without its last lines."""
    joined = ast.parse("\n".join(s.source for s in sections(SOURCE)))
    assert ast.dump(joined) == ast.dump(ast.Module(body=ast.parse(SOURCE).body[:-1], type_ignores=[]))


def test_a_long_part_is_cut_between_functions() -> None:
    """A hundred helpers do not make one cell; each cell stays valid."""
    source = "\n\n".join(f"def helper_{i}(x):\n    # a step\n    y = x\n    return y" for i in range(40))
    found = list(sections(source))
    assert len(found) > 2
    assert max(s.source.count("\n") for s in found) < 65
    assert sum(len(ast.parse(s.source).body) for s in found) == 40
