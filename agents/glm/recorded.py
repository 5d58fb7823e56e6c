"""A language model's answers on file: recorded from one that is asked, or written by hand, and replayed.

An answer is found by its purpose and its place among the answers of that purpose, not by the prompt: prompts may be worded anew
without recording again. A recording is lines of JSON, the first of them its header:

    {"format": "open-autoglm-recording", "version": 1, "model": "glm-4.7", "context_tokens": 131072}
    {"purpose": "plan", "answer": {"ideas": ["..."]}}
    {"purpose": "draft", "lines": ["solution.py", "```python", "import pandas as pd", "```"]}
    {"purpose": "repair", "text": "...", "reasoning": "...", "finish": "stop", "usage": {"prompt": 900, "output": 40}}
    {"purpose": "reflect", "error": "no answer within 60 s"}

`answer`, `lines` and `text` are three ways to write what was said: an object, lines, or one string. `error` is an endpoint that failed.
Version 1 is all there is; a reader refuses a version that it does not know, and keys that it does not know.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from open_autoglm.agents.glm.scripted import reply_of
from open_autoglm.agents.glm.wire import Call, Finish, LanguageModel, Purpose, Reply, Usage
from open_autoglm.errors import EndpointFailed, InputError, ScriptExhausted

FORMAT = "open-autoglm-recording"
VERSION = 1
_WAYS = ("text", "lines", "answer", "error")


class _OnFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(_OnFile):
    """What a recording says of itself."""

    format: Literal["open-autoglm-recording"]
    version: Literal[1]
    model: Annotated[str, Field(min_length=1)]
    context_tokens: Annotated[int, Field(gt=0)] | None = None
    note: str = ""
    """For readers: what was recorded, by whom it was written."""


class _Tokens(_OnFile):
    prompt: Annotated[int, Field(ge=0)] = 0
    cached: Annotated[int, Field(ge=0)] = 0
    output: Annotated[int, Field(ge=0)] = 0
    reasoning: Annotated[int, Field(ge=0)] = 0


class Entry(_OnFile):
    """One answer."""

    purpose: Purpose
    text: str | None = None
    lines: Sequence[str] | None = None
    answer: Mapping[str, JsonValue] | None = None
    error: str | None = None
    reasoning: str = ""
    finish: Finish = Finish.STOP
    usage: _Tokens | None = None
    """None is counted by characters."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    note: str = ""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = [name for name in _WAYS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"one of {', '.join(_WAYS)} must be there, not {' and '.join(given) or 'none'}")
        return self

    @property
    def said(self) -> str:
        """What was answered, as text."""
        if self.lines is not None:
            return "\n".join(self.lines)
        return json.dumps(self.answer, ensure_ascii=False) if self.answer is not None else self.text or ""


class RecordedGLM:
    """Replays a recording.

    Args:
        path: The file.

    Raises:
        InputError: It cannot be read, or is no recording; the message names the line.
    """

    def __init__(self, path: Path) -> None:
        header, entries = read_recording(path)
        self.name = header.model
        self.context_tokens = header.context_tokens
        self._path = path
        self._entries: dict[Purpose, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._entries[entry.purpose].append(entry)
        self._given: dict[Purpose, int] = defaultdict(int)

    @property
    def left(self) -> Mapping[Purpose, int]:
        """How many answers of each purpose were not asked for."""
        left = {purpose: len(entries) - self._given[purpose] for purpose, entries in self._entries.items()}
        return {purpose: count for purpose, count in left.items() if count}

    async def ask(self, call: Call) -> Reply:
        """Give the next answer of the call's purpose.

        Raises:
            ScriptExhausted: There is none; the message names purpose and place.
            EndpointFailed: It was recorded.
        """
        index, entries = self._given[call.purpose], self._entries[call.purpose]
        if index >= len(entries):
            raise ScriptExhausted(
                f"{self._path.name} has no answer {index} for {call.purpose.value!r}: it holds {len(entries)} of them."
            )
        self._given[call.purpose] += 1
        return _replayed(entries[index], call, self.name)

    async def close(self) -> None:
        """Nothing is open."""


class RecordingGLM:
    """Passes calls on and records the answers.

    Args:
        model: Who answers.
        path: A new file.

    Raises:
        InputError: The file is there already, or cannot be written.
    """

    def __init__(self, model: LanguageModel, path: Path) -> None:
        self._model = model
        self._lock = threading.Lock()
        try:
            self._file = path.open("x", encoding="utf-8")
        except OSError as error:
            raise InputError(f"Cannot record to {str(path)!r}: {error.strerror or error}. Name a new file.") from error
        self._begun = False

    @property
    def name(self) -> str:
        """The served model's name."""
        return self._model.name

    @property
    def context_tokens(self) -> int | None:
        """Tokens that prompt and answer may take together."""
        return self._model.context_tokens

    async def ask(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            EndpointFailed: Nobody answered; that is recorded, too.
        """
        try:
            reply = await self._model.ask(call)
        except EndpointFailed as error:
            self._write({"purpose": call.purpose, "error": str(error)})
            raise
        usage = reply.usage
        tokens = {"prompt": usage.prompt, "cached": usage.cached, "output": usage.output, "reasoning": usage.reasoning}
        entry = {"purpose": call.purpose, "text": reply.text, "reasoning": reply.reasoning, "finish": reply.finish}
        self._write({**entry, "usage": tokens, "seconds": round(reply.seconds, 3)})
        return reply

    async def close(self) -> None:
        """Close the model and the file."""
        await self._model.close()
        self._file.close()

    def _write(self, entry: Mapping[str, Any]) -> None:
        header = {"format": FORMAT, "version": VERSION, "model": self.name, "context_tokens": self.context_tokens}
        with self._lock:
            for line in [entry] if self._begun else [header, entry]:
                self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._begun = True
            self._file.flush()


def read_recording(path: Path) -> tuple[Header, Sequence[Entry]]:
    """Read a recording.

    Raises:
        InputError: It cannot be read, or is no recording; the message names the line.
    """
    try:
        lines = [(number, line) for number, line in enumerate(path.read_text("utf-8").split("\n"), 1) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The recording {str(path)!r} cannot be read ({error}).") from error
    if not lines:
        raise InputError(f"The recording {str(path)!r} is empty; it begins with a header: see agents/glm/recorded.py.")
    number = 0
    try:
        number, first = lines[0]
        header = Header.model_validate_json(first)
        entries = []
        for number, line in lines[1:]:  # noqa: B007  # names the line of an error
            entries.append(Entry.model_validate_json(line))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        told = f"{where}: {problem['msg']}" if where else problem["msg"]
        raise InputError(f"The recording {str(path)!r} cannot be used, line {number}: {told}.") from error
    return header, entries


def _replayed(entry: Entry, call: Call, model: str) -> Reply:
    if entry.error is not None:
        raise EndpointFailed(entry.error)
    counted = reply_of(call, entry.said, model=model)
    usage = counted.usage if entry.usage is None else Usage(**entry.usage.model_dump())
    return Reply(
        text=entry.said,
        reasoning=entry.reasoning,
        finish=entry.finish,
        usage=usage,
        seconds=entry.seconds,
        model=model,
    )
