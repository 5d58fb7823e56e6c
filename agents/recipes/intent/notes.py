"""What was assumed and what is left to ask, gathered while a sentence is read, in the language of the sentence."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from open_autoglm.agents.recipes.intent.text import Sentence, Span, blank, is_chinese
from open_autoglm.agents.strategist import Question
from open_autoglm.tools.task import Guess

Language = Literal["en", "zh"]


@dataclass(kw_only=True)
class Notes:
    """Guesses and questions in the order they came up."""

    language: Language
    guesses: list[Guess] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def say(self, english: str, chinese: str) -> str:
        """The one of two texts that the user reads."""
        return chinese if self.language == "zh" else english

    def guess(self, name: str, value: JsonValue, english: str, chinese: str) -> None:
        """Record that a field got a value that was not said."""
        self.guesses.append(Guess(field=name, value=value, reason=self.say(english, chinese)))

    def ask(self, name: str, text: str, choices: tuple[str, ...], reason: str) -> None:
        """Record a question; texts are in the user's language already."""
        self.questions.append(Question(field=name, text=text, choices=choices, reason=reason))


def language_of(sentence: Sentence, names: Iterable[Span]) -> Language:
    """The language a sentence is written in; Chinese words between quotes, or names of columns, do not make it Chinese."""
    outside = blank(sentence.folded, [*sentence.quotes, *names])
    return "zh" if sum(map(is_chinese, outside)) >= 2 else "en"
