"""CodeBundle: what is accepted, what is refused and how, and what is read from the syntax."""

import json
from pathlib import Path

import pytest

from open_autoglm.errors import InputError
from open_autoglm.sandbox.bundles.bundle import Author, BundleRefused, CodeBundle

GOOD = '''"""Doc."""
import subprocess
import numpy as np
from os import system as run
PARAMS = {"depth": 3}

def fit(train, ctx):
    """Fit."""
    return eval("1")

def predict(model, rows, ctx):
    open("/etc/passwd"); open("here")
    run("ls"); subprocess.run([])
    return np.zeros(len(rows))
'''


def bundle(**files: str) -> CodeBundle:
    named = {name.replace("__", "/").replace("_py", ".py"): text for name, text in files.items()}
    return CodeBundle(files={"solution.py": GOOD, **named}, author=Author.RECIPES)


def test_a_bundle_survives_json() -> None:
    """What was written comes back, with equal hashes."""
    first = CodeBundle(
        files={"solution.py": GOOD}, requirements=["numpy"], author=Author.MODEL, title="t", traits={"a": [1]}
    )
    second = CodeBundle.from_json(first.to_json())

    assert second == first
    assert second.content_hash == first.content_hash
    assert second.normalised_hash == first.normalised_hash


def test_metadata_is_read_from_the_syntax() -> None:
    """Imports, functions, the calls that only few solutions need."""
    found = bundle().metadata

    assert [i.module for i in found.imports] == ["subprocess", "numpy", "os"]
    assert sorted(found.functions) == ["fit", "predict"]
    assert {(c.name, c.line) for c in found.calls} == {
        ("eval", 9),
        ("open", 12),
        ("os.system", 13),
        ("subprocess.run", 13),
    }


def test_layout_comments_and_docstrings_do_not_change_the_normalised_hash() -> None:
    """But code does, and so does the content hash."""
    other = GOOD.replace('"""Fit."""', "# a comment").replace('depth": 3', 'depth":  3')
    same, different = bundle(solution_py=other), bundle(solution_py=GOOD.replace('"1"', '"2"'))

    assert same.normalised_hash == bundle().normalised_hash
    assert same.content_hash != bundle().content_hash
    assert different.normalised_hash != bundle().normalised_hash


@pytest.mark.parametrize(
    ("name", "text", "line", "reason"),
    [
        ("solution.py", "def fit(:\n", 1, "does not parse"),
        ("solution.py", "x = 1\n\n\ty = 2\n", 3, "does not parse"),
        ("solution.py", "def fit(train, ctx): pass\n", 0, "does not define predict"),
        ("../solution.py", "", 0, "relative path"),
        ("/etc/x.py", "", 0, "relative path"),
        ("a/./b.py", "", 0, "relative path"),
        ("-rf", "", 0, "relative path"),
        ("a\x1b.py", "", 0, "relative path"),
        ("runtime.py", "", 0, "belongs to the runtime"),
        ("x.py", "a = 1\n\0", 2, "NUL"),
        ("x.py", "a = 1\nb = '\ud800'", 2, "surrogate"),
        ("x.py", "# -*- coding: utf-7 -*-\n", 1, "only UTF-8"),
        ("x.py", "#" * (1 << 20 | 1), 0, "at most"),
        ("x.py", "(" * 5000 + ")" * 5000, 0, "parse"),
        ("x.py", "x = " + "1 + " * 5000 + "1", 0, "deeply"),
        ("solution.py", "x = " + "1 + " * 900 + "1", 0, "deeply"),
    ],
)
def test_what_cannot_be_a_bundle_is_refused_with_its_place(name: str, text: str, line: int, reason: str) -> None:
    """File, line and reason, as an input error."""
    with pytest.raises(BundleRefused, match=reason) as refused:
        CodeBundle(files={"solution.py": GOOD, name: text}, author=Author.MODEL)

    assert isinstance(refused.value, InputError)
    assert refused.value.file == name
    assert refused.value.line in (line, 1)


def test_a_bundle_needs_its_entry_and_a_bounded_number_of_files() -> None:
    """The rest is data."""
    with pytest.raises(BundleRefused, match=r"has no solution\.py"):
        CodeBundle(files={"a.py": ""}, author=Author.USER)
    with pytest.raises(BundleRefused, match="at most 100"):
        CodeBundle(files={"solution.py": GOOD, **{f"f{i}.txt": "" for i in range(100)}}, author=Author.USER)
    with pytest.raises(BundleRefused, match="in all"):
        CodeBundle(files={"solution.py": GOOD, **{f"f{i}.txt": "x" * (1 << 20) for i in range(5)}}, author=Author.USER)


def test_json_that_is_no_bundle_is_refused() -> None:
    """Unknown keys, unknown authors and broken JSON are input errors too."""
    for text in ("{", "{}", json.dumps({"files": {"solution.py": GOOD}, "author": "me"})):
        with pytest.raises(BundleRefused):
            CodeBundle.from_json(text)


def test_the_json_schema_is_frozen() -> None:
    """A change of the contract is a decision: write the new schema beside this test on purpose."""
    frozen = json.loads((Path(__file__).parent / "code_bundle.schema.json").read_text(encoding="utf-8"))

    assert CodeBundle.model_json_schema() == frozen
