"""Decisions: the order of patience between a bad answer and giving up."""

import asyncio
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from open_autoglm.agents.glm.decisions import decide, schema_of
from open_autoglm.agents.glm.scripted import Answer, ScriptedGLM
from open_autoglm.agents.glm.wire import Call, Finish, Message, Part, Purpose, Reply
from open_autoglm.errors import EndpointFailed, UnusableReply


class Idea(BaseModel):
    """One idea."""

    model_config = ConfigDict(extra="forbid")

    title: str
    cost: Literal["low", "high"] = "low"


class Plan(BaseModel):
    """Ideas, and why."""

    model_config = ConfigDict(extra="forbid")

    ideas: list[Idea] = Field(min_length=1)
    reason: str | None = None


CALL = Call(purpose=Purpose.PLAN, messages=[Message(role="user", parts=[Part(text="Plan.")])], thinking=2048)
GOOD = '{"ideas": [{"title": "trees", "cost": "high"}], "reason": null}'
PLAN = Plan(ideas=[Idea(title="trees", cost="high")])


def decided(*answers: Answer) -> tuple[Plan, ScriptedGLM]:
    model = ScriptedGLM(answers)
    return asyncio.run(decide(model, CALL, Plan)), model


def test_a_good_answer_is_taken_at_once() -> None:
    """One call, with the schema of the answer."""
    plan, model = decided(GOOD)

    assert plan == PLAN
    assert [call.schema for call in model.calls] == [schema_of(Plan)]


def test_an_untidy_answer_costs_no_second_call() -> None:
    """What can be read tolerantly is."""
    plan, model = decided(f"Of course:\n```json\n{GOOD[:-1]},}}\n```")

    assert (plan, len(model.calls)) == (PLAN, 1)


def test_a_wrong_answer_is_shown_its_error() -> None:
    """The second call shows the answer and what was wrong with it, and does not think again."""
    plan, model = decided('{"ideas": [{"title": "x", "cost": "huge"}]}', GOOD)

    assert plan == PLAN
    shown = model.calls[1].messages
    assert [message.role for message in shown] == ["user", "assistant", "user"]
    assert '"huge"' in shown[1].text
    assert "ideas.0.cost: Input should be 'low' or 'high'" in shown[2].text
    assert model.calls[1].thinking == 0


def test_the_second_answer_may_be_untidy_too() -> None:
    """Tolerance holds for the repair turn."""
    assert decided("I would rather not plan", f"<think>hm</think>{GOOD} there")[0] == PLAN


def test_two_bad_answers_are_an_error_that_names_both() -> None:
    """The operator failed, and the message says how."""
    with pytest.raises(
        UnusableReply, match=r"plan .*First: It holds no JSON.*After it was told so: ideas: Field required"
    ):
        decided("no", '{"reason": "x"}')


def test_an_empty_answer_that_was_cut_is_told_to_be_shorter() -> None:
    """Thinking that ate all tokens leaves nothing: the second call is told so."""
    _, model = decided(Reply(text="", finish=Finish.LENGTH), GOOD)

    assert "cut off" in model.calls[1].messages[-1].text
    assert "It is empty." in model.calls[1].messages[-1].text


def test_a_refusal_is_not_argued_with() -> None:
    """A model that declines is asked once."""
    model = ScriptedGLM([Reply(text="I cannot help with that.", finish=Finish.REFUSAL), GOOD])

    with pytest.raises(UnusableReply, match="declined to answer: I cannot help with that"):
        asyncio.run(decide(model, CALL, Plan))
    assert model.left == 1


def test_garbage_is_not_sent_back_whole() -> None:
    """A repair turn stays small, whatever the first answer was."""
    _, model = decided("blah " * 100_000, GOOD)

    assert sum(len(message.text) for message in model.calls[1].messages) < 6_000


def test_a_dead_endpoint_is_not_an_unusable_answer() -> None:
    """Errors of the endpoint pass through."""
    with pytest.raises(EndpointFailed):
        decided(EndpointFailed("gone"))


def test_schemas_are_strict() -> None:
    """Endpoints get every field as required and no other allowed; a field may be called title."""
    schema = schema_of(Plan)

    assert schema == {
        "$defs": {
            "Idea": {
                "additionalProperties": False,
                "description": "One idea.",
                "properties": {"cost": {"enum": ["low", "high"], "type": "string"}, "title": {"type": "string"}},
                "required": ["title", "cost"],
                "type": "object",
            }
        },
        "additionalProperties": False,
        "description": "Ideas, and why.",
        "properties": {
            "ideas": {"items": {"$ref": "#/$defs/Idea"}, "minItems": 1, "type": "array"},
            "reason": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["ideas", "reason"],
        "type": "object",
    }
