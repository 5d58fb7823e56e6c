"""Whole runs with a capable model: its turns were written by hand, sandbox, grader and search are real."""

from pathlib import Path

import pytest
from tests.recordings.replay import FOLDER, read, replay

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.glm.prompt_log import read_prompts
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.strategist import Operator
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.tools.metrics import get_metric

NAMES = sorted(path.stem for path in FOLDER.glob("*.md"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_capable_model_beats_the_first_recipe(name: str, tmp_path: Path) -> None:
    """Every turn is asked for, broken drafts are mended, and what the model wrote scores above the recipes' first draft."""
    recording = read(FOLDER / f"{name}.md")
    outcome, glm = replay(recording, tmp_path)

    assert outcome.status == "delivered", outcome.warnings
    assert outcome.writer.degraded is None
    assert glm.left == {}
    journal = Journal(tmp_path / "run" / "journal.sqlite")
    attempts = [a for a in journal.attempts() if a.bundle is not None and a.operator is not Operator.RERUN]
    written = [a for a in attempts if journal.bundle(a.bundle or "").author is Author.MODEL]
    journal.close()
    assert [a.failure for a in attempts if a.status is AttemptStatus.FAILED] == []
    sign = 1 if get_metric(outcome.task.metric.name).greater_is_better else -1
    first = attempts[0].mean or 0.0
    assert max(sign * a.mean for a in written if a.mean is not None) > sign * first
    assert sum(a.repairs for a in written) == len(recording.turns.get(Purpose.REPAIR, []))
    assert outcome.cost.calls == len(list(read_prompts(tmp_path / "run"))) == sum(map(len, recording.turns.values()))


def test_recordings_show_what_a_run_can_meet() -> None:
    """Between them they hold every turn there is, several task types and both languages."""
    recordings = [read(FOLDER / f"{name}.md") for name in NAMES]
    assert {purpose for recording in recordings for purpose in recording.turns} == set(Purpose)
    assert len({recording.table for recording in recordings}) == len(recordings)
