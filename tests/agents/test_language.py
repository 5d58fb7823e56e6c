"""A run in Chinese records what people read in Chinese: warnings, checks, lessons, what was left out."""

import re
from pathlib import Path

import pytest
from tests.agents import engine

from open_autoglm.agents.run import resume_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.summary import as_text
from open_autoglm.tools.export.story import RunStory
from open_autoglm.tools.task import BudgetSpec, TaskType


@pytest.mark.slow
def test_a_chinese_run_is_recorded_in_chinese(tmp_path: Path) -> None:
    """Sentences hold Chinese; what is neither sentence nor number is a name: of a file, a metric, a column, a program."""
    task = engine.a_task(TaskType.BINARY, "roc_auc", language="zh", prompt="预测 label")
    writer = ScriptedStrategist(task, [engine.bundle(2.0), engine.bundle(0.5)])
    outcome = engine.go(
        tmp_path, writer=writer, prompt="预测 label", holdout="none", target_score=0.9999, budget=BudgetSpec(attempts=2)
    )
    story = RunStory.load(tmp_path / "run" / "story.json")
    sentences = [
        *outcome.warnings, *outcome.unmet, *story.warnings, *story.left_out, story.split, story.stop_reason,
        *(check.sentence for check in story.checks), *as_text(outcome).splitlines()[:3],
    ]  # fmt: skip
    assert outcome.unmet
    assert [text for text in sentences if text and not re.search("[\u3400-\u9fff]", text)] == []
    words = set(re.findall(r"[a-z]{4,}", " ".join(sentences)))
    assert words <= {"label", "roc_auc", "autoglm", "resume", "run", "time", "scripted", "noise", "doctor"}


@pytest.mark.slow
def test_a_resumed_run_keeps_its_language(tmp_path: Path) -> None:
    """The language is the task's, whatever process goes on with it."""
    task = engine.a_task(TaskType.BINARY, "roc_auc", language="zh", prompt="预测 label")
    writer = ScriptedStrategist(task, [engine.bundle(noise) for noise in (2.0, 0.5, 1.0)])
    engine.go(tmp_path, writer=writer, prompt="预测 label", budget=BudgetSpec(attempts=1))
    again = resume_run(tmp_path / "run", budget=BudgetSpec(attempts=1), strategist=writer, sandbox=engine.sandbox())
    assert "预算内的尝试次数已用完" in as_text(again)
