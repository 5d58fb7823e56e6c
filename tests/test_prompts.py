"""`autoglm show RUN --prompts`: what a language model was told, for the person whose data it is."""

import json
from pathlib import Path

import pytest

from open_autoglm.agents.glm.prompt_log import PromptLog
from open_autoglm.agents.glm.sharing import from_model, ours
from open_autoglm.agents.glm.wire import Call, Message, Part, Purpose, Reply
from open_autoglm.prompts import prompts_as_records, prompts_as_text


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A folder with the log of two calls that begin alike."""
    log = PromptLog(tmp_path)
    rules = Message(role="system", parts=[Part(text=ours("The rules."))])
    for number, purpose in enumerate((Purpose.PLAN, Purpose.DRAFT), start=1):
        asked = Message(role="user", parts=[Part(text=from_model(f"Question {number}."))])
        call = Call(purpose=purpose, messages=[rules, asked], attempt="a0003")
        log.write(number, 0.0, call, Reply(text=f"Answer {number}.\x1b[2J", reasoning="hm"))
    log.write(3, 0.0, Call(purpose=Purpose.REFLECT, messages=[rules]), None, "nobody answered")
    return tmp_path


def test_the_log_is_shown_word_for_word_and_each_message_once(run_dir: Path) -> None:
    """Nothing in it reaches the terminal as an order."""
    text = prompts_as_text(run_dir)
    assert text.count("The rules.") == 1
    assert "[system] as in call 1" in text
    assert "Call 2: draft, for a0003" in text
    assert "Question 2." in text
    assert "[thinking]\nhm" in text
    assert "Answer 1." in text
    assert "\x1b" not in text
    assert text.endswith("[no answer: nobody answered]")


def test_as_json_every_message_is_whole(run_dir: Path) -> None:
    """For programs the log is plain JSON."""
    records = json.loads(json.dumps(prompts_as_records(run_dir)))
    assert [record["purpose"] for record in records] == ["plan", "draft", "reflect"]
    assert records[1]["messages"][0]["parts"] == ["The rules."]


def test_a_run_of_recipes_told_nobody_anything(tmp_path: Path) -> None:
    """An empty log is said to be one."""
    assert prompts_as_text(tmp_path) == "No language model was asked in this run."
