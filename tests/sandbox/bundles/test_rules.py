"""The rules of the check step."""

from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.bundles.rules import Finding, check_bundle, is_refused

HEAD = "import json\nfrom runtime import Context\nimport helper\nPARAMS = {'a': [1, -2.5, None]}\n"
FIT = "def fit(train, ctx): pass\n"
PREDICT = "def predict(model, rows, ctx): pass\n"


def check(code: str, *, requirements: tuple[str, ...] = (), allowed: tuple[str, ...] = ()) -> list[Finding]:
    files = {"solution.py": code, "helper.py": "x = 1\n"}
    return check_bundle(CodeBundle(files=files, requirements=list(requirements), author=Author.MODEL), allowed)


def test_a_good_bundle_has_no_findings() -> None:
    """Requirements by their module names, the runtime, the standard library and its own files may be imported."""
    code = HEAD + "import sklearn.svm, lightgbm, pandas as pd\n" + FIT + PREDICT + "def save(model, directory): pass\n"

    assert check(code, requirements=("scikit-learn>=1.8", "lightgbm"), allowed=("pandas",)) == []


def test_params_may_say_their_type() -> None:
    """And calls of what other calls return are looked into no further."""
    assert check("PARAMS: dict = {}\n" + FIT + PREDICT + "FIT = (lambda: fit)()()\n") == []


def test_imports_outside_the_requirements_are_refused() -> None:
    """With the line, also inside functions."""
    findings = check(HEAD + FIT + "def predict(model, rows, ctx):\n    import torch\n    from . import x\n")

    assert [(f.rule, f.line) for f in findings] == [("imports", 7), ("imports", 8)]
    assert "'torch'" in findings[0].message
    assert is_refused(findings)


def test_contract_functions_must_be_callable_as_the_runtime_calls_them() -> None:
    """Too few, too many or keyword-only arguments are refused; defaults and *args are fine."""
    assert check(HEAD + "def fit(train, ctx, extra=1): pass\ndef predict(*args): pass\n") == []
    findings = check(HEAD + "def fit(train): pass\ndef predict(model, rows, ctx, *, x): pass\ndef load(): pass\n")
    assert [f.rule for f in findings] == ["signature"] * 3


def test_params_must_be_one_literal() -> None:
    """Tuning replaces it: it must be readable without running anything."""
    for params in (
        "",
        "PARAMS = dict(a=1)",
        "PARAMS = [1]",
        "PARAMS = {1: 2}",
        "PARAMS = {'a': x}",
        "PARAMS = {}\nPARAMS = {}",
    ):
        findings = check(f"{params}\n{FIT}{PREDICT}")
        assert [f.rule for f in findings] == ["params"], params


def test_calls_that_need_a_permission_are_noted() -> None:
    """They are no reason to refuse: a sandbox decides what is possible."""
    findings = check(HEAD + FIT + PREDICT + "import os, socket\nos.environ['A']\nsocket.socket()\n")

    assert [(f.rule, f.severity.value) for f in findings] == [("permission", "noted")] * 2
    assert not is_refused(findings)
