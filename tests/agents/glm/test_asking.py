"""What is concluded from the answers of an endpoint that is asked what it can do."""

import asyncio
from collections.abc import Sequence

import pytest

from open_autoglm.agents.glm.asking import CAP_TOKENS, Abilities, find_abilities
from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.serving.metrics import Counts
from open_autoglm.agents.glm.serving.status import Served
from open_autoglm.agents.glm.wire import Reply, Usage

GOOD = '{"greeting": "hello", "polite": true}'
CAPPED = Reply(text="391", reasoning="hm", usage=Usage(output=20, reasoning=CAP_TOKENS))


class Quiet:
    """Pages of an endpoint that tells little."""

    def served(self) -> tuple[Sequence[Served], Sequence[str]]:
        return [], []

    def loads_adapters(self) -> bool:
        return False

    def counts(self) -> Counts | None:
        return None


def found(*answers: Reply | str) -> tuple[Abilities, ScriptedGLM]:
    model = ScriptedGLM(answers)
    return asyncio.run(find_abilities(model, Quiet())), model  # type: ignore[arg-type]


def test_a_good_endpoint_suits() -> None:
    """JSON by schema although it was asked for words, no thinking where there shall be none, as much as the cap elsewhere."""
    abilities, model = found(GOOD, CAPPED)
    assert abilities.suits
    assert abilities.thinks
    assert abilities.caps_thinking
    assert "serves scripted" in abilities.as_text()
    first, second = model.calls
    assert first.schema is not None
    assert (first.thinking, second.thinking) == (0, CAP_TOKENS)


@pytest.mark.parametrize(
    "text",
    [
        "Hello!",
        "[]",
        '{"greeting": "hello"}',
        '{"greeting": "x", "polite": true}',
        '{"greeting": "hello", "polite": 1}',
    ],
)
def test_an_answer_that_is_not_of_the_schema_is_noticed(text: str) -> None:
    """Words, other JSON, a field too few, a value that is not allowed."""
    assert not found(text, CAPPED)[0].obeys_schema


def test_thinking_is_found_in_the_answer_too() -> None:
    """Where the server has no parser for it, it stands in the text."""
    assert not found(Reply(text="<think>well</think>" + GOOD), CAPPED)[0].can_stop_thinking
    assert not found(Reply(text=GOOD, reasoning="well, well"), CAPPED)[0].can_stop_thinking


def test_a_cap_that_is_not_heeded_is_noticed() -> None:
    """By the server's count, or by the length of what was thought; none at all is no thinking."""
    for thought in (Usage(output=300, reasoning=200), Usage(output=300)):
        abilities = found(GOOD, Reply(text="391", reasoning="hm, " * 150, usage=thought))[0]
        assert abilities.thinks
        assert not abilities.caps_thinking
    assert not found(GOOD, "391")[0].thinks
