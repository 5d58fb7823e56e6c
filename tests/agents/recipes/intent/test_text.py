"""Reading a sentence: folding, clauses, denial, quantities, phrases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_autoglm.agents.recipes.intent.phrases import Lexicon
from open_autoglm.agents.recipes.intent.quantities import durations, number
from open_autoglm.agents.recipes.intent.text import Sentence, Span, fold, is_negated


@given(st.text())
def test_folding_keeps_the_length(text: str) -> None:
    """Spans in folded text are spans in what was typed, whatever was typed."""
    assert len(fold(text)) == len(text)


def test_full_width_characters_are_read_as_plain_ones() -> None:
    """Full-width letters, digits, brackets and quotes."""
    assert fold("ＡＵＣ（１０），“Ｘ”") == 'auc(10),"x"'


def test_names_of_files_are_blanked() -> None:
    """Nothing is read into the name of a file, and the words around it stay."""
    folded = Sentence(raw="用accuracy.csv训练, test on data/new_AUC.csv.gz").folded
    assert "accuracy" not in folded
    assert "auc" not in folded
    assert "训练" in folded


@pytest.mark.parametrize(
    ("text", "word", "denied"),
    [
        ("do not optimise accuracy, use f1", "accuracy", True),
        ("do not optimise accuracy, use f1", "f1", False),
        ("use f1 not accuracy", "accuracy", True),
        ("instead of accuracy use f1", "f1", False),
        ("accuracy is not important", "accuracy", True),
        ("not only accuracy", "accuracy", False),
        ("不要用准确率,用f1", "准确率", True),
        ("用f1而不是准确率", "准确率", True),
        ("准确率无所谓", "准确率", True),
        ("识别种类", "种类", False),
        ("时间不超过10分钟", "10分钟", False),
    ],
)
def test_denial_reaches_as_far_as_its_clause(text: str, word: str, denied: bool) -> None:  # noqa: FBT001  # a parameter of the table
    """A denial holds for what follows it up to the end of the clause, or to a word that takes it back."""
    start = text.index(word)
    assert is_negated(text, Span(start=start, end=start + len(word))) is denied


@pytest.mark.parametrize(
    ("words", "value"),
    [("12", 12), ("1,500", 1500), ("0.5", 0.5), ("half an", 0.5), ("twenty", 20), ("两", 2), ("十五", 15), ("二十", 20), ("一百二十", 120), ("三万", 30_000), ("半", 0.5)],
)  # fmt: skip
def test_numbers_are_read_in_both_languages(words: str, value: float) -> None:
    """Digits, English and Chinese numerals."""
    assert number(words) == value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("in 30s", 30), ("10m", 600), ("2 hours", 7200), ("half an hour", 1800), ("an hour and a half", 5400), ("a minute", 60), ("5 ms", 0.005),
        ("半小时", 1800), ("一个半小时", 5400), ("两小时", 7200), ("十分钟", 600), ("一百二十秒", 120), ("一刻钟", 900), ("３分钟", 180), ("20毫秒", 0.02),
    ],
)  # fmt: skip
def test_durations_are_read_in_both_languages(text: str, seconds: float) -> None:
    """The one duration of a text, in seconds."""
    (duration,) = durations(fold(text))
    assert duration.seconds == pytest.approx(seconds)


def test_a_phrase_matches_whole_words_and_the_longest_wins() -> None:
    """Beside Chinese characters too; spaces, hyphens and underscores are alike; nothing is a pattern."""
    lexicon = Lexicon({"auc": ("auc",), "pr": ("pr auc",), "odd": ("a+b (c)",)})
    assert [h.key for h in lexicon.find("用auc评估, pr-auc, pr_auc, aucs, a+b (c)")] == ["auc", "pr", "pr", "odd"]
