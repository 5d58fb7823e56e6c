"""Reads a recording, and runs it: the model's turns are played back in order by purpose, everything else is real."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.recordings import tables

from open_autoglm.agents.glm.recorded import FORMAT, VERSION, RecordedGLM
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.run import start_run
from open_autoglm.tools.task import BudgetSpec

FOLDER = Path(__file__).parent
ENDPOINT = "http://127.0.0.1:9/v1"
"""Named, so that the run asks for a model; nobody connects to it."""
_TURN = re.compile(rf"^## ({'|'.join(Purpose)})$", re.MULTILINE)
_OPTIONS = re.compile(r"^```json run\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What the file of a recording says."""

    prompt: str
    table: str
    """Name of a function of `tables`."""
    attempts: int
    search: Literal["greedy", "uct"] = "uct"
    turns: dict[Purpose, list[str]]


def read(path: Path) -> Recording:
    head, *rest = _TURN.split(path.read_text(encoding="utf-8"))
    options = _OPTIONS.search(head)
    assert options is not None, f"{path.name} does not say what is run"
    turns: dict[Purpose, list[str]] = defaultdict(list)
    for purpose, text in zip(rest[::2], rest[1::2], strict=True):
        turns[Purpose(purpose)].append(text.strip() + "\n")
    return Recording(**json.loads(options[1]), turns=dict(turns))


def replay(recording: Recording, folder: Path) -> tuple[Outcome, RecordedGLM]:
    """Run a recording in a folder; the model fails loudly where its turns do not suffice."""
    glm = RecordedGLM(_on_file(recording, folder / "recording.jsonl"))
    options = RunOptions(
        prompt=recording.prompt,
        data=[getattr(tables, recording.table)(folder)],
        out=folder / "run",
        yes=True,
        budget=BudgetSpec(attempts=recording.attempts),
        strategist="glm",
        search=recording.search,
        base_url=ENDPOINT,
    )
    return start_run(options, connect=lambda *_: glm), glm


def _on_file(recording: Recording, path: Path) -> Path:
    header = {"format": FORMAT, "version": VERSION, "model": "written-by-hand"}
    turns = [{"purpose": purpose, "text": text} for purpose, texts in recording.turns.items() for text in texts]
    path.write_text("".join(json.dumps(line) + "\n" for line in [header, *turns]), encoding="utf-8")
    return path
