"""The rules of the check step: what a bundle's syntax must show before it is executed. A sandbox still trusts none of it."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from open_autoglm.sandbox.bundles.bundle import ENTRY, CodeBundle
from open_autoglm.sandbox.packages.wishes import allowed_modules

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MODULES_OF = {"scikit-learn": "sklearn", "xgboost-cpu": "xgboost", "pillow": "PIL", "python-dateutil": "dateutil"}
"""Packages that are installed and whose module has another name."""
_SIGNATURES = {
    "fit": ("train", "ctx"),
    "predict": ("model", "rows", "ctx"),
    "save": ("model", "directory"),
    "load": ("directory",),
}


class Severity(StrEnum):
    """What follows from a finding."""

    REFUSED = "refused"
    """The bundle is not executed."""
    NOTED = "noted"
    """It may run where the backend isolates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule found."""

    rule: str
    severity: Severity
    file: str
    line: int
    message: str


def check_bundle(bundle: CodeBundle, allowed_imports: Iterable[str] = ()) -> list[Finding]:
    """Return what is wrong with a bundle, or needs a permission; an empty list means that all is well.

    `allowed_imports` are top-level modules that may be imported besides the requirements, `runtime`, the standard
    library and the bundle's own files.
    """
    return [*_imports(bundle, set(allowed_imports)), *_signatures(bundle), *_params(bundle), *_calls(bundle)]


def is_refused(findings: Iterable[Finding]) -> bool:
    """Whether one of the findings forbids execution."""
    return any(finding.severity is Severity.REFUSED for finding in findings)


def _imports(bundle: CodeBundle, allowed: set[str]) -> Iterator[Finding]:
    required = {_module_of(requirement) for requirement in bundle.requirements}
    own = {PurePosixPath(name).parts[0].removesuffix(".py") for name in bundle.files}
    known = {"runtime", *allowed, *required, *own, *sys.stdlib_module_names}
    for found in bundle.metadata.imports:
        if found.module == ".":
            yield _refused(
                "imports", found.file, found.line, "relative imports do not work: files are top-level modules"
            )
        elif found.module not in known:
            names = ", ".join(sorted(required)) or "none"
            message = f"imports {found.module!r}, which is not among the requirements ({names})"
            yield _refused("imports", found.file, found.line, message)


def _module_of(requirement: str) -> str:
    match = _REQUIREMENT.match(requirement.strip())
    name = match[0].lower() if match else requirement
    return MODULES_OF.get(name) or allowed_modules().get(name) or name.replace("-", "_")


def _signatures(bundle: CodeBundle) -> Iterator[Finding]:
    for name, wanted in _SIGNATURES.items():
        function = bundle.metadata.functions.get(name)
        if function is None:
            continue  # fit and predict are there, else it were no bundle; the others are optional
        given = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        free = len(given) - len(function.args.defaults)
        fits = free <= len(wanted) <= len(given) or (function.args.vararg is not None and free <= len(wanted))
        if not fits or any(default is None for default in function.args.kw_defaults):
            message = f"{name}({', '.join(given)}) cannot be called as {name}({', '.join(wanted)})"
            yield _refused("signature", ENTRY, function.lineno, message)


def _params(bundle: CodeBundle) -> Iterator[Finding]:
    params, count = bundle.metadata.params, bundle.metadata.params_assignments
    if params is None:
        yield _refused(
            "params", ENTRY, 0, "PARAMS is missing: one literal dict at the top level, {} where there is nothing to set"
        )
        return
    if count > 1:
        yield _refused("params", ENTRY, params.lineno, f"PARAMS is assigned {count} times; it must be one literal")
    try:
        value = ast.literal_eval(params)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        yield _refused("params", ENTRY, params.lineno, "PARAMS must be one literal: no names, calls or comprehensions")
        return
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        yield _refused("params", ENTRY, params.lineno, "PARAMS must be a dict whose keys are strings")


def _calls(bundle: CodeBundle) -> Iterator[Finding]:
    for call in bundle.metadata.calls:
        message = f"{call.name} {call.reason}"
        yield Finding(rule="permission", severity=Severity.NOTED, file=call.file, line=call.line, message=message)


def _refused(rule: str, file: str, line: int, message: str) -> Finding:
    return Finding(rule=rule, severity=Severity.REFUSED, file=file, line=line, message=message)
