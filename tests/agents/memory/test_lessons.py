"""Lessons across runs: kept, confirmed, forgotten, shared by processes, and never the reason of a failed run."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from tests.agents.memory.world import brief, memory, past, profile, task

from open_autoglm.agents.memory import lessons
from open_autoglm.agents.memory.lessons import HALF_LIFE_SECONDS, LessonStore
from open_autoglm.agents.memory.traits import Traits
from open_autoglm.tools.task import TaskType

TRAITS = Traits.of(task(), profile())


class Clock:
    """A clock of the test's."""

    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def fail(text: str) -> None:
    raise AssertionError(text)


def store(folder: Path, clock: Clock | None = None) -> LessonStore:
    """Return a store that may not warn."""
    return LessonStore(folder / "data" / "lessons.sqlite", warn=fail, clock=clock or Clock())


def test_a_lesson_comes_back_on_like_data(tmp_path: Path) -> None:
    """The same kind of task recalls it, another does not; nothing is written before there is something to keep."""
    kept = store(tmp_path)
    assert kept.recall(TRAITS, 5) == []
    assert not kept.path.parent.exists()
    kept.note(TRAITS, "target encoding of many levels", gained=True)
    other = Traits.of(task(TaskType.REGRESSION, "rmse"), profile(rows=2_000_000))

    assert [lesson.text for lesson in kept.recall(TRAITS, 5)] == ["target encoding of many levels"]
    assert kept.recall(other, 5) == []


def test_old_lessons_fade_unless_confirmed(tmp_path: Path) -> None:
    """A half-life takes half of the weight; a gain that says the same adds one, a loss takes half."""
    clock = Clock()
    kept = store(tmp_path, clock)
    kept.note(TRAITS, "bagging five models helps, +0.01", gained=True)
    kept.note(TRAITS, "the logarithm of the target", gained=True)
    clock.now += HALF_LIFE_SECONDS
    kept.note(TRAITS, "bagging five models helps, +0.02", gained=True)
    weights = {lesson.text: lesson.weight for lesson in kept.recall(TRAITS, 5)}
    assert weights == {
        "bagging five models helps, +0.01": pytest.approx(1.5),
        "the logarithm of the target": pytest.approx(0.5),
    }
    kept.note(TRAITS, "the logarithm of the target", gained=False)

    assert sorted(lesson.weight for lesson in kept.recall(TRAITS, 5)) == pytest.approx([0.25, 1.0, 1.5])


def test_the_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lesson that weighs least goes when there are too many."""
    monkeypatch.setattr(lessons, "MOST_LESSONS", 5)
    clock = Clock()
    kept = store(tmp_path, clock)
    for number in range(5 + 3):
        letters = "".join(chr(97 + int(digit)) for digit in str(number))
        kept.note(TRAITS, f"{letters} x{letters}", gained=True)
        clock.now += 60
    with closing(sqlite3.connect(kept.path)) as db:
        texts = [row[0] for row in db.execute("SELECT text FROM lessons ORDER BY id")]

    assert len(texts) == 5
    assert texts[0] == "d xd"


def _note_many(path: Path, name: str) -> None:
    kept = LessonStore(path, warn=fail)
    for number in range(10):
        kept.note(TRAITS, f"{name} {'x' * (number + 1)}", gained=True)


@pytest.mark.slow
def test_several_processes_write_at_once(tmp_path: Path) -> None:
    """Each waits for the other; no lesson is lost."""
    path = tmp_path / "lessons.sqlite"
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_note_many, [path] * 3, ["ann", "bob", "cid"]))

    assert len(LessonStore(path, warn=fail).recall(TRAITS, 100)) == 30


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    """With a warning that says where the old one is, and no error."""
    said: list[str] = []
    path = tmp_path / "lessons.sqlite"
    path.write_bytes(damage)
    kept = LessonStore(path, warn=said.append)
    assert kept.recall(TRAITS, 5) == []
    kept.note(TRAITS, "a new beginning", gained=True)

    assert [lesson.text for lesson in kept.recall(TRAITS, 5)] == ["a new beginning"]
    assert len(said) == 1
    assert "begun anew" in said[0]
    assert path.with_name("lessons.sqlite.damaged").read_bytes() == damage


def test_a_row_that_is_no_lesson_is_damage(tmp_path: Path) -> None:
    """A file of another program, or of another time, is not guessed at."""
    said: list[str] = []
    kept = LessonStore(tmp_path / "lessons.sqlite", warn=said.append)
    kept.note(TRAITS, "once", gained=True)
    with closing(sqlite3.connect(kept.path)) as db, db:
        db.execute("UPDATE lessons SET traits = '{}'")

    assert kept.recall(TRAITS, 5) == []
    assert len(said) == 1


def test_a_file_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    """A folder in its place, or one that may not be written: one warning, and the run goes on."""
    said: list[str] = []
    (tmp_path / "lessons.sqlite").mkdir()
    kept = LessonStore(tmp_path / "lessons.sqlite", warn=said.append)
    kept.note(TRAITS, "in vain", gained=True)
    kept.note(TRAITS, "in vain", gained=True)

    assert kept.recall(TRAITS, 5) == []
    assert len(said) == 1


def test_only_what_is_more_than_noise_is_kept_and_cleaned(tmp_path: Path) -> None:
    """A draft, a gain within the noise and a failure teach nothing for later; names of columns are taken out."""
    kept = store(tmp_path)
    attempts = [past(1, mean=0.7), past(2, parent=1, mean=0.8), past(3, parent=1, mean=0.7001)]
    told = brief(attempts)
    for attempt, text in zip(attempts, ["a draft", "the square of secret_x", "noise"], strict=True):
        memory(lessons=kept).keep(told, attempt, text)
    parts = memory(lessons=kept).long(task(), profile())

    assert [part.text for part in parts] == ["Earlier runs on like data taught:", "- the square of …"]


def test_traits_hold_no_name_and_no_value() -> None:
    """What is kept of a data set is the kind of task and sizes in wide ranges."""
    assert "secret" not in str(TRAITS)
    assert Traits.of(task(), profile(rows=901)) == TRAITS
