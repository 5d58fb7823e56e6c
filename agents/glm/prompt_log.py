"""The prompt log of a run: what was sent to a language model word for word, and what it answered.

Lines of JSON in a file that only its owner reads. A text stands once, under its hash, however often it was sent; so a log grows by
what was new. Half of a line, as a kill leaves it, is skipped. Past its size the file is put aside, and the one put aside before goes:

    {"text": "9f2c...", "is": "You write ..."}
    {"call": 12, "at": 1795300000.0, "purpose": "draft", "attempt": "a0003", "messages": [{"role": "system", "parts": ["9f2c..."]}],
     "schema": null, "thinking": 0, "max_tokens": 4096, "answer": "77ab...", "reasoning": null, "finish": "stop", "error": ""}
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from open_autoglm.agents.glm.wire import Call, Finish, Message, Purpose, Reply
from open_autoglm.events import Json

FILE_NAME = "prompts.jsonl"
MAX_BYTES = 64 << 20
MAX_KNOWN = 20_000
"""Hashes that are remembered; beyond, texts are written again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTurn:
    """One message as it was sent."""

    role: str
    parts: tuple[str, ...]
    reasoning: str = ""

    @property
    def text(self) -> str:
        """The whole message, its parts divided by an empty line, as on the wire."""
        return "\n\n".join(part for part in self.parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """One call as the log keeps it."""

    number: int
    """As in the journal."""
    at: float
    """When it was answered, in seconds since 1970."""
    purpose: Purpose
    attempt: str
    messages: tuple[LoggedTurn, ...]
    schema: Mapping[str, Json] | None
    answer: str
    reasoning: str
    finish: Finish | None
    error: str


class _Turn(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["system", "user", "assistant"]
    parts: list[str]
    reasoning: str | None = None


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    call: int
    at: float
    purpose: Purpose
    attempt: str
    messages: list[_Turn]
    schema_: str | None
    answer: str | None
    reasoning: str | None
    finish: Finish | None
    error: str


class PromptLog:
    """Writes the log of one run.

    Args:
        folder: The run directory.
        max_bytes: When the file is put aside.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._path = folder / FILE_NAME
        self._max_bytes = max_bytes
        self._known: set[str] = set()
        self._wrote = False

    def write(self, number: int, at: float, call: Call, reply: Reply | None, error: str = "") -> None:
        """Write one call: as it was sent, where the reply tells, else as it was asked."""
        sent = call if reply is None or reply.asked is None else reply.asked
        self._put_aside_if_full()
        lines: list[dict[str, Any]] = []
        line = {
            "call": number,
            "at": at,
            "purpose": call.purpose,
            "attempt": call.attempt,
            "messages": [self._turn(message, lines) for message in sent.messages],
            "schema": None if sent.schema is None else self._named(json.dumps(sent.schema), lines),
            "thinking": sent.thinking,
            "max_tokens": sent.max_tokens,
            "answer": None if reply is None else self._named(reply.text, lines),
            "reasoning": None if reply is None else self._named(reply.reasoning, lines),
            "finish": None if reply is None else reply.finish,
            "error": error,
        }
        self._append("".join(f"{json.dumps(each)}\n" for each in [*lines, line]))

    def _turn(self, message: Message, lines: list[dict[str, Any]]) -> dict[str, Any]:
        turn: dict[str, Any] = {
            "role": message.role,
            "parts": [self._named(part.text, lines) for part in message.parts],
        }
        return turn | ({"reasoning": self._named(message.reasoning, lines)} if message.reasoning else {})

    def _named(self, text: str, lines: list[dict[str, Any]]) -> str:
        """Return the hash that stands for a text; a new text gets a line."""
        name = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()
        if name not in self._known:
            self._known.add(name)
            lines.append({"text": name, "is": text})
        return name

    def _put_aside_if_full(self) -> None:
        if len(self._known) > MAX_KNOWN:
            self._known.clear()
        try:
            full = self._path.stat().st_size > self._max_bytes
        except FileNotFoundError:
            full = False
        if full:
            self._path.replace(_aside(self._path))
            self._known.clear()

    def _append(self, text: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self._path, flags, 0o600), "ab") as file:
            whole_lines = file.tell() == 0 or self._wrote
            file.write((text if whole_lines else f"\n{text}").encode())  # an earlier process may have left half a line
        self._wrote = True


def read_prompts(folder: Path) -> Iterator[LoggedCall]:
    """Yield the calls that the log of a run holds, oldest first."""
    path = folder / FILE_NAME
    for each in (_aside(path), path):
        if each.is_file():
            yield from _read(each)


def _aside(path: Path) -> Path:
    return path.with_suffix(".1.jsonl")


def _read(path: Path) -> Iterator[LoggedCall]:
    texts: dict[str, str] = {}
    with path.open(encoding="utf-8", errors="replace") as file:
        for raw in file:
            try:
                line = json.loads(raw)
                if "text" in line:
                    texts[line["text"]] = line["is"]
                else:
                    yield _logged(_Line.model_validate({**line, "schema_": line["schema"]}), texts)
            except (ValueError, KeyError, TypeError, ValidationError):  # cut by a kill
                continue


def _logged(line: _Line, texts: Mapping[str, str]) -> LoggedCall:
    messages = [
        LoggedTurn(
            role=turn.role,
            parts=tuple(texts[name] for name in turn.parts),
            reasoning=texts[turn.reasoning] if turn.reasoning else "",
        )
        for turn in line.messages
    ]
    return LoggedCall(
        number=line.call,
        at=line.at,
        purpose=line.purpose,
        attempt=line.attempt,
        messages=tuple(messages),
        schema=None if line.schema_ is None else json.loads(texts[line.schema_]),
        answer="" if line.answer is None else texts[line.answer],
        reasoning="" if line.reasoning is None else texts[line.reasoning],
        finish=line.finish,
        error=line.error,
    )
