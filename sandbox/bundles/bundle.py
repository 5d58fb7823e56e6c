"""CodeBundle: the code of one attempt, as data. It parses, or it is refused with the line and the reason."""

import ast
import hashlib
import json
import re
import warnings
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import PurePosixPath
from typing import Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, model_validator

from open_autoglm.errors import InputError
from open_autoglm.sandbox.bundles.syntax import Metadata, describe, normalised_hash

MAX_FILES = 100
MAX_FILE_BYTES = 1 << 20
MAX_TOTAL_BYTES = 4 << 20
ENTRY = "solution.py"
RESERVED = frozenset({"runtime.py"})
"""Names that the sandbox puts beside the bundle's own files."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)


class Author(StrEnum):
    """Where code came from. Set by the host, never read from the code."""

    RECIPES = "recipes"
    MODEL = "model"
    USER = "user"


class BundleRefused(InputError):
    """Code that cannot be a bundle. Says the file, the line (0 where it is the file as such) and the reason."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}" if line else f"{file}: {reason}")
        self.file, self.line, self.reason = file, line, reason


class CodeBundle(BaseModel):
    """Files, what they need, and who wrote them.

    Raises:
        BundleRefused: A name, a size, an encoding or the syntax of a file is not acceptable, or `solution.py` does not
            define `fit` and `predict`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[str, str]
    """Relative POSIX path to text; `solution.py` is the entry."""
    requirements: list[str] = []
    author: Author
    title: str = ""
    """A few words for the leaderboard: what this solution does."""
    traits: Mapping[str, JsonValue] = {}
    """What the strategist wants to remember of it (family, blocks, options); opaque to everybody else."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if ENTRY not in self.files:
            raise BundleRefused(ENTRY, 0, f"the bundle has no {ENTRY}; it has {sorted(self.files)[:5]}")
        if len(self.files) > MAX_FILES:
            raise BundleRefused(ENTRY, 0, f"{len(self.files)} files; a bundle has at most {MAX_FILES}")
        total = sum(_check_file(name, text) for name, text in self.files.items())
        if total > MAX_TOTAL_BYTES:
            raise BundleRefused(ENTRY, 0, f"{total:,} bytes in all; a bundle has at most {MAX_TOTAL_BYTES:,}")
        for name in ("fit", "predict"):
            if name not in self.metadata.functions:
                raise BundleRefused(ENTRY, 0, f"{ENTRY} does not define {name}() at its top level")
        return self

    @cached_property
    def metadata(self) -> Metadata:
        """What the syntax trees tell: imports, functions, calls that need a permission."""
        try:
            return describe(self._trees(), ENTRY)
        except RecursionError as error:
            raise BundleRefused(ENTRY, 0, "it is nested too deeply to be read") from error

    @cached_property
    def normalised_hash(self) -> str:
        """Equal for code that differs in comments, layout and docstrings only."""
        return normalised_hash(self._trees())

    def _trees(self) -> dict[str, ast.Module]:
        return {name: _parse(name, text) for name, text in self.files.items() if name.endswith(".py")}

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of everything that decides what is executed: the files and the requirements."""
        content = {"files": self.files, "requirements": sorted(self.requirements)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """Return the bundle as JSON; `from_json` gives it back."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            BundleRefused: The code is not acceptable, or the JSON is not a bundle's.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = ".".join(map(str, problem["loc"])) or "bundle"
            raise BundleRefused(where, 0, problem["msg"]) from error


def _check_file(name: str, text: str) -> int:
    """Refuse a bad name or text; return the size in bytes."""
    path = PurePosixPath(name)
    if path.as_posix() != name or len(name) > 200 or not all(_PART.fullmatch(part) for part in path.parts):
        raise BundleRefused(name[:200], 0, "the name must be a relative path of letters, digits, '.', '_' and '-'")
    if name in RESERVED or path.parts[0] in ("runtime", "driver.py"):
        raise BundleRefused(name, 0, "the name belongs to the runtime")
    if "\0" in text:
        raise BundleRefused(name, text[: text.index("\0")].count("\n") + 1, "the text holds a NUL character")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BundleRefused(
            name, text[: error.start].count("\n") + 1, "the text holds half a surrogate pair"
        ) from error
    if size > MAX_FILE_BYTES:
        raise BundleRefused(name, 0, f"{size:,} bytes; a file has at most {MAX_FILE_BYTES:,}")
    return size


def _parse(name: str, text: str) -> ast.Module:
    for number, line in enumerate(text.splitlines()[:2], start=1):
        cookie = _COOKIE.match(line)
        if cookie and cookie[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
            raise BundleRefused(name, number, f"the file declares the encoding {cookie[1]!r}; only UTF-8 is read")
    try:
        with warnings.catch_warnings(action="ignore"):  # a wrong escape in a string is the author's business
            return ast.parse(text, filename=name)
    except (SyntaxError, ValueError) as error:
        raise BundleRefused(name, getattr(error, "lineno", 0) or 0, f"it does not parse: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise BundleRefused(name, 0, "it is nested too deeply to be parsed") from error
