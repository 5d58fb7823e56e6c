"""The client: what is asked on the wire, what is understood of an answer, and what fits."""

from typing import Any

import pytest
from tests.agents.glm.talk import Talk, call

from open_autoglm.agents.glm import faults
from open_autoglm.agents.glm.faults import Script, Turn
from open_autoglm.agents.glm.wire import Call, Finish, Message, Part
from open_autoglm.errors import EndpointFailed, PromptTooLong

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


# --- what is asked and understood ---------------------------------------------------------------------------------------


def test_an_answer_is_heard_whole(talk: Talk) -> None:
    """Text, reasoning, tokens by kind and times, in the words of the wire."""
    usage = {
        "prompt_tokens": 50,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 48},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    reply = talk(faults.says("Trees first. 先用树。", reasoning="Let me see.", usage=usage, piece_chars=3))

    assert (reply.text, reply.reasoning, reply.finish) == ("Trees first. 先用树。", "Let me see.", Finish.STOP)
    assert (reply.usage.prompt, reply.usage.cached, reply.usage.output, reply.usage.reasoning) == (50, 48, 20, 7)
    assert (reply.model, reply.retries) == (faults.MODEL, 0)
    assert reply.first_token_seconds is not None
    assert 0 < reply.first_token_seconds <= reply.seconds < 5


@pytest.mark.parametrize(
    "turn",
    [
        faults.says("yes", reasoning="hm", spelling="reasoning_content"),
        faults.says("<think>hm</think>\n\nyes"),
        faults.says("hm\n</think>\nyes"),
    ],
)
def test_reasoning_is_kept_apart_however_it_is_spelled(talk: Talk, turn: Turn) -> None:
    """The older field, and thinking that a server without a parser left in the answer."""
    reply = talk(turn)

    assert (reply.text, reply.reasoning) == ("yes", "hm")


@pytest.mark.parametrize(
    ("thinking", "sent"),
    [
        (0, {"chat_template_kwargs": {"enable_thinking": False}, "max_tokens": 500}),
        (300, {"chat_template_kwargs": {"enable_thinking": True}, "thinking_token_budget": 300, "max_tokens": 800}),
        (None, {"max_tokens": 500 + 8192}),
    ],
)
def test_thinking_is_off_capped_or_free(talk: Talk, thinking: int | None, sent: dict[str, Any]) -> None:
    """Each as vLLM knows it; the cap comes on top of the answer's."""
    talk(faults.says("ok"), calls=[call(thinking=thinking, max_tokens=500)])
    fields = ("chat_template_kwargs", "thinking_token_budget", "max_tokens")

    assert {name: value for name, value in talk.bodies[0].items() if name in fields} == sent


def test_a_schema_is_asked_for_strictly(talk: Talk) -> None:
    """By response_format on chat completions, and streamed with usage."""
    talk(faults.says('{"a": 1}'), calls=[call(schema=SCHEMA, seed=3)])
    body = talk.bodies[0]

    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "plan", "strict": True, "schema": SCHEMA},
    }
    assert (body["stream"], body["stream_options"], body["seed"]) == (True, {"include_usage": True}, 3)


def test_an_endpoint_that_does_not_stream_is_understood(talk: Talk) -> None:
    """The whole answer in one piece of JSON."""
    reply = talk(faults.says_at_once("all of it"))

    assert (reply.text, reply.usage.prompt, reply.finish) == ("all of it", 100, Finish.STOP)


def test_connections_are_used_again(talk: Talk) -> None:
    """Calls after each other do not connect anew."""
    talk(*[faults.says("ok")] * 5, calls=[call()] * 5)

    assert talk.server.connections == 1


def test_a_turn_of_the_model_is_sent_back_with_its_reasoning(talk: Talk) -> None:
    """What it thought belongs to what it said."""
    messages = [
        *call().messages,
        Message(role="assistant", parts=[Part(text="a")], reasoning="because"),
        *call().messages,
    ]
    talk(faults.says("ok"), calls=[call(messages=messages)])

    assert talk.bodies[0]["messages"][1] == {"role": "assistant", "content": "a", "reasoning": "because"}


def test_the_served_model_is_taken_where_none_is_named(talk: Talk) -> None:
    """The first that is no adapter, with the context that it has."""
    models = [{"id": "lora", "parent": "glm"}, {"id": "glm", "max_model_len": 9000}]
    talk(faults.says("ok"), model=None, models=models)

    assert talk.model is not None
    assert (talk.model.name, talk.model.context_tokens, talk.bodies[0]["model"]) == ("glm", 9000, "glm")


@pytest.mark.parametrize("listed", [faults.complains(404), faults.complains(405), faults.sends(b"<html>", content_type="text/html"), faults.sends(b"[[[", content_type="application/json")])  # fmt: skip
def test_an_endpoint_without_a_list_is_asked_for_the_model_that_is_named(talk: Talk, listed: Turn) -> None:
    """Nothing is known of its context, and none is assumed; where no model is named, that is what is missing."""
    assert talk(faults.says("ok"), models=listed).text == "ok"
    assert talk.model is not None
    assert talk.model.context_tokens is None
    with pytest.raises(EndpointFailed, match="--model"):
        talk(faults.says("ok"), models=listed, model=None)


def test_an_endpoint_that_serves_nothing_is_named(talk: Talk) -> None:
    """There is nothing to ask."""
    with pytest.raises(EndpointFailed, match="serves no model"):
        talk(models=[], model=None)


# --- endpoints that refuse fields ----------------------------------------------------------------------------------------


def refusing(*fields: str, named: bool = True) -> Script:
    """Return a turn that refuses requests with one of the fields, and answers the rest."""

    def turn(request: Any) -> Turn:
        found = [name for name in fields if name in request.body]
        if not found:
            return faults.says("ok")
        return faults.complains(400, f"Unrecognized request argument: {found[0]}" if named else "bad request")

    return turn


@pytest.mark.parametrize("named", [True, False])
def test_a_refused_field_is_learned_once(talk: Talk, named: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Whether the endpoint names it or not, later calls do without it."""
    turn = refusing("chat_template_kwargs", "thinking_token_budget", named=named)
    talk(*[turn] * 9, calls=[call(thinking=100), call(thinking=100)])
    asked = len(talk.bodies)

    assert talk.replies[-1].text == "ok"
    assert asked == (4 if named else 3)
    assert "chat_template_kwargs" not in talk.bodies[-1]


def test_without_response_format_the_schema_stands_in_the_prompt(talk: Talk) -> None:
    """So that the model still knows what to answer."""
    talk(*[refusing("response_format")] * 2, calls=[call(schema=SCHEMA)])

    assert "obeys this JSON Schema" in talk.bodies[-1]["messages"][-1]["content"]


def test_a_refused_schema_says_nothing_of_others(talk: Talk) -> None:
    """One that the server's grammar cannot hold is asked for in words, the next by the server's means."""

    def turn(request: Any) -> Turn:
        schema = request.body.get("response_format", {}).get("json_schema", {}).get("schema")
        return (
            faults.complains(400, "The JSON schema has features that are not supported")
            if schema == SCHEMA
            else faults.says("{}")
        )

    talk(*[turn] * 4, calls=[call(schema=SCHEMA), call(schema={"type": "object"}), call(schema=SCHEMA)])

    assert ["response_format" in body for body in talk.bodies] == [True, False, True, False]


def test_the_newer_name_of_max_tokens_is_found(talk: Talk) -> None:
    """Some models know max_completion_tokens only."""

    def turn(request: Any) -> Turn:
        if "max_tokens" in request.body:
            return faults.complains(400, "Unsupported parameter: use 'max_completion_tokens' instead.")
        return faults.says("ok")

    talk(turn, turn)

    assert talk.bodies[-1]["max_completion_tokens"] == 4096


def test_a_request_that_is_refused_whatever_is_left_out_is_an_error(talk: Talk) -> None:
    """The error is the endpoint's own, and nothing is held against the fields that were left out."""
    with pytest.raises(EndpointFailed, match="refuses the request: bad weather"):
        talk(*[faults.complains(400, "bad weather")] * 9, calls=[call(schema=SCHEMA)])

    assert talk.model is not None
    assert talk.model.refused == frozenset()
    assert len(talk.bodies) == 4


# --- the context ----------------------------------------------------------------------------------------------------------


def long_call(parts: int = 8) -> Call:
    told = [Part(text=f"Attempt {age}: " + "it went well. " * 300, age=age) for age in range(parts)]
    return call(messages=[Message(role="system", parts=[Part(text="Rules.")]), Message(role="user", parts=[*told, Part(text="Now.")])], max_tokens=256)  # fmt: skip


def test_old_parts_are_left_out_and_rules_never(talk: Talk) -> None:
    """What is left is the newest, with the rules and the question."""
    talk(faults.says("ok"), calls=[long_call()], models=[{"id": faults.MODEL, "max_model_len": 4096}])
    sent = talk.bodies[0]["messages"]

    assert sent[0]["content"] == "Rules."
    assert sent[1]["content"].startswith("Attempt 0")
    assert sent[1]["content"].endswith("Now.")
    assert "Attempt 2" in sent[1]["content"]
    assert "Attempt 7" not in sent[1]["content"]
    assert len([r for r in talk.server.requests if r.path == "/tokenize"]) <= 3


def test_a_server_that_counts_more_is_obeyed(talk: Talk) -> None:
    """Its refusal shortens the prompt, also where nobody had said how long the context is."""
    too_long = faults.complains(400, "This model's maximum context length is 4096 tokens. However, you requested 9000.")
    talk(too_long, faults.says("ok"), calls=[long_call()], models=[{"id": faults.MODEL}], counts=False)

    assert len(str(talk.bodies[1])) < len(str(talk.bodies[0])) / 2


def test_what_cannot_fit_is_an_error_that_says_what_to_do(talk: Talk) -> None:
    """Nothing is asked."""
    with pytest.raises(PromptTooLong, match=r"--max-model-len.*--share schema"):
        talk(calls=[call("x y " * 20_000)], models=[{"id": faults.MODEL, "max_model_len": 4096}])
