"""What users read, in the language of their run.

A message is an English template with named values; the template is its id, and `zh.json` holds what stands for it in
Chinese. What is recorded (warnings, checks, lessons, reasons) is said in the run's language when it is recorded. Where that
language is not known yet, `said` keeps template and values, and `in_language` says them again where it is. Names that
programs read (JSON keys, event names, metrics, options) are never messages.
"""

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

Language = Literal["en", "zh"]
_FORMATTER: Final = string.Formatter()
CATALOGUE = Path(__file__).with_name("zh.json")
_COMMAS: Final[Mapping[Language, str]] = {"en": ", ", "zh": "、"}


class Message(str):
    """An English sentence that remembers what it was made from. To everybody else it is a text like any other."""

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> "Message":
        """Make the English sentence."""
        made = super().__new__(cls, _filled(template, values, "en"))
        made.template, made.values = template, values
        return made


def said(template: str, /, **values: object) -> str:
    """Return a message in English that `in_language` can say in another language.

    Args:
        template: The English text, with `{name}` where a value stands.
        values: What stands there: plain values, other messages, or lists of names, which are joined by commas.
    """
    return Message(template, values)


def listed_names(names: Sequence[str], most: int) -> str:
    """Return a message of the first names, and how many more there are."""
    more = len(names) - most
    if more <= 0:
        return said("{names}", names=list(names))
    return said("{names} and {count} more", names=list(names[:most]), count=more)


def in_language(text: str, language: Language) -> str:
    """Return a message in a language; a text that is no message comes back as it is."""
    if not isinstance(text, Message):
        return str(text)
    return Words(language=language)(text.template, **text.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Says messages in one language. A template without a translation is said in English."""

    language: Language

    @property
    def gap(self) -> str:
        """What stands between two sentences."""
        return "" if self.language == "zh" else " "

    def __call__(self, template: str, /, **values: object) -> str:
        """Return the text; see `said` for the arguments."""
        found = template if self.language == "en" else translations().get(template, template)
        return _filled(found, values, self.language)


def likely_language(prompt: str) -> Language:
    """Return the language a request is probably written in, before its names are told from its words."""
    return "zh" if sum(map(_is_chinese, prompt)) >= 2 else "en"


ENGLISH: Final = Words(language="en")


@cache
def translations() -> Mapping[str, str]:
    """Return the Chinese templates by their English ones."""
    found: dict[str, str] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return found


def _filled(template: str, values: Mapping[str, object], language: Language) -> str:
    shown = {name: _value(value, language) for name, value in values.items()}
    if language == "en":
        return template.format(**shown)
    text = ""
    for literal, name, form, conversion in _FORMATTER.parse(template):
        text = _beside(text, literal)
        if name:
            text = _beside(text, _FORMATTER.format_field(_FORMATTER.convert_field(shown[name], conversion), form or ""))
    return text


def _beside(left: str, right: str) -> str:
    """Join two parts of a Chinese sentence: between Chinese and Latin letters or numbers stands a space."""
    one, other = left[-1:], right[:1]
    apart = (_is_chinese(one) and _is_latin(other)) or (_is_latin(one) and _is_chinese(other))
    return f"{left} {right}" if apart else left + right


def _is_chinese(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _value(value: object, language: Language) -> object:
    if isinstance(value, Message):
        return in_language(value, language)
    if isinstance(value, list | tuple):
        return _COMMAS[language].join(str(_value(item, language)) for item in value)
    return value
