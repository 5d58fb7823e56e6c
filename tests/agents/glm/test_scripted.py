"""The scripted model: gives what it was told to, and fails loudly when asked for more."""

import asyncio

import pytest

from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.wire import Call, Message, Part, Purpose
from open_autoglm.errors import EndpointFailed, ScriptExhausted


def call(purpose: Purpose = Purpose.DRAFT, text: str = "Write.") -> Call:
    return Call(purpose=purpose, messages=[Message(role="user", parts=[Part(text=text)])])


def ask(model: ScriptedGLM, purpose: Purpose = Purpose.DRAFT) -> str:
    return asyncio.run(model.ask(call(purpose))).text


def test_answers_come_in_order_and_end_loudly() -> None:
    """A text, what makes one of the call, and an error; then the purpose and the number of the answer that is missing."""
    model = ScriptedGLM(["one", lambda asked: asked.messages[0].text, EndpointFailed("gone")])

    assert [ask(model), ask(model)] == ["one", "Write."]
    with pytest.raises(EndpointFailed, match="gone"):
        ask(model)
    with pytest.raises(ScriptExhausted, match="no answer 3 for 'draft'"):
        ask(model)
    assert len(model.calls) == 4


def test_each_purpose_has_an_order_of_its_own() -> None:
    """Calls of several workers do not take each other's answers."""
    model = ScriptedGLM({Purpose.DRAFT: ["d0", "d1"], Purpose.REFLECT: ["r0"]})

    assert [ask(model), ask(model, Purpose.REFLECT), ask(model)] == ["d0", "r0", "d1"]
    assert model.left == 0
    with pytest.raises(ScriptExhausted, match="no answer 0 for 'plan'"):
        ask(model, Purpose.PLAN)


def test_usage_is_counted_by_characters() -> None:
    """So that caps can be tried without a model."""
    reply = asyncio.run(ScriptedGLM(["12345678"]).ask(call(text="1234" * 5)))

    assert (reply.usage.prompt, reply.usage.output, reply.model) == (5, 2, "scripted")
