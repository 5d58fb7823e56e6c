"""A language model that plays back answers: the fake for every test above the client. Fails loudly when exhausted."""

from collections.abc import Callable, Iterable, Mapping

from pydantic import BaseModel

from open_autoglm.agents.glm.wire import Call, Purpose, Reply, Usage
from open_autoglm.errors import AutoGLMError, ScriptExhausted

Answer = str | Reply | BaseModel | AutoGLMError
Scripted = Answer | Callable[[Call], Answer]
"""An answer, an error to raise, or what makes one of the call."""

CHARS_PER_TOKEN = 4
"""What the usage of a text answer is counted by."""


class ScriptedGLM:
    """Gives its answers in order.

    Args:
        answers: In one order for all calls, or in an order for each purpose (which parallel workers do not disturb).
        name: The model's name.
        context_tokens: What it says of its context.
    """

    def __init__(
        self,
        answers: Iterable[Scripted] | Mapping[Purpose, Iterable[Scripted]],
        *,
        name: str = "scripted",
        context_tokens: int | None = 32_768,
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.calls: list[Call] = []
        """What it was asked, in order."""
        self.closed = False
        self._by_purpose = isinstance(answers, Mapping)
        scripts = answers.items() if isinstance(answers, Mapping) else [(None, answers)]
        self._scripts = {purpose: list(script) for purpose, script in scripts}
        self._given: dict[Purpose | None, int] = {}

    @property
    def left(self) -> int:
        """How many answers were not asked for."""
        return sum(len(script) - self._given.get(key, 0) for key, script in self._scripts.items())

    async def ask(self, call: Call) -> Reply:
        """Give the next answer.

        Raises:
            ScriptExhausted: There is none.
            AutoGLMError: One was scripted.
        """
        self.calls.append(call)
        key = call.purpose if self._by_purpose else None
        index = self._given.get(key, 0)
        script = self._scripts.get(key, [])
        if index >= len(script):
            raise ScriptExhausted(
                f"ScriptedGLM has no answer {index} for {call.purpose.value!r}: its script holds {len(script)}."
            )
        self._given[key] = index + 1
        scripted = script[index]
        answer = scripted(call) if callable(scripted) else scripted
        if isinstance(answer, AutoGLMError):
            raise answer
        return answer if isinstance(answer, Reply) else reply_of(call, answer, model=self.name)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def reply_of(call: Call, answer: str | BaseModel, *, model: str) -> Reply:
    """Return a reply of that text, its tokens counted by characters."""
    text = answer if isinstance(answer, str) else answer.model_dump_json()
    prompt = sum(len(message.text) for message in call.messages)
    usage = Usage(prompt=prompt // CHARS_PER_TOKEN, output=len(text) // CHARS_PER_TOKEN)
    return Reply(text=text, usage=usage, model=model)
