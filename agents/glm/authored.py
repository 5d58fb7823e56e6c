"""From a model's text to a bundle, and from a bundle to what a model is shown of it.

What makes a solution run as a program (`TASK` and the last lines) is the host's: it holds classes and file names, so it is
neither shown to a model nor taken from one.
"""

import ast
import unicodedata
from collections.abc import Mapping

from pydantic import JsonValue

from open_autoglm.agents.glm.edits import apply, code_of, has_edits
from open_autoglm.agents.glm.families import broken_wish
from open_autoglm.agents.glm.notes import requirements_of
from open_autoglm.agents.glm.sharing import Share, ShownSource, source_for
from open_autoglm.agents.recipes.literals import literal
from open_autoglm.agents.recipes.plan import task_literal
from open_autoglm.agents.recipes.writer import third_party
from open_autoglm.agents.strategist import Brief
from open_autoglm.errors import UnusableReply
from open_autoglm.sandbox.bundles.bundle import ENTRY, Author, BundleRefused, CodeBundle
from open_autoglm.sandbox.bundles.rules import Severity, check_bundle

LONGEST_TITLE = 60
MOST_PROBLEMS = 5


def shown_of(bundle: CodeBundle, share: Share, brief: Brief) -> ShownSource:
    """Return `solution.py` as a model may see it, without the host's lines."""
    files = {ENTRY: without_entry(bundle.files[ENTRY])}
    return source_for(bundle.model_copy(update={"files": files}), share, brief)


def without_entry(source: str) -> str:
    """Return code without `TASK = ...` and `if __name__ == "__main__"` at its top level; code that does not parse as it is."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = source.splitlines()
    for node in reversed(tree.body):
        if _is_hosts(node):
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).rstrip() + "\n"


def _is_hosts(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)] == ["TASK"]
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def with_entry(source: str, brief: Brief) -> str:
    """Return code with the lines by which `python solution.py TRAIN NEW OUT` works."""
    head = "TASK = "
    task = literal(task_literal(brief.task, brief.classes), column=len(head))
    return (
        f"{source.rstrip()}\n\n\n{head}{task}\n\n"
        'if __name__ == "__main__":\n'
        "    from runtime import script\n\n"
        "    script(TASK, PARAMS, fit, predict)\n"
    )


def written(
    text: str, brief: Brief, installed: Mapping[str, str], *, title: str, shown: ShownSource, edit: bool
) -> CodeBundle:
    """Return the bundle that an answer holds: a whole file or, where it may `edit` what was shown, edits of that.

    Raises:
        UnusableReply: There is no code in it, an edit does not apply, or the rules refuse the code; the message is for the model.
    """
    source = apply(shown.files[ENTRY], text) if edit and has_edits(text) else _entry_of(code_of(text))
    whole = with_entry(without_entry(shown.put_back(source)), brief)
    traits: dict[str, JsonValue] = {"writer": "glm"}
    try:
        needed = requirements_of(third_party(whole), installed)
        bundle = CodeBundle(
            files={ENTRY: whole}, requirements=needed, author=Author.MODEL, title=one_line(title), traits=traits
        )
    except SyntaxError as error:
        raise UnusableReply(f"The code does not parse: line {error.lineno}: {error.msg}.") from error
    except (BundleRefused, ValueError) as error:
        raise UnusableReply(f"The code cannot be taken: {error}.") from error
    refused = [found for found in check_bundle(bundle) if found.severity is Severity.REFUSED]
    if refused:
        told = "; ".join(f"line {found.line}: {found.message}" for found in refused[:MOST_PROBLEMS])
        raise UnusableReply(f"The code breaks the rules: {told}.")
    if problem := broken_wish(whole, brief.task.constraints):
        raise UnusableReply(problem)
    return bundle


def _entry_of(files: Mapping[str, str]) -> str:
    if ENTRY not in files:
        raise UnusableReply(f"The answer holds {', '.join(files)[:200]} and no {ENTRY}. Write one file, {ENTRY}.")
    return files[ENTRY]


def one_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """Return what a model said in one line, without anything that a terminal or a page would obey."""
    plain = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    words = " ".join(plain.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"
