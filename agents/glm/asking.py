"""What an endpoint can do, found out by asking it: a schema, thinking, adapters, metrics. Nothing of the user's stands in the questions."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from open_autoglm.agents.glm.client import HttpModel
from open_autoglm.agents.glm.endpoint import Endpoint, Timing
from open_autoglm.agents.glm.serving.status import Pages, Served
from open_autoglm.agents.glm.sharing.shared import Shared, ours
from open_autoglm.agents.glm.wire import Call, LanguageModel, Message, Part, Purpose, Reply
from open_autoglm.events import Json

PATIENCE = Timing(first_token_seconds=60.0, call_seconds=90.0, retries=1)
"""For a check-up: an endpoint that is slower is told of, not waited for."""
CAP_TOKENS = 16
CAP_SLACK = 16
"""A template that does not open the thinking itself lets the model run on for some tokens."""
SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {"greeting": {"enum": ["hello", "good day"]}, "polite": {"type": "boolean"}},
    "required": ["greeting", "polite"],
    "additionalProperties": False,
}
"""Nothing in it can grow, so that even nonsense comes to an end."""
ANSWER_TOKENS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What was found."""

    models: Sequence[Served]
    asked: str
    """The name of the model that was asked."""
    obeys_schema: bool
    can_stop_thinking: bool
    thinks: bool
    caps_thinking: bool
    adapters: Sequence[str]
    loads_adapters: bool
    """Whether LoRA adapters can be loaded while it runs."""
    metrics: bool
    """Whether it shows metrics of vLLM."""

    @property
    def suits(self) -> bool:
        """Whether decisions can be had from it without detours."""
        return self.obeys_schema and self.can_stop_thinking

    def as_text(self) -> str:
        """Return it for a reader, with what follows from it."""
        parts = [
            "answers obey a JSON schema"
            if self.obeys_schema
            else "answers do not obey a JSON schema, so that some have to be asked for twice",
            self._thinking(),
            self._lora(),
            "metrics of vLLM" if self.metrics else "no metrics",
        ]
        return f"serves {self._served()}; {'; '.join(parts)}."

    def _served(self) -> str:
        told = [
            f"{model.name} (context {'unknown' if model.context_tokens is None else f'{model.context_tokens:,} tokens'})"
            for model in self.models
        ]
        return ", ".join(told) or self.asked

    def _thinking(self) -> str:
        if not self.can_stop_thinking:
            return "it thinks also where it should not: set the model's reasoning parser (--reasoning-parser), or expect long answers"
        if not self.thinks:
            return "it does not think before it answers"
        if not self.caps_thinking:
            return "thinking can be switched off, and not capped: a cap on its tokens is not heeded"
        return "thinking can be switched off and capped"

    def _lora(self) -> str:
        loaded = f"LoRA adapters: {', '.join(self.adapters)}" if self.adapters else "no LoRA adapters"
        return loaded + (", and more can be loaded" if self.loads_adapters else "")

    def as_details(self) -> dict[str, str]:
        """Return it for a program."""
        flags = {
            "schema": self.obeys_schema,
            "thinking_off": self.can_stop_thinking,
            "thinks": self.thinks,
            "thinking_capped": self.caps_thinking,
            "lora_loading": self.loads_adapters,
            "metrics": self.metrics,
        }
        contexts = {f"context {model.name}": str(model.context_tokens or "unknown") for model in self.models}
        told = {name: "yes" if flag else "no" for name, flag in flags.items()}
        return {"model": self.asked, **contexts, **told, "adapters": ", ".join(self.adapters)}


def ask_endpoint(endpoint: Endpoint) -> Abilities:
    """Ask an endpoint what it can do; takes as long as two short answers.

    Raises:
        EndpointFailed: Nobody answers, or not as the protocol says.
    """

    async def both() -> Abilities:
        model = HttpModel(replace(endpoint, timing=PATIENCE))
        try:
            return await find_abilities(model, pages)
        finally:
            await model.close()

    with Pages(endpoint) as pages:
        return asyncio.run(both())


async def find_abilities(model: LanguageModel, pages: Pages) -> Abilities:
    """Ask a model two questions, and its server for the rest.

    Raises:
        EndpointFailed: Nobody answers, or not as the protocol says.
    """
    models, adapters = await asyncio.to_thread(pages.served)
    plain = await model.ask(_call(ours("Say hello in plain words. Write no JSON."), schema=SCHEMA, thinking=0))
    capped = await model.ask(
        _call(ours("What is 17 times 23? Think it through step by step."), schema=None, thinking=CAP_TOKENS)
    )
    thought = _thought(capped)
    return Abilities(
        models=models,
        asked=model.name,
        obeys_schema=_obeys(plain.text),
        can_stop_thinking=not _thought(plain),
        thinks=thought > 0,
        caps_thinking=0 < thought <= CAP_TOKENS + CAP_SLACK,
        adapters=adapters,
        loads_adapters=await asyncio.to_thread(pages.loads_adapters),
        metrics=await asyncio.to_thread(pages.counts) is not None,
    )


def _call(text: Shared, *, schema: Mapping[str, Json] | None, thinking: int) -> Call:
    return Call(
        purpose=Purpose.REFLECT,
        messages=[Message(role="user", parts=[Part(text=text)])],
        schema=schema,
        thinking=thinking,
        max_tokens=ANSWER_TOKENS,
        temperature=0.0,
        seed=0,
    )


def _thought(reply: Reply) -> int:
    """Return the tokens of thinking, reckoned from the text where the server does not count them."""
    shown = reply.reasoning or (reply.text if "<think>" in reply.text or "</think>" in reply.text else "")
    return reply.usage.reasoning or len(shown) // 3


def _obeys(text: str) -> bool:
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    if not isinstance(answer, dict) or set(answer) != {"greeting", "polite"}:
        return False
    return answer["greeting"] in ("hello", "good day") and isinstance(answer["polite"], bool)
