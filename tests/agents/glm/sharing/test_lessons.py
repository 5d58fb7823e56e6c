"""Lessons and titles: what a line may still say after values, and names for later runs, are taken out."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.agents.glm.sharing.world import CANARY, NUMBER, a_brief, a_bundle, table
from tests.agents.memory.world import past

from open_autoglm.agents.glm.sharing import Share, cells_shown, failure_text, lesson_text, stored_lesson
from open_autoglm.agents.glm.sharing.lessons import HOSTS
from open_autoglm.agents.memory.lessons import LessonStore
from open_autoglm.agents.memory.memory import Memory
from open_autoglm.agents.memory.traits import Traits
from open_autoglm.agents.strategist import Past
from open_autoglm.tools.words import Words, translations
from open_autoglm.tools.words.overheard import overheard


def attempt(**more: object) -> Past:
    return past(7, bundle=a_bundle(), **{"mean": 0.8123, "standard_error": 0.0041, **more})


def test_scores_parameters_and_small_counts_stay() -> None:
    """They are the host's, or chosen by who wrote the code."""
    told = attempt(params={"learning_rate": 0.037, "trees": 640})
    brief = replace(a_brief(), past=[past(3, mean=0.8), told])
    line = "roc_auc 0.8123 (± 0.004), +0.0123 against 0.800 with 640 trees at 0.037, 5 folds; not 0.777 or 4321"

    for text in (lesson_text(line, "summary", brief, told), stored_lesson(line, brief, told)):
        assert text == "roc_auc 0.8123 (± 0.004), +0.0123 against 0.800 with 640 trees at 0.037, 5 folds; not … or …"


def test_columns_and_shared_levels_stay_within_the_run_alone() -> None:
    """Lessons for other runs name nothing of this table, however it is written."""
    line = "dropping `customer_id` helped where colour is 'red'; COLOUR and price do not, nor does gruyere"

    assert lesson_text(line, "summary", a_brief(), attempt()) == line
    assert lesson_text(line, "schema", a_brief(), attempt()) == (
        "dropping `customer_id` helped where colour is …; COLOUR and price do not, nor does …"
    )
    assert stored_lesson(line, a_brief(), attempt()) == ("dropping … helped where … is …; … and … do not, nor does …")


def test_chinese_lines_lose_names_within_words() -> None:
    """Where no spaces divide words."""
    line = "把gruyere与红色red合并有帮助，最大值为424242.125元，float64 与 '张三' 无关"
    assert stored_lesson(line, a_brief(), attempt()) == "把…与红色…合并有帮助，最大值为…元，float64 与 … 无关"


@pytest.mark.parametrize("share", ["schema", "summary"])
def test_what_a_failure_quoted_is_taken_out(share: str) -> None:
    """Recipes say why an attempt failed in the words of the exception."""
    failure = f"ValueError: could not convert {CANARY} in colour at row {NUMBER}"
    told = attempt(failure=failure, mean=None)
    for text in (
        lesson_text(f"LightGBM: failed ({failure}).", share, a_brief(), told),
        stored_lesson(f"LightGBM: failed ({failure}).", a_brief(), told),
    ):
        assert CANARY not in text
        assert "4242" not in text
        assert "LightGBM: failed (ValueError: could not convert …" in text


@pytest.mark.parametrize("share", ["schema", "summary"])
def test_sentences_of_the_host_are_told_in_english(share: Share) -> None:
    """However the run speaks; what they are filled with is masked."""
    say = Words(language="zh")
    for line, told in (
        (say("given up after {folds} folds, far behind the best", folds=9342), "given up after ‹1› folds, far behind the best"),
        (say("cut by the end of the budget"), "cut by the end of the budget"),
        ("neither output nor work for 60 seconds", "neither output nor work for ‹1› seconds"),
        (overheard(f"the code ran to its end and left no {CANARY}", say), "the code ran to its end and left no ‹1›"),
        ("predict gives other answers for the same rows when they are predicted alone: a row's answer may not depend on the rows beside it",) * 2,
    ):  # fmt: skip
        assert failure_text(line, share, a_brief(), a_bundle()) == told


def test_the_sentences_of_the_host_are_those_that_are_said() -> None:
    """Each is in the catalogue of what is said."""
    assert set(HOSTS) <= set(translations())


def test_what_the_writer_was_shown_is_taken_out() -> None:
    """Rows, messages and output that a model saw, unless the code or a library says the same."""
    seen = [f"| {CANARY} 31.75 LightGBM fit"]
    line = f"LightGBM fails to fit {CANARY}, which is 31.75"

    assert stored_lesson(line, a_brief(), attempt(), seen=seen).startswith("LightGBM fails to fit …, which is …")
    assert CANARY not in lesson_text(line, "summary", a_brief(), attempt(), seen=seen)


def test_a_lesson_of_a_run_that_shares_rows_is_kept_without_their_cells(tmp_path: Path) -> None:
    """The model saw a few rows as they are, and names one of them."""
    rows = table().head(5)
    store = LessonStore(tmp_path / "lessons.sqlite", warn=pytest.fail)
    told = attempt(mean=0.9, parents=("a0003",))
    brief = replace(a_brief(), past=[past(3, mean=0.8), told])
    line = f"a feature for {CANARY}4 and {rows['since'].iloc[0]} helped"
    Memory(share="rows", lessons=store).keep(brief, told, line, seen=cells_shown(rows))
    kept = [lesson.text for lesson in store.recall(Traits.of(brief.task, brief.profile), 5)]

    assert len(kept) == 1
    assert CANARY not in kept[0]
    assert "2020" not in kept[0]
    assert kept[0].endswith("helped")


def test_under_rows_a_line_stays_as_it_is_but_for_its_length() -> None:
    """Only what would harm a prompt is taken out."""
    assert lesson_text(f"{CANARY}\n is {NUMBER}", "rows", a_brief()) == f"{CANARY} is {NUMBER}"
    assert len(lesson_text("x " * 1_000, "rows", a_brief())) < 400
