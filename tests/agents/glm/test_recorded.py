"""Recordings: what was answered is replayed by purpose and place, whatever was asked."""

import asyncio
import json
from pathlib import Path

import pytest

from open_autoglm.agents.glm.recorded import RecordedGLM, RecordingGLM
from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.sharing.shared import ours
from open_autoglm.agents.glm.wire import Call, Finish, LanguageModel, Message, Part, Purpose, Reply, Usage
from open_autoglm.errors import EndpointFailed, InputError, ScriptExhausted

HEADER = '{"format": "open-autoglm-recording", "version": 1, "model": "glm", "context_tokens": 4096}'
USAGE = Usage(prompt=9, cached=5, output=3, reasoning=1)


def ask(model: LanguageModel, purpose: Purpose = Purpose.DRAFT) -> Reply:
    messages = [Message(role="user", parts=[Part(text=ours("Any words."))])]
    return asyncio.run(model.ask(Call(purpose=purpose, messages=messages)))


def on_file(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEADER, "", *lines]), encoding="utf-8")
    return path


def test_what_was_recorded_is_replayed(tmp_path: Path) -> None:
    """Text, reasoning, finish, tokens and failures; in the order of each purpose, not of all."""
    path = tmp_path / "r.jsonl"
    said = Reply(text="你好\n", reasoning="hm", finish=Finish.LENGTH, usage=USAGE, seconds=1.5)
    model = RecordingGLM(ScriptedGLM([said, "plan", EndpointFailed("gone"), "second"], context_tokens=4096), path)
    ask(model)
    ask(model, Purpose.PLAN)
    with pytest.raises(EndpointFailed):
        ask(model)
    ask(model)
    asyncio.run(model.close())
    replayed = RecordedGLM(path)

    assert (replayed.name, replayed.context_tokens) == ("scripted", 4096)
    first = ask(replayed)
    assert (first.text, first.reasoning, first.finish, first.usage) == ("你好\n", "hm", Finish.LENGTH, USAGE)
    with pytest.raises(EndpointFailed, match="gone"):
        ask(replayed)
    assert [ask(replayed).text, ask(replayed, Purpose.PLAN).text] == ["second", "plan"]
    assert replayed.left == {}


def test_answers_are_written_by_hand_in_three_ways(tmp_path: Path) -> None:
    """As an object, as lines, as one string."""
    draft = {"purpose": "draft", "lines": ["solution.py", "```python", "x = 1", "```"], "note": "a first try"}
    path = on_file(tmp_path / "r", '{"purpose": "plan", "answer": {"a": [1, "二"]}}', json.dumps(draft), '{"purpose": "reflect", "text": "ok"}')  # fmt: skip
    model = RecordedGLM(path)

    assert json.loads(ask(model, Purpose.PLAN).text) == {"a": [1, "二"]}
    assert ask(model).text == "solution.py\n```python\nx = 1\n```"
    assert model.left == {Purpose.REFLECT: 1}
    assert ask(model, Purpose.REFLECT).usage.prompt > 0


def test_a_recording_that_ends_fails_loudly(tmp_path: Path) -> None:
    """With the purpose and the place of what is missing."""
    model = RecordedGLM(on_file(tmp_path / "r", '{"purpose": "draft", "text": "one"}'))
    ask(model)

    with pytest.raises(ScriptExhausted, match="no answer 1 for 'draft': it holds 1"):
        ask(model)
    with pytest.raises(ScriptExhausted, match="no answer 0 for 'merge'"):
        ask(model, Purpose.MERGE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("not json", "line 1"),
        (HEADER.replace("1,", "2,", 1), "line 1: version"),
        (f"{HEADER}\n\n{{}}", "line 3: purpose"),
        (f'{HEADER}\n{{"purpose": "draft"}}', "line 2.*one of text, lines, answer, error must be there, not none"),
        (f'{HEADER}\n{{"purpose": "draft", "text": "a", "error": "b"}}', "text and error"),
        (f'{HEADER}\n{{"purpose": "sing", "text": "a"}}', "line 2: purpose"),
        (f'{HEADER}\n{{"purpose": "draft", "txt": "a"}}', "line 2: txt"),
    ],
)
def test_what_is_no_recording_is_named_by_its_line(tmp_path: Path, text: str, told: str) -> None:
    """Recordings are written by hand."""
    path = tmp_path / "r.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        RecordedGLM(path)


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    """It may be all there is of a model."""
    with pytest.raises(InputError, match="Name a new file"):
        RecordingGLM(ScriptedGLM([]), on_file(tmp_path / "r"))
