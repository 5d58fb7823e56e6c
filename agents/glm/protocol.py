"""The part of the OpenAI protocol that is spoken: what a call looks like on the wire, and what of an answer is read.

Endpoints differ. Fields that some refuse are named in `OPTIONAL`, so that the client can leave them out; both spellings of
reasoning are read; whatever else an answer holds is ignored.
"""

import json
from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from open_autoglm.agents.glm.context import thinking_tokens
from open_autoglm.agents.glm.wire import Call, Finish, Message, Usage

OPTIONAL = (
    "thinking_token_budget",
    "chat_template_kwargs",
    "seed",
    "stream_options",
    "temperature",
    "response_format",
    "max_tokens",
    "reasoning",
)
"""What an endpoint may refuse, likeliest first. Without `max_tokens` the newer name is used; without `response_format` the schema
stands in the prompt; `reasoning` is the field of earlier turns."""

FINISHES = {
    "stop": Finish.STOP,
    "eos": Finish.STOP,
    "tool_calls": Finish.STOP,
    "function_call": Finish.STOP,
    "length": Finish.LENGTH,
    "content_filter": Finish.REFUSAL,
    "sensitive": Finish.REFUSAL,
    "repetition": Finish.REPETITION,
}
"""Any other reason is a server that broke off."""


def _text(value: object) -> object:
    return "" if value is None else value


def _number(value: object) -> object:
    return 0 if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
Count = Annotated[int, Field(ge=0), BeforeValidator(_number)]


class _Received(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Delta(_Received):
    """A piece of an answer, or the whole of it."""

    content: Text = ""
    reasoning: Annotated[Text, Field(validation_alias=AliasChoices("reasoning", "reasoning_content"))] = ""
    refusal: Text = ""


class Choice(_Received):
    """One of the answers; only one is asked for."""

    delta: Annotated[Delta | None, Field(validation_alias=AliasChoices("delta", "message"))] = None
    finish_reason: str | None = None


class _PromptDetails(_Received):
    cached_tokens: Count = 0


class _OutputDetails(_Received):
    reasoning_tokens: Count = 0


class Counted(_Received):
    """What the server counted."""

    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _OutputDetails | None = None

    @property
    def usage(self) -> Usage:
        """The same in our words; parts are never more than the whole."""
        cached = self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0
        reasoning = self.completion_tokens_details.reasoning_tokens if self.completion_tokens_details else 0
        return Usage(
            prompt=self.prompt_tokens,
            cached=min(cached, self.prompt_tokens),
            output=self.completion_tokens,
            reasoning=min(reasoning, self.completion_tokens),
        )


class Chunk(_Received):
    """One event of a stream, or a whole answer of an endpoint that does not stream."""

    choices: Annotated[list[Choice], BeforeValidator(lambda value: [] if value is None else value)] = []
    usage: Counted | None = None
    model: Text = ""


class ServedModel(_Received):
    """One model of the endpoint's list."""

    id: str
    parent: str | None = None
    """Of an adapter: the model that it was made for."""
    context_tokens: Annotated[
        int | None,
        Field(validation_alias=AliasChoices("max_model_len", "context_length", "context_window", "max_context_length")),
    ] = None


class ServedModels(_Received):
    """What `/models` answers."""

    data: list[ServedModel]


class Tokenized(_Received):
    """What `/tokenize` answers."""

    count: Annotated[int, Field(ge=0)]


def body_of(call: Call, model: str, refused: Collection[str]) -> dict[str, Any]:
    """Return the request for a call, without what the endpoint refuses."""
    messages = [_message(message, with_reasoning="reasoning" not in refused) for message in call.messages]
    if call.schema is not None and "response_format" in refused:
        messages[-1]["content"] += f"\n\n{_schema_in_words(call.schema)}"
    limit = call.max_tokens + thinking_tokens(call)
    body: dict[str, Any] = {
        "model": model,
        "messages": messages,
        "stream": True,
        "max_completion_tokens" if "max_tokens" in refused else "max_tokens": limit,
    }
    wished = {
        "temperature": call.temperature,
        "seed": call.seed,
        "stream_options": {"include_usage": True},
        "response_format": None if call.schema is None else _response_format(call),
        "chat_template_kwargs": None if call.thinking is None else {"enable_thinking": call.thinking > 0},
        "thinking_token_budget": call.thinking or None,
    }
    return body | {name: value for name, value in wished.items() if value is not None and name not in refused}


def sent_options(body: Mapping[str, Any]) -> list[str]:
    """Return which of the optional fields a request holds, in the order of `OPTIONAL`."""
    present = {*body}
    if any("reasoning" in message for message in body["messages"]):
        present.add("reasoning")
    return [name for name in OPTIONAL if name in present]


def _message(message: Message, *, with_reasoning: bool) -> dict[str, str]:
    sent = {"role": message.role, "content": message.text}
    if message.role == "assistant" and message.reasoning and with_reasoning:
        sent["reasoning"] = message.reasoning
    return sent


def _response_format(call: Call) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": call.purpose.value, "strict": True, "schema": call.schema},
    }


def _schema_in_words(schema: Mapping[str, Any]) -> str:
    return f"Answer with one JSON object, and nothing else, that obeys this JSON Schema:\n{json.dumps(schema, ensure_ascii=False)}"
