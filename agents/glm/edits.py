"""Code in a model's answer: whole files in fences, and search/replace edits that must apply exactly once.

Models are asked for this, with a file's name before its fence:

    solution.py                          <<<<<<< SEARCH
    ```python                            lines as they stand
    import pandas as pd                  =======
    ```                                  lines as they shall be
                                         >>>>>>> REPLACE

and are forgiven what means the same: CRLF, fences and marks that are indented, names in the fence's first line or in a comment, an
edit inside a fence or whose lines are indented differently as a block. Messages of `EditRefused` are written for the model.
"""

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rapidfuzz import fuzz, process

from open_autoglm.agents.glm.parsing import without_thinking
from open_autoglm.errors import EditRefused
from open_autoglm.sandbox.bundles.bundle import ENTRY, MAX_FILES

MAX_ANSWER_CHARS = 400_000
MAX_EDITS = 50
MAX_CANDIDATES = 200
MAX_COMPARED_LINES = 2_000
LONGEST_SHOWN_LINE = 160
SHOWN_PLACES = 5
LEAST_LIKENESS = 60.0
"""Of a line that is named as the nearest, of 100."""

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_NAME = re.compile(r"(?<![\w./\\-])((?:\.{1,2}/|/)?[A-Za-z0-9_][A-Za-z0-9_./-]{0,180}\.[A-Za-z]{1,8})(?![\w/-])")
_COMMENT_NAME = re.compile(r"^(?:#|//)\s*(?:file(?:name)?\s*[:=]?\s*)?([\w./-]+\.[A-Za-z]{1,8})\s*$", re.IGNORECASE)
_CODE = frozenset({"", "py", "python", "python3", "py3"})
_SEARCH = re.compile(r"^([ \t]*)<{5,9}[ \t]*SEARCH\b.*$", re.IGNORECASE)
_DIVIDE = re.compile(r"^[ \t]*={5,9}[ \t]*$")
_REPLACE = re.compile(r"^[ \t]*>{5,9}[ \t]*REPLACE\b.*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    number: int
    search: Sequence[str]
    replace: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fence:
    name: str | None
    language: str
    text: str


def code_of(text: str) -> dict[str, str]:
    """Return the files of an answer: relative POSIX path to text that ends with a line end. One without a name is `solution.py`.

    Raises:
        EditRefused: There is no file, the last one is cut off, a name is not a relative path, or one name is given twice.
    """
    text = _bounded(text)
    files: dict[str, str] = {}
    nameless: list[str] = []
    for fence in _fences(text.split("\n")):
        if fence.name is None:
            if fence.language in _CODE:
                nameless.append(fence.text)
        elif files.get(fence.name, fence.text) != fence.text:
            raise EditRefused(f"{fence.name} is given twice with different text. Give every file once, whole.")
        else:
            files[fence.name] = fence.text
    if nameless and ENTRY not in files:
        files[ENTRY] = max(nameless, key=len)
    if not files and _is_code(text):
        files[ENTRY] = text.strip("\n") + "\n"
    if not files:
        raise EditRefused(
            f"The answer holds no file. Write the name {ENTRY} on a line of its own, then the whole file between ```python and ```."
        )
    if len(files) > MAX_FILES:
        raise EditRefused(f"The answer holds {len(files)} files; at most {MAX_FILES} are taken.")
    return files


def has_edits(text: str) -> bool:
    """Return whether an answer holds the beginning of an edit."""
    return any(_SEARCH.match(line) for line in text.split("\n"))


def apply(source: str, text: str) -> str:
    """Return `source`, its line ends as on Unix, with the edits of an answer made one after the other.

    Raises:
        EditRefused: There is none, one is broken off, finds its lines nowhere or more than once, or nothing changes.
    """
    source = _plain(source)
    edits = list(_edits(_bounded(text).split("\n")))
    if not edits:
        raise EditRefused(
            "The answer holds no edit. Write <<<<<<< SEARCH, the lines as they stand, =======, the lines as they shall be, >>>>>>> REPLACE."
        )
    lines = source.split("\n")
    for edit in edits:
        lines = _applied(lines, edit)
    changed = "\n".join(lines)
    if changed == source:
        raise EditRefused("The edits change nothing: what they replace is what stands there already.")
    return changed


def _bounded(text: str) -> str:
    if len(text) > MAX_ANSWER_CHARS:
        raise EditRefused(
            f"The answer has {len(text):,} characters; at most {MAX_ANSWER_CHARS:,} are read. Be shorter."
        )
    return _plain(without_thinking(text))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


# --- whole files -----------------------------------------------------------------------------------------------------


def _fences(lines: Sequence[str]) -> Iterator[_Fence]:
    at = 0
    before = ""
    while at < len(lines):
        opened = _FENCE.match(lines[at])
        if opened is None:
            before = lines[at] if lines[at].strip() else before
            at += 1
            continue
        end = _end_of_fence(lines, at + 1, opened)
        body = [_unindented(line, opened["indent"]) for line in lines[at + 1 : end]]
        yield _fence_of(opened["info"].strip(), before, body)
        before, at = "", end + 1


def _end_of_fence(lines: Sequence[str], at: int, opened: re.Match[str]) -> int:
    ticks = opened["ticks"]
    for place in range(at, len(lines)):
        line = lines[place].strip()
        if line and not line.strip(ticks[0]) and len(line) >= len(ticks):
            return place
    raise EditRefused(
        "The last fence is not closed: the answer was cut off, or its closing ``` is missing. Send it again, shorter."
    )


def _unindented(line: str, indent: str) -> str:
    return line[len(indent) :] if line.startswith(indent) else line.lstrip(" \t")


def _fence_of(info: str, before: str, body: Sequence[str]) -> _Fence:
    language = re.split(r"[\s:{,]", info, maxsplit=1)[0].lower()
    comment = _COMMENT_NAME.match(body[0]) if body else None
    shown = _NAME.search(info) or (_NAME.search(before) if _is_heading(before) else None) or comment
    name = None if shown is None else _safe(shown[1])
    return _Fence(
        name=name, language="" if _NAME.fullmatch(language) else language, text="\n".join(body).strip("\n") + "\n"
    )


def _is_heading(line: str) -> bool:
    """Return whether a line names one file and little more: prose that mentions a file is no heading."""
    return len(_NAME.findall(line)) == 1 and len(line.split()) <= 4


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise EditRefused(f"{name!r} is no name for a file here. Use a plain name such as {ENTRY} or features.py.")
    return path.as_posix()


def _is_code(text: str) -> bool:
    """Return whether an answer is nothing but Python that defines functions."""
    if not re.search(r"^def ", text, re.MULTILINE):
        return False
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.FunctionDef) for node in tree.body)


# --- edits -----------------------------------------------------------------------------------------------------------


def _edits(lines: Sequence[str]) -> Iterator[_Edit]:
    at = number = 0
    while at < len(lines):
        opened = _SEARCH.match(lines[at])
        at += 1
        if opened is None:
            continue
        number += 1
        if number > MAX_EDITS:
            raise EditRefused(f"More than {MAX_EDITS} edits in one answer. Send the whole file instead.")
        middle = _find(_DIVIDE, lines, at, number, "=======")
        end = _find(_REPLACE, lines, middle + 1, number, ">>>>>>> REPLACE")
        yield _Edit(
            number=number,
            search=_section(lines[at:middle], opened[1]),
            replace=_section(lines[middle + 1 : end], opened[1]),
        )
        at = end + 1


def _find(mark: re.Pattern[str], lines: Sequence[str], at: int, number: int, name: str) -> int:
    for place in range(at, len(lines)):
        if mark.match(lines[place]):
            return place
        if _SEARCH.match(lines[place]):
            break
    raise EditRefused(f"Edit {number} is broken off: there is no {name!r} line. Send all edits again.")


def _section(lines: Sequence[str], indent: str) -> list[str]:
    """Return the lines between two marks without the marks' indentation, a fence around them, and empty lines at both ends."""
    plain = [_unindented(line, indent) if line.strip() else "" for line in lines]
    while plain and not plain[0].strip():
        plain = plain[1:]
    while plain and not plain[-1].strip():
        plain = plain[:-1]
    if len(plain) >= 2 and _FENCE.match(plain[0]) and _FENCE.match(plain[-1]):
        return plain[1:-1]
    return plain


def _applied(lines: Sequence[str], edit: _Edit) -> list[str]:
    if not edit.search:
        if any(line.strip() for line in lines):
            raise EditRefused(f"Edit {edit.number} has nothing under SEARCH: name the lines that it replaces.")
        return [*edit.replace, ""]
    for find in (_found_exactly, _found_without_line_ends, _found_shifted):
        places = find(lines, edit.search)
        if len(places) > 1:
            shown = ", ".join(str(place + 1) for place in places[:SHOWN_PLACES])
            raise EditRefused(
                f"Edit {edit.number} fits more than one place (lines {shown}). Put more of the lines around it under SEARCH."
            )
        if places:
            return _replaced(lines, places[0], edit)
    raise EditRefused(_not_found(lines, edit))


def _found(lines: Sequence[str], search: Sequence[str], seen: Callable[[str], str]) -> list[int]:
    """Return where `search` stands in `lines`, by index; a few places are as good as all."""
    text = "\n".join(["", *map(seen, lines), ""])
    wanted = "\n".join(["", *map(seen, search), ""])
    places: list[int] = []
    at, line, counted = text.find(wanted), 0, 0
    while at >= 0 and len(places) < MAX_CANDIDATES:
        line += text.count("\n", counted, at)
        counted = at
        places.append(line)
        at = text.find(wanted, at + 1)
    return places


def _found_exactly(lines: Sequence[str], search: Sequence[str]) -> list[int]:
    return _found(lines, search, str)


def _found_without_line_ends(lines: Sequence[str], search: Sequence[str]) -> list[int]:
    return _found(lines, search, str.rstrip)


def _found_shifted(lines: Sequence[str], search: Sequence[str]) -> list[int]:
    """Return where `search` stands as a block that is indented more or less than it was written."""
    places = _found(lines, search, str.strip)
    return [place for place in places if _shift(lines[place : place + len(search)], search) is not None]


def _shift(lines: Sequence[str], search: Sequence[str]) -> tuple[str, str] | None:
    """Return (what to take off, what to put on) at the beginning of each line of `search` so that it fits, or None."""
    shifts = {
        _between(_indent(there), _indent(here)) for there, here in zip(lines, search, strict=True) if here.strip()
    }
    return next(iter(shifts)) if len(shifts) == 1 else None


def _between(there: str, here: str) -> tuple[str, str] | None:
    if there.endswith(here):
        return "", there.removesuffix(here)
    return (here.removesuffix(there), "") if here.endswith(there) else None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _replaced(lines: Sequence[str], place: int, edit: _Edit) -> list[str]:
    off, on = _shift(lines[place : place + len(edit.search)], edit.search) or ("", "")
    shifted = [on + line.removeprefix(off) if line.strip() else "" for line in edit.replace]
    return [*lines[:place], *shifted, *lines[place + len(edit.search) :]]


def _not_found(lines: Sequence[str], edit: _Edit) -> str:
    told = f"Edit {edit.number} fits nowhere: its SEARCH lines are not in the file."
    wanted = max(edit.search, key=lambda line: len(line.strip()))[:LONGEST_SHOWN_LINE]
    known = [line[:LONGEST_SHOWN_LINE] for line in lines[:MAX_COMPARED_LINES]]
    near = process.extractOne(wanted, known, scorer=fuzz.ratio, score_cutoff=LEAST_LIKENESS)
    if near is None:
        return f"{told} Copy the lines exactly as they stand."
    at = near[2]
    shown = "\n".join(known[max(at - 2, 0) : at + 3])
    return f"{told} Nearest are these, from line {max(at - 2, 0) + 1}; copy them exactly:\n{shown}"
