"""Code as a prompt shows it: classes of the data that may not be named go by stand-ins, and come back when the model returns code.

Code of recipes holds names of columns, which every level shows, and classes (`TASK["classes"]`), which some do not. Nothing else of
the data is in it.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from open_autoglm.agents.glm.sharing.cleaning import armed, disarmed
from open_autoglm.agents.glm.sharing.code_text import Change, Piece, changed, line_starts, pieces
from open_autoglm.agents.glm.sharing.disclosure import Disclosure, Share
from open_autoglm.agents.glm.sharing.shared import Shared, fenced, joined
from open_autoglm.agents.glm.sharing.vocabulary import MESSAGE_WORDS
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.bundles.bundle import ENTRY, CodeBundle
from open_autoglm.tools.task import Label

_TELLING = 3
"""A class of fewer characters is replaced where it is a whole string, not inside of longer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSource:
    """Files of a bundle as they are shown."""

    files: Mapping[str, str]
    """Path to text as shown: what edits of a model match."""
    hidden: Mapping[Label, str]
    """Classes that go by stand-ins."""

    @property
    def text(self) -> Shared:
        """All files, each in a fence of its own that names it."""
        return joined((fenced(f"python {path}", text) for path, text in self.files.items()), "\n\n")

    def put_back(self, code: str) -> str:
        """Return code that a model wrote, with the classes in the places of their stand-ins."""
        if armed(code) == code and not any(stand_in in code for stand_in in self.hidden.values()):
            return code
        found = [(piece, _restored(piece, self.hidden)) for piece in pieces(code)]
        return changed(code, [Change(start=piece.start, end=piece.end, text=text) for piece, text in found])


def source_for(bundle: CodeBundle, share: Share, brief: Brief, *, paths: Sequence[str] = (ENTRY,)) -> ShownSource:
    """Show files of a bundle; paths that it does not have are left out."""
    return shown_source(bundle, Disclosure.of(brief, share), paths=paths)


def shown_source(bundle: CodeBundle, shown: Disclosure, *, paths: Sequence[str] = (ENTRY,)) -> ShownSource:
    """Show files of a bundle under what may be told."""
    files = {path: _shown(bundle.files[path], shown) for path in paths if path in bundle.files}
    return ShownSource(files=files, hidden=shown.hidden)


def _shown(code: str, shown: Disclosure) -> str:
    told = tuple(label for label in shown.hidden if isinstance(label, str) and _is_telling(label, shown))
    return _settled(code, shown.classes, tuple(shown.hidden.items()), told)


@lru_cache(maxsize=128)
def _settled(
    code: str, classes: tuple[Label, ...], hidden: tuple[tuple[Label, str], ...], told: tuple[str, ...]
) -> str:
    """Write code without the classes that are hidden; of those, `told` are looked for in all strings and comments."""
    lists = list(_class_lists(code, classes, dict(hidden))) if hidden else []
    rest = changed(code, [Change(start=change.start, end=change.end, text="") for change in lists])
    wanted = {label: stand_in for label, stand_in in hidden if isinstance(label, str) and label in told}
    if disarmed(rest) == rest and not any(written in rest for label in wanted for written in _ways(label)):
        return changed(code, lists)
    found = [piece for piece in pieces(code) if not any(change.start <= piece.start < change.end for change in lists)]
    return changed(code, lists + [Change(start=p.start, end=p.end, text=_hidden(p, wanted)) for p in found])


def _is_telling(label: str, shown: Disclosure) -> bool:
    """Whether a string in code that is this label surely is the class, and not a column or a word of the code itself."""
    return label not in shown.columns and label.lower() not in MESSAGE_WORDS and bool(label.strip())


def _class_lists(code: str, classes: Sequence[Label], hidden: Mapping[Label, str]) -> Iterator[Change]:
    """Find, in each list of exactly the classes, those that are hidden: 0 and 1 mean something else elsewhere."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):  # code that was refused is shown for its repair
        return
    names = sorted(map(repr, classes))
    starts, lines = line_starts(code), code.splitlines(keepends=True)
    for node in ast.walk(tree):
        if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            continue
        if len(node.elts) != len(classes):
            continue
        labels = [_constant(element) for element in node.elts]
        if sorted(map(repr, labels)) != names:
            continue
        for element, label in zip(node.elts, labels, strict=True):
            if isinstance(label, (str, int, float)) and label in hidden:
                start, end = (
                    starts[line - 1] + len(lines[line - 1].encode()[:column].decode())
                    for line, column in (
                        (element.lineno, element.col_offset),
                        (element.end_lineno or 0, element.end_col_offset or 0),
                    )
                )
                yield Change(start=start, end=end, text=f'"{hidden[label]}"')


def _constant(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return node


def _hidden(piece: Piece, hidden: Mapping[str, str]) -> str:
    """Write a string or a comment without the classes that are hidden."""
    text = piece.source
    if piece.value is not None and piece.value in hidden:
        return f'"{hidden[piece.value]}"'
    for label, stand_in in hidden.items():
        for written in _ways(label):
            if len(label) >= _TELLING and written in text:
                text = stand_in.join(re.split(rf"(?<!\w){re.escape(written)}(?!\w)", text))
    return disarmed(text)


def _ways(label: str) -> set[str]:
    """How a label is written inside of a string."""
    return {label, repr(label)[1:-1], json.dumps(label)[1:-1]}


def _restored(piece: Piece, hidden: Mapping[Label, str]) -> str:
    text = piece.source
    for label, stand_in in hidden.items():
        if piece.value == stand_in:
            return _literal(label)
        if isinstance(label, str) and stand_in in text:
            text = repr(label)[1:-1].join(re.split(rf"(?<!\w){re.escape(stand_in)}(?!\w)", text))
    return armed(text)


def _literal(label: Label) -> str:
    text = repr(label)
    plain = isinstance(label, str) and text.startswith("'") and '"' not in text
    return f'"{text[1:-1]}"' if plain else text
