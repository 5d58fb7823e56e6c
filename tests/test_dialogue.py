"""Questions to a person: what an answer means, and how to leave."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TypeAlias

import pytest

from open_autoglm.agents.strategist import Question
from open_autoglm.dialogue import Dialogue, Reader, budget_text, chosen, describe, refuse_to_ask
from open_autoglm.errors import ApprovalNeeded, Interrupted
from open_autoglm.live import SilentView, Watcher
from open_autoglm.scripted_engine import example_task
from open_autoglm.terminal import Terminal
from open_autoglm.tools.task import BudgetSpec, Guess

QUESTION = Question(field="target", text="Which column?", choices=("y", "z"), reason="it is last")


def typed(lines: Sequence[str | type[BaseException]]) -> Reader:
    """Return a reader that types these lines."""
    script: Iterator[str | type[BaseException]] = iter(lines)

    def read(prompt: str, completions: tuple[str, ...]) -> str:
        line = next(script)
        if isinstance(line, str):
            return line
        raise line

    return read


Talk: TypeAlias = Callable[..., tuple[Dialogue, io.StringIO]]


@pytest.fixture
def dialogue() -> Iterator[Talk]:
    """Make dialogues with a person who types the given lines, and what that person sees."""
    with ExitStack() as open_watchers:

        def make(*lines: str | type[BaseException]) -> tuple[Dialogue, io.StringIO]:
            err = io.StringIO()
            terminal = Terminal(io.StringIO(), err, io.StringIO())
            watcher = open_watchers.enter_context(Watcher(SilentView(terminal)))
            return Dialogue(terminal=terminal, watcher=watcher, read=typed(lines)), err

        yield make


@pytest.mark.parametrize(
    ("line", "answer"), [("", "y"), ("1", "y"), ("2", "z"), (" z ", "z"), ("other", "other"), ("9", "9")]
)
def test_an_answer_is_a_number_a_choice_or_other_words(dialogue: Talk, line: str, answer: str) -> None:
    """Enter takes the first choice."""
    talk, seen = dialogue(line)
    assert talk.ask(QUESTION) == answer
    assert "1  y  (it is last)" in seen.getvalue()


def test_a_number_that_is_itself_a_choice_stands() -> None:
    """Where the choices are numbers, typing one means that number."""
    assert chosen("1", ("0", "1")) == "1"


@pytest.mark.parametrize("key", [KeyboardInterrupt, EOFError])
def test_leaving_at_a_question_interrupts(dialogue: Talk, key: type[BaseException]) -> None:
    """Ctrl-C and Ctrl-D end the run before it began."""
    talk, _ = dialogue(key)
    with pytest.raises(Interrupted):
        talk.ask(QUESTION)


def test_nobody_to_ask_names_the_option() -> None:
    """The error holds the question, its choices, and how to answer beforehand."""
    with pytest.raises(ApprovalNeeded, match=r"Which column\? \(y, z\).*--target.*--yes"):
        refuse_to_ask(QUESTION)
    with pytest.raises(ApprovalNeeded, match="Say it in the prompt"):
        refuse_to_ask(Question(field="horizon", text="How far?", choices=(), reason=""))


def test_confirm_starts_or_quits(dialogue: Talk) -> None:
    """Enter starts as shown, q does not."""
    task = example_task()
    talk, seen = dialogue("")
    assert talk.confirm(task, [], []) == task
    assert "Leaves     nothing" in seen.getvalue()
    talk, _ = dialogue("q")
    assert talk.confirm(task, [], []) is None


def test_confirm_edits_target_metric_and_time(dialogue: Talk) -> None:
    """Each can be changed before the start; an empty line changes nothing, a bad one is explained."""
    talk, seen = dialogue("t", "z", "t", "", "m", "f1", "m", "", "b", "soon", "b", "2m", "b", "", "x", "")
    edited = talk.confirm(example_task(), ["summary to glm"], ["limits.processes: 9"])
    assert edited is not None
    assert (edited.target, edited.metric.name, edited.budget.seconds) == ("z", "f1", 120.0)
    for words in ("not a duration", "'x' is none of", "Leaves     summary to glm"):
        assert words in seen.getvalue()


def test_the_description_tells_guesses_and_limits() -> None:
    """What was assumed is shown before it costs anything."""
    guess = Guess(field="metric", value="roc_auc", reason="usual for two classes")
    task = example_task().model_copy(update={"guesses": [guess]})
    assert any("usual for two classes" in line for line in describe(task, [], []))
    everything = BudgetSpec(seconds=90, attempts=3, tokens=5, money=0.5)
    assert budget_text(everything) == "1:30, 3 attempts, 5 tokens, 0.5 for tokens"
