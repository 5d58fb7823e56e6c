"""The prompt log: word for word, for its owner alone, bounded, and whole after a kill."""

import stat
from pathlib import Path

from open_autoglm.agents.glm.prompt_log import FILE_NAME, PromptLog, read_prompts
from open_autoglm.agents.glm.sharing.shared import ours
from open_autoglm.agents.glm.wire import Call, Finish, Message, Part, Purpose, Reply

RULES = Part(text=ours("Rules 规则.\n" * 50))


def a_call(text: str) -> Call:
    parts = [Part(text=ours(text)), Part(text=ours("old"), age=3)]
    messages = [Message(role="system", parts=[RULES]), Message(role="user", parts=parts)]
    return Call(purpose=Purpose.REPAIR, messages=messages, schema={"type": "object"}, attempt="a0007")


def test_what_was_sent_and_answered_is_given_back(tmp_path: Path) -> None:
    """Also by a second process, and where there was no answer."""
    PromptLog(tmp_path).write(1, 5.0, a_call("mend this"), Reply(text="so", reasoning="hm"))
    PromptLog(tmp_path).write(2, 6.0, a_call("and this"), None, "gone")
    first, second = read_prompts(tmp_path)

    assert [turn.text for turn in first.messages] == [RULES.text, "mend this\n\nold"]
    assert (first.number, first.at, first.purpose, first.attempt) == (1, 5.0, Purpose.REPAIR, "a0007")
    assert (first.schema, first.answer, first.reasoning, first.finish) == ({"type": "object"}, "so", "hm", Finish.STOP)
    assert (second.messages[1].parts[0], second.finish, second.error) == ("and this", None, "gone")


def test_what_was_left_out_is_not_in_it(tmp_path: Path) -> None:
    """The log says what left the machine, not what would have."""
    call = a_call("now")
    sent = Call(purpose=call.purpose, messages=[Message(role="user", parts=call.messages[1].parts[:1])])
    PromptLog(tmp_path).write(1, 5.0, call, Reply(text="so", asked=sent))

    assert [turn.text for turn in next(read_prompts(tmp_path)).messages] == ["now"]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask."""
    PromptLog(tmp_path).write(1, 5.0, a_call("x"), None)

    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_text_stands_once(tmp_path: Path) -> None:
    """A stable prefix costs its hash."""
    log = PromptLog(tmp_path)
    for number in range(100):
        log.write(number, 5.0, a_call(f"attempt {number}"), Reply(text="ok"))

    assert (tmp_path / FILE_NAME).read_text().count("Rules") == 50
    assert len([*read_prompts(tmp_path)]) == 100


def test_half_a_line_is_skipped(tmp_path: Path) -> None:
    """A kill in the middle of a write costs that call alone."""
    path = tmp_path / FILE_NAME
    PromptLog(tmp_path).write(1, 5.0, a_call("one"), Reply(text="ok"))
    path.write_bytes(path.read_bytes() + b'{"text": "ab", "is": "ha')
    PromptLog(tmp_path).write(2, 5.0, a_call("two"), Reply(text="new"))

    assert [(call.number, call.answer) for call in read_prompts(tmp_path)] == [(1, "ok"), (2, "new")]


def test_it_is_bounded(tmp_path: Path) -> None:
    """The newest are kept, whole."""
    log = PromptLog(tmp_path, max_bytes=20_000)
    for number in range(200):
        log.write(number, 5.0, a_call(f"{number} " * 100), Reply(text="ok"))
    kept = [*read_prompts(tmp_path)]

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 60_000
    assert [call.number for call in kept] == list(range(200 - len(kept), 200))
    assert len(kept) > 10
