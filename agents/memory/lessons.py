"""Lessons that outlive a run: a small SQLite file in the user's data folder, which several processes may use at once.

A lesson weighs 1 when it is new, half as much a half-life later, and one more each time a gain confirms it; a change of the same words that hurt
takes half of it. What weighs least goes when there are too many. The file is a convenience: one that cannot be read is
set aside and begun anew, one that cannot be written is left alone, both with a warning, and neither ends a run.
"""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from open_autoglm.agents.memory.traits import Traits

FILE_NAME = "lessons.sqlite"
HALF_LIFE_SECONDS = 90 * 86_400.0
"""A lesson that nothing confirms has lost half of its weight after a season."""
MOST_LESSONS = 500
BUSY_SECONDS = 2.0
"""How long to wait for another process that writes."""
LEAST_LIKENESS = 0.5
"""Lessons of data less alike are not recalled."""
SAME_WORDS = 0.6
"""Share of words in common from which two lessons say the same."""
LONGEST_LESSON = 300

_SCHEMA = """
CREATE TABLE IF NOT EXISTS lessons (
    id INTEGER PRIMARY KEY,
    traits TEXT NOT NULL,
    text TEXT NOT NULL,
    helped INTEGER NOT NULL,
    weight REAL NOT NULL,
    weighed_at REAL NOT NULL
);
"""
_COLUMNS = {"id", "traits", "text", "helped", "weight", "weighed_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One thing that was learned."""

    text: str
    helped: bool
    """Whether what it tells of was a gain; else it is a warning."""
    traits: Traits
    weight: float
    """As of now."""


class LessonStore:
    """The lessons of one user.

    Args:
        path: The file; it and its folder are made when the first lesson is kept.
        warn: Told, once for each reason, what is wrong with the file.
        clock: Seconds since the epoch.
    """

    def __init__(self, path: Path, *, warn: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._warn = warn
        self._clock = clock
        self._warned: set[str] = set()

    def recall(self, traits: Traits, count: int) -> list[Lesson]:
        """Return the lessons that weigh most on data like this, at most `count` of them; none where there is no file."""
        if not self.path.exists():
            return []
        found = [lesson for _, lesson in self._all()]
        near = [(lesson.weight * traits.likeness(lesson.traits), lesson) for lesson in found]
        usable = [pair for pair in near if traits.likeness(pair[1].traits) >= LEAST_LIKENESS]
        return [lesson for _, lesson in sorted(usable, key=lambda pair: (-pair[0], pair[1].text))[:count]]

    def note(self, traits: Traits, text: str, *, gained: bool) -> None:
        """Keep a lesson, or confirm the one that says the same; one that says the same of a loss takes half of its weight."""
        line = " ".join(text.split())[:LONGEST_LESSON]
        with self._guarded():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._open()) as db, db:
                db.execute("BEGIN IMMEDIATE")  # what is read below must still hold when it is written
                self._note(db, traits, line, gained=gained)

    def _note(self, db: sqlite3.Connection, traits: Traits, line: str, *, gained: bool) -> None:
        now = self._clock()
        known = self._read(db)
        same = [(key, lesson) for key, lesson in known if _says_the_same(lesson, traits, line)]
        for key, lesson in same:
            weight = lesson.weight + 1.0 if lesson.helped is gained else 0.5 * lesson.weight
            db.execute("UPDATE lessons SET weight = ?, weighed_at = ? WHERE id = ?", (weight, now, key))
        if not any(lesson.helped is gained for _, lesson in same):
            values = (json.dumps(asdict(traits)), line, int(gained), 1.0, now)
            db.execute("INSERT INTO lessons (traits, text, helped, weight, weighed_at) VALUES (?, ?, ?, ?, ?)", values)
            lightest = sorted(known, key=lambda pair: pair[1].weight)[: max(0, len(known) + 1 - MOST_LESSONS)]
            db.executemany("DELETE FROM lessons WHERE id = ?", [(key,) for key, _ in lightest])

    def _all(self) -> list[tuple[int, Lesson]]:
        found: list[tuple[int, Lesson]] = []
        with self._guarded(), closing(self._open()) as db:
            found += self._read(db)
        return found

    def _read(self, db: sqlite3.Connection) -> list[tuple[int, Lesson]]:
        now = self._clock()
        return [
            (
                int(key),
                Lesson(
                    text=str(text),
                    helped=bool(helped),
                    traits=Traits(**json.loads(traits)),
                    weight=float(weight) * 0.5 ** (max(0.0, now - weighed_at) / HALF_LIFE_SECONDS),
                ),
            )
            for key, traits, text, helped, weight, weighed_at in db.execute(
                "SELECT id, traits, text, helped, weight, weighed_at FROM lessons ORDER BY id"
            )
        ]

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            _prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Say what is wrong with the file instead of failing; set aside one that is damaged."""
        try:
            yield
        except (OSError, sqlite3.OperationalError) as error:  # a full disk, no permission, another process for too long
            self._say(f"Lessons of earlier runs are not used now: {self.path} cannot be opened or written ({error}).")
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            self._set_aside(error)

    def _set_aside(self, error: Exception) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged")
        try:
            self.path.replace(aside)
            for rest in ("-wal", "-shm"):
                self.path.with_name(self.path.name + rest).unlink(missing_ok=True)
        except OSError as refused:
            self._say(f"The lessons of earlier runs in {self.path} are damaged and cannot be moved away ({refused}).")
            return
        self._say(
            f"The lessons of earlier runs were damaged ({error}) and are begun anew; the old file is now {aside}."
        )

    def _say(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute(_SCHEMA)
    if {row[1] for row in db.execute("PRAGMA table_info(lessons)")} != _COLUMNS:
        raise sqlite3.DatabaseError("its table has other columns")


def _says_the_same(lesson: Lesson, traits: Traits, line: str) -> bool:
    if lesson.traits.task_type != traits.task_type:
        return False
    ours, theirs = _words(line), _words(lesson.text)
    return len(ours & theirs) >= SAME_WORDS * max(1, len(ours | theirs))


def _words(text: str) -> frozenset[str]:
    """Return the words of a lesson; numbers differ from run to run and say nothing of what was done."""
    return frozenset(re.findall(r"[^\W\d_]+", text.lower()))
