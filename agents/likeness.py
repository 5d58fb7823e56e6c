"""When two pieces of code, two changes, or two errors are the same: but for comments, layout and numbers."""

import ast
import difflib
import hashlib
import json
import re

from open_autoglm.sandbox.bundles.bundle import CodeBundle

LONGEST_FAILURE = 300


def code_key(bundle: CodeBundle) -> str:
    """Return a hash that is equal for bundles which differ in comments, layout and docstrings only."""
    others = {name: text for name, text in bundle.files.items() if not name.endswith(".py")}
    content = [bundle.normalised_hash, others, sorted(bundle.requirements)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def edit_key(before: CodeBundle, after: CodeBundle) -> str:
    """Return a hash of what changed, wherever it stands in the files; empty where nothing did."""
    changed: list[str] = []
    for name in sorted({*before.files, *after.files}):
        old, new = _lines(before, name), _lines(after, name)
        if old != new:
            found = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
            changed += [f"{name}\0", *(line for line in found if not line.startswith("@@"))]
    return hashlib.sha256("\n".join(changed).encode("utf-8", "surrogatepass")).hexdigest() if changed else ""


def _lines(bundle: CodeBundle, name: str) -> list[str]:
    text = bundle.files.get(name, "")
    plain = ast.unparse(ast.parse(text)) if name.endswith(".py") else text
    return [line.strip() for line in plain.splitlines()]


def same_failure(one: str, other: str) -> bool:
    """Whether two lines tell the same error; line numbers, sizes and addresses differ from one time to the next."""
    return bool(one) and _plain(one) == _plain(other)


def _plain(failure: str) -> str:
    words = re.sub(r"0x[0-9a-fA-F]+|\d+(\.\d+)?", "#", failure)
    return " ".join(words.split())[:LONGEST_FAILURE]
