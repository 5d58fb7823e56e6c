"""Questions to a person at a terminal: what the words left open, and whether to start."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from open_autoglm.columns import aligned
from open_autoglm.durations import clock, parse_duration
from open_autoglm.errors import ApprovalNeeded, InputError, Interrupted
from open_autoglm.live import Watcher
from open_autoglm.summary import attempts_text, guess_text, wishes_text
from open_autoglm.terminal import Terminal
from open_autoglm.tools.export.words import shown_name
from open_autoglm.tools.places import short
from open_autoglm.tools.task import BudgetSpec, MetricSpec, TaskSpec
from open_autoglm.tools.words import ENGLISH, Words, likely_language

if TYPE_CHECKING:
    from open_autoglm.agents.strategist import Question

Reader: TypeAlias = Callable[[str, tuple[str, ...]], str]
"""Shows a prompt, offers completions, returns the line typed. Raises KeyboardInterrupt and EOFError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """Asks through `read` while the progress view makes room."""

    terminal: Terminal
    watcher: Watcher
    read: Reader

    def ask(self, question: "Question") -> str:
        """Return the answer: one of the choices by number or by name, or other words; Enter takes the first."""
        field = shown_name(question.field, Words(language=likely_language(question.text)))
        with self.watcher.paused():
            self.terminal.tell(f"\n{question.text}")
            for number, choice in enumerate(question.choices, start=1):
                self.terminal.tell(f"  {number}  {choice}" + (f"  ({question.reason})" if number == 1 else ""))
            while True:
                answer = chosen(self._line(f"{field}? [1] ", question.choices), question.choices)
                if answer:
                    return answer

    def confirm(self, task: TaskSpec, leaves: list[str], departs: list[str]) -> TaskSpec | None:
        """Show the task, what `leaves` the machine and where the policy `departs` from the default; target, metric and time can be changed. None: do not start."""
        with self.watcher.paused():
            while True:
                for line in ("", *describe(task, leaves, departs), ""):
                    self.terminal.tell(line)
                say = Words(language=task.language)
                key = self._line(say("Enter to start, t target, m metric, b time, q quit: "), ()).lower()
                if key in ("", "y", "yes"):
                    return task
                if key in ("q", "quit", "n", "no"):
                    return None
                task = self._edited(task, key)

    def _edited(self, task: TaskSpec, key: str) -> TaskSpec:
        say = Words(language=task.language)
        if key == "t":
            target = self._line(say("target [{target}]: ", target=task.target), ())
            return task.model_copy(update={"target": target or task.target})
        if key == "m":
            metric = self._line(say("metric [{metric}]: ", metric=task.metric.name), ())
            return task.model_copy(update={"metric": MetricSpec(name=metric)}) if metric else task
        if key == "b":
            return task.model_copy(update={"budget": self._budget(task.budget, say)})
        self.terminal.tell(say("{key!r} is none of Enter, t, m, b, q.", key=key))
        return task

    def _budget(self, budget: BudgetSpec, say: Words) -> BudgetSpec:
        text = self._line(say("time, such as 60s or 10m: "), ())
        try:
            return budget.model_copy(update={"seconds": parse_duration(text)}) if text else budget
        except InputError as problem:
            self.terminal.tell(str(problem))
            return budget

    def _line(self, prompt: str, completions: tuple[str, ...]) -> str:
        try:
            return self.read(prompt, completions).strip()
        except (KeyboardInterrupt, EOFError):
            raise Interrupted("Stopped at the question; nothing was trained.") from None


def chosen(answer: str, choices: tuple[str, ...]) -> str:
    """Return the choice that an answer means: nothing is the first, a number counts from 1, other words stand."""
    if not answer:
        return choices[0] if choices else ""
    if answer.isdecimal() and 1 <= int(answer) <= len(choices) and answer not in choices:
        return choices[int(answer) - 1]
    return answer


def refuse_to_ask(question: "Question") -> str:
    """Answer where nobody can be asked.

    Raises:
        ApprovalNeeded: Always; the message holds the question and how to answer it beforehand.
    """
    say = Words(language=likely_language(question.text))
    option = {"target": "--target", "metric": "--metric"}.get(question.field)
    if not question.choices:
        raise ApprovalNeeded(say("{question} Nobody is there to answer. Say it in the prompt.", question=question.text))
    raise ApprovalNeeded(
        say(
            "{question} ({choices}) Nobody is there to answer. Say it in the prompt, use {option}, or --yes to take {guess!r}."
            if option
            else "{question} ({choices}) Nobody is there to answer. Say it in the prompt, or use --yes to take {guess!r}.",
            question=question.text,
            choices=list(question.choices[:5]),
            option=option,
            guess=question.choices[0],
        )
    )


def describe(task: TaskSpec, leaves: list[str], departs: list[str]) -> list[str]:
    """Return the task, the plan, what leaves the machine and where the policy departs from the default in a few lines."""
    say = Words(language=task.language)
    sources = [f"{short(Path(source.uri))} ({shown_name(source.role.value, say)})" for source in task.sources]
    plan = say("write and run solutions in a sandbox, score them on rows they never saw, deliver the best")
    rows = [
        (say("Predict"), f"{task.target} ({shown_name(task.task_type.value, say)})"),
        (say("Judged by"), task.metric.name),
        (say("Data"), say("{names}", names=sources) if sources else say("as given")),
        (say("Budget"), budget_text(task.budget, say)),
        (say("Plan"), plan),
    ]
    rows += [(say("Leaves"), line) for line in leaves or [say("nothing: all of it stays on this machine")]]
    rows += [(say("Sandbox"), line) for line in departs]
    if wishes := wishes_text(task):
        rows.append((say("Wishes"), wishes))
    rows += [(say("Assumed"), f"{guess_text(guess, say)}: {guess.reason}") for guess in task.guesses]
    return aligned(rows)


def budget_text(budget: BudgetSpec, say: Words = ENGLISH) -> str:
    """Return the limits in words."""
    parts = []
    if budget.seconds is not None:
        parts.append(clock(budget.seconds))
    if budget.attempts is not None:
        parts.append(attempts_text(budget.attempts, say))
    if budget.tokens is not None:
        parts.append(say("{count:,} tokens", count=budget.tokens))
    if budget.money is not None:
        parts.append(say("{money:g} for tokens", money=budget.money))
    return say("{names}", names=parts) if parts else say("10 minutes (default)")


def terminal_reader() -> Reader:
    """Return a reader with line editing and completion that draws on stderr."""
    import sys  # noqa: PLC0415

    from prompt_toolkit import PromptSession  # noqa: PLC0415 - 0.2 s that only a question pays
    from prompt_toolkit.completion import WordCompleter  # noqa: PLC0415
    from prompt_toolkit.output import create_output  # noqa: PLC0415

    session: PromptSession[str] = PromptSession(output=create_output(stdout=sys.stderr))

    def read(prompt: str, completions: tuple[str, ...]) -> str:
        completer = WordCompleter(list(completions), ignore_case=True) if completions else None
        return session.prompt(prompt, completer=completer)

    return read
