"""Decisions: a question whose answer obeys a schema, and what is done when the answer does not.

The order of patience: the answer as it stands; the answer read tolerantly; one repair turn that shows the error; its answer read
tolerantly; then `UnusableReply`, which names what was wrong.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from open_autoglm.agents.glm.parsing import MAX_CHARS, values_in, without_thinking
from open_autoglm.agents.glm.sharing import from_model, phrase
from open_autoglm.agents.glm.wire import Call, Finish, LanguageModel, Message, Part, Reply
from open_autoglm.errors import UnusableReply
from open_autoglm.events import Json

AnswerT = TypeVar("AnswerT", bound=BaseModel)

SHOWN_PROBLEMS = 5
LONGEST_ECHO = 4_000
"""Characters of a bad answer that its repair turn shows again."""


async def decide(model: LanguageModel, call: Call, answer: type[AnswerT]) -> AnswerT:
    """Ask for an object of the class `answer`; `call.schema` is made from it.

    Raises:
        UnusableReply: Neither the first answer nor the second was one, or the model declined.
        EndpointFailed: Nobody answered.
    """
    call = replace(call, schema=schema_of(answer))
    reply = await model.ask(call)
    found, problem = read(reply, answer)
    if found is not None:
        return found
    reply = await model.ask(repair_call(call, reply, problem))
    found, again = read(reply, answer)
    if found is not None:
        return found
    raise UnusableReply(
        f"The model's answer for {call.purpose.value} could not be used. First: {problem} After it was told so: {again}"
    )


def read(reply: Reply, answer: type[AnswerT]) -> tuple[AnswerT | None, str]:
    """Return the answer in a reply, or None and what is wrong with it, as sentences for the model.

    Raises:
        UnusableReply: The model declined to answer; asking again would not change that.
    """
    if reply.finish is Finish.REFUSAL:
        raise UnusableReply(f"The model declined to answer: {_one_line(reply.text) or 'it gave no reason'}.")
    try:
        return answer.model_validate_json(reply.text), ""
    except ValidationError as error:
        problem = _explained(error)
    nearest = ""
    for value in values_in(reply.text):
        try:
            return answer.model_validate_json(json.dumps(value)), ""
        except ValidationError as error:
            nearest = nearest or _explained(error)
    return None, _whole_problem(reply, nearest or problem)


def repair_call(call: Call, reply: Reply, problem: str) -> Call:
    """Return the call that shows a bad answer and its problem, without thinking: what to say is known by now."""
    told = phrase(
        "This answer cannot be used. {problem}\n"
        "Answer again with one JSON object that obeys the schema, and nothing else.",
        problem=from_model(problem),
    )
    turns = [
        Message(role="assistant", parts=[Part(text=from_model(_echo(reply.text)))]),
        Message(role="user", parts=[Part(text=told)]),
    ]
    return replace(call, messages=[*call.messages, *turns], thinking=0)


def schema_of(answer: type[BaseModel]) -> Mapping[str, Json]:
    """Return the JSON Schema of a class as strict endpoints want it: every field is required, no other is allowed."""
    schema = answer.model_json_schema()
    _make_strict(schema)
    return schema


def _make_strict(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _make_strict(item)
    if not isinstance(node, dict):
        return
    fields = node.get("properties")
    if isinstance(fields, dict):
        node["required"] = list(fields)
        node["additionalProperties"] = False
        for field in fields.values():
            _make_strict(field)
    for name, child in node.items():
        if name not in ("properties", "enum", "const", "required", "examples"):
            for grandchild in child.values() if name == "$defs" else [child]:
                _make_strict(grandchild)
    node.pop("default", None)
    node.pop("title", None)


def _explained(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    if problems[0]["type"] == "json_invalid":
        return f"It is not JSON: {problems[0]['msg'].removeprefix('Invalid JSON: ')}."
    told = [f"{_place(problem['loc'])}: {_one_line(problem['msg'])}." for problem in problems[:SHOWN_PROBLEMS]]
    more = [f"And {len(problems) - len(told)} more."] if len(problems) > len(told) else []
    return " ".join(told + more)


def _place(location: tuple[int | str, ...]) -> str:
    return _one_line(".".join(map(str, location))) or "the answer"


def _whole_problem(reply: Reply, problem: str) -> str:
    said = without_thinking(reply.text[:MAX_CHARS])
    if not said.strip():
        problem = "It is empty."
    elif "{" not in said:
        problem = "It holds no JSON object."
    if reply.finish is Finish.LENGTH:
        return f"It was cut off after {reply.usage.output} tokens: be shorter. {problem}"
    if reply.finish is Finish.REPETITION:
        return f"It repeated itself without end. {problem}"
    return problem


def _echo(text: str) -> str:
    text = without_thinking(text[:MAX_CHARS]).strip()
    if len(text) > LONGEST_ECHO:
        half = LONGEST_ECHO // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return text or "(no answer)"


def _one_line(text: str) -> str:
    return " ".join(text[:400].split())[:200].rstrip(".")
