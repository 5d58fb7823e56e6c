"""What of a table may be named at a level of sharing: columns always, values hardly ever.

`schema`   names and types of columns; classes go by stand-ins (c0, c1, ...).
`summary`  also aggregates, and names of levels and classes that at least ten rows share.
`rows`     also a few rows, and messages and output as they are.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias

from open_autoglm.agents.glm.sharing.cleaning import quoted
from open_autoglm.agents.strategist import Brief
from open_autoglm.tools.data.kinds import ColumnKind, looks_like_id
from open_autoglm.tools.data.profile import ColumnProfile, DataProfile, Level
from open_autoglm.tools.task import Label, TaskSpec

Share: TypeAlias = Literal["schema", "summary", "rows"]

SHARED_BY = 10
"""Rows that a value must be shared by before it is named."""
MOST_LEVELS = 20
LEVEL_CHARACTERS = 40
"""A longer level is a text."""
COVERED = 0.5
"""Share of a column's filled rows that its frequent values must make up; where most are rare, they are names of something."""
_UNNAMED_KINDS = (ColumnKind.TEXT, ColumnKind.DATETIME, ColumnKind.EMPTY, ColumnKind.CONSTANT)
_UNNAMED_ROLES = ("id", "time", "group", "series")
_PREFIXES = ("c", "class_", "kind_", "answer_", "choice_")


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """A task, its data, and how much of it may be shown."""

    share: Share
    task: TaskSpec
    profile: DataProfile
    classes: tuple[Label, ...] = ()
    """In the order of the probability columns."""

    @classmethod
    def of(cls, brief: Brief, share: Share) -> "Disclosure":
        """Take what a strategist was told. The same for the same profile, since a run asks for it again and again."""
        return _disclosure(_Told(brief, share))

    @cached_property
    def columns(self) -> frozenset[str]:
        """Names of all columns."""
        return frozenset(column.name for column in self.profile.columns)

    @cached_property
    def stand_ins(self) -> tuple[str, ...]:
        """A name for each class that says nothing of the data, and that nothing in the data is called."""
        taken = self.columns | {str(label) for label in self.classes} | set(self._level_texts())
        for prefix in _PREFIXES:
            names = tuple(f"{prefix}{number}" for number in range(len(self.classes)))
            if taken.isdisjoint(names):
                return names
        return tuple(f"stand_in_for_class_{number}" for number in range(len(self.classes)))

    @cached_property
    def hidden(self) -> dict[Label, str]:
        """Classes that may not be named, with their stand-ins."""
        named = self._named_classes
        return {label: name for label, name in zip(self.classes, self.stand_ins, strict=True) if label not in named}

    @cached_property
    def hidden_words(self) -> frozenset[str]:
        """Words of classes that may not be named."""
        return frozenset(word for label in self.hidden for word in re.findall(r"\w+", str(label)))

    @cached_property
    def named(self) -> frozenset[str]:
        """What may be named: columns, and classes and levels as the level of sharing has it."""
        levels = {str(level.value) for column in self.profile.columns for level in self.levels(column)}
        return self.columns | levels | {str(label) for label in self.classes if label not in self.hidden}

    def names_within(self, words: Iterable[str]) -> Iterator[str]:
        """Return columns, classes and levels, named or not, that may occur in a text of these words (in small letters)."""
        yield from self._names_by_word.get("", ())
        for word in words:
            yield from self._names_by_word.get(word, ())

    @cached_property
    def _names_by_word(self) -> dict[str, list[str]]:
        """Names by their first word in small letters; by "" those without one, and those of scripts without spaces."""
        found: dict[str, list[str]] = {}
        for name in self.columns | set(map(str, self.classes)) | set(self._level_texts()):
            first = re.search(r"[a-z0-9_]+", name.lower())
            if name.strip():
                found.setdefault(first[0] if first and name.isascii() else "", []).append(name)
        return found

    def class_name(self, label: Label) -> str:
        """Return how a class is written in a prompt."""
        return self.hidden[label] if label in self.hidden else _written(label)

    def levels(self, column: ColumnProfile) -> Sequence[Level]:
        """Return the values of a column that may be named, most frequent first."""
        if self.share == "schema" or names_rows(column) or column.kind in _UNNAMED_KINDS:
            return ()
        if column.name in self._groups:
            return ()
        if column.role == "target":
            return [level for level in column.levels if level.value not in self.hidden and _may_be_named(level)]
        named = [level for level in column.levels if _may_be_named(level)]
        filled = self.profile.sampled_rows * (1 - column.missing_fraction)
        return named[:MOST_LEVELS] if sum(level.count for level in named) >= COVERED * filled else ()

    @cached_property
    def suspected(self) -> frozenset[str]:
        """Columns that look as if they told the target."""
        return frozenset(suspect.column for suspect in self.profile.suspects if suspect.strength > 0)

    @cached_property
    def _groups(self) -> frozenset[str]:
        """Columns that may name groups of rows: persons, places, devices."""
        return frozenset(candidate.column for candidate in self.profile.group_candidates) - {self.task.target}

    @cached_property
    def _named_classes(self) -> frozenset[Label]:
        if self.share == "schema":
            return frozenset()
        counted = {level.value: level for level in self.profile.target.classes}
        if self.share == "rows":
            return frozenset(self.classes)
        return frozenset(label for label in self.classes if label in counted and _may_be_named(counted[label]))

    def _level_texts(self) -> Iterator[str]:
        for column in self.profile.columns:
            yield from (str(level.value) for level in column.levels)


class _Told:
    """What a disclosure is made of, as a key: profiles are large, and compared by being the same."""

    __slots__ = ("brief", "share")

    def __init__(self, brief: Brief, share: Share) -> None:
        self.brief, self.share = brief, share

    def __hash__(self) -> int:
        return hash((id(self.brief.profile), self.share))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Told)
            and self.share == other.share
            and self.brief.profile is other.brief.profile
            and self.brief.classes == other.brief.classes
            and self.brief.task == other.brief.task
        )


@lru_cache(maxsize=8)
def _disclosure(told: _Told) -> Disclosure:
    brief = told.brief
    return Disclosure(share=told.share, task=brief.task, profile=brief.profile, classes=brief.classes)


def names_rows(column: ColumnProfile) -> bool:
    """Whether the values of a column name rows, persons, places or times, so that none of them is told."""
    return column.role in _UNNAMED_ROLES or column.kind is ColumnKind.IDENTIFIER or looks_like_id(column.name)


def _may_be_named(level: Level) -> bool:
    return level.count >= SHARED_BY and len(str(level.value)) <= LEVEL_CHARACTERS


def _written(label: Label) -> str:
    return quoted(label, LEVEL_CHARACTERS) if isinstance(label, str) else repr(label)
