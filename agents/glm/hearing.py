"""Listening to an answer as it comes: pieces are put together, endless ones are cut, and what the server left unsaid is counted."""

import time

from open_autoglm.agents.glm.context import answer_tokens
from open_autoglm.agents.glm.parsing import thought_and_answer
from open_autoglm.agents.glm.protocol import FINISHES, Chunk
from open_autoglm.agents.glm.repetition import Watch
from open_autoglm.agents.glm.wire import Call, Finish, Reply, Usage

MOST_CHARS_PER_TOKEN = 16
"""A server that sends more than this for each token it may generate does not keep to the limit."""
SPARE_CHARS = 4_096


class Hearing:
    """One answer in the making."""

    def __init__(self, call: Call, prompt_tokens: int) -> None:
        self._call = call
        self._prompt_tokens = prompt_tokens
        self._began = time.monotonic()
        self._first: float | None = None
        self._content = Watch()
        self._reasoning = Watch()
        self._refusal = ""
        self._pieces = 0
        self._usage: Usage | None = None
        self._model = ""
        self._most_chars = MOST_CHARS_PER_TOKEN * answer_tokens(call) + SPARE_CHARS
        self.finish: Finish | None = None
        """Why the answer ended; None while it goes on."""
        self.cut = False
        """Whether we stopped listening before the server had ended."""
        self.broke_off = ""
        """Why the server ended, where that is no end of an answer."""

    @property
    def heard(self) -> bool:
        """Whether anything was said."""
        return self._first is not None

    def take(self, chunk: Chunk) -> bool:
        """Take the next piece; return whether it held anything."""
        self._model = chunk.model or self._model
        if chunk.usage is not None:
            self._usage = chunk.usage.usage
        heard = chunk.usage is not None
        for choice in chunk.choices[:1]:
            delta = choice.delta
            if delta is not None and (delta.content or delta.reasoning or delta.refusal):
                heard = True
                self._hear(delta.content, delta.reasoning, delta.refusal)
            if choice.finish_reason:
                heard = True
                self._end(choice.finish_reason)
        return heard

    def _hear(self, content: str, reasoning: str, refusal: str) -> None:
        if self._first is None:
            self._first = time.monotonic() - self._began
        self._pieces += 1
        self._refusal += refusal[: self._most_chars - len(self._refusal)]
        if self._reasoning.repeats(reasoning) or self._content.repeats(content):
            self.finish, self.cut = Finish.REPETITION, True
        elif self._content.chars + self._reasoning.chars > self._most_chars:
            self.finish, self.cut = Finish.LENGTH, True

    def _end(self, reason: str) -> None:
        if self.finish is None:
            self.finish = FINISHES.get(reason)
            self.broke_off = "" if self.finish else reason

    def reply(self) -> Reply:
        """Return what was heard."""
        text, reasoning = self._content.sense(), self._reasoning.sense()
        if not reasoning:
            reasoning, text = thought_and_answer(text)
        finish = self.finish or Finish.STOP
        if self._refusal:
            text, finish = self._refusal, Finish.REFUSAL
        return Reply(
            text=text,
            reasoning=reasoning,
            finish=finish,
            usage=self._usage or Usage(prompt=self._prompt_tokens, output=self._pieces),
            first_token_seconds=self._first,
            model=self._model,
        )
