"""What a run told a language model, word for word, and what it answered: for the person whose data it is."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from open_autoglm.agents.glm.prompt_log import LoggedCall, read_prompts
from open_autoglm.events import Json
from open_autoglm.sandbox.supervision.streams import sanitise

RULE = "─" * 80


def prompts_as_text(run_dir: Path) -> str:
    """Return the prompt log of a run for a terminal; a message that stood in an earlier call is only named there."""
    seen: dict[tuple[str, str], int] = {}
    blocks = [block for call in read_prompts(run_dir) for block in _blocks(call, seen)]
    return sanitise("\n\n".join(blocks)) if blocks else "No language model was asked in this run."


def prompts_as_records(run_dir: Path) -> list[Json]:
    """Return the prompt log of a run as plain JSON, every message whole."""
    return [asdict(call) for call in read_prompts(run_dir)]


def _blocks(call: LoggedCall, seen: dict[tuple[str, str], int]) -> Iterator[str]:
    serves = f", for {call.attempt}" if call.attempt else ""
    yield f"{RULE}\nCall {call.number}: {call.purpose.value}{serves}"
    for turn in call.messages:
        first = seen.setdefault((turn.role, turn.text), call.number)
        yield f"[{turn.role}]\n{turn.text}" if first == call.number else f"[{turn.role}] as in call {first}"
    if call.schema is not None:
        yield "[an answer by JSON Schema was asked for]"
    if call.reasoning:
        yield f"[thinking]\n{call.reasoning}"
    yield f"[no answer: {call.error}]" if call.error else f"[answer]\n{call.answer}"
