"""The written sentences of examples/intents.jsonl are understood."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from open_autoglm.agents.recipes.intent import understand
from open_autoglm.agents.strategist import Request, Understanding
from open_autoglm.errors import InputError, Unsupported
from open_autoglm.tools.data.read import TableSketch
from open_autoglm.tools.task import SourceRole

SENTENCES = Path(__file__).parents[4] / "examples" / "intents.jsonl"
AIM = 0.95
QUIET: dict[str, Any] = {
    "seconds": None, "attempts": None, "tokens": None, "money": None, "dropped": [], "group": None, "weight": None, "latency_ms": None, "model_mb": None,
    "device": None, "interpretable": False, "forbidden": [], "quantiles": [], "horizon": None, "metric": None, "ask": [],
}  # fmt: skip
"""Fields that must be as here where the line says nothing. `metric` None: none was said; `ask`: fields with a question."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One sentence with what is expected of it."""

    number: int
    said: dict[str, Any]

    def request(self, tables: dict[str, TableSketch]) -> Request:
        return Request(
            prompt=self.said["prompt"],
            tables={SourceRole.TRAIN: tables[self.said["table"]]},
            target=self.said.get("target"),
            metric=self.said.get("metric"),
        )


def lines() -> list[Line]:
    text = SENTENCES.read_text(encoding="utf-8")
    return [Line(number=i, said=json.loads(line)) for i, line in enumerate(text.splitlines(), 1) if line.strip()]


def flat(understanding: Understanding) -> dict[str, Any]:
    """The fields of a task by the names that examples/intents.jsonl uses."""
    task = understanding.task
    roles, wishes, budget = task.columns, task.constraints, task.budget
    guessed = {g.field for g in task.guesses if "no metric was said" in g.reason or "没有说明指标" in g.reason}
    return {
        "target": task.target, "task_type": task.task_type.value, "positive": task.positive, "language": task.language,
        "metric": None if "metric" in guessed else task.metric.name, "seconds": budget.seconds, "attempts": budget.attempts,
        "tokens": budget.tokens, "money": budget.money, "id": roles.id, "time": roles.time, "group": roles.group, "series": roles.series,
        "weight": roles.weight, "text": roles.text, "known_ahead": roles.known_ahead, "dropped": roles.dropped, "latency_ms": wishes.latency_ms,
        "model_mb": wishes.model_mb, "device": wishes.device, "interpretable": wishes.interpretable, "forbidden": wishes.forbidden_models,
        "quantiles": task.quantiles, "horizon": task.horizon, "frequency": task.frequency, "outputs": task.outputs,
        "ask": sorted(q.field for q in understanding.questions),
    }  # fmt: skip


def differences(expected: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Where a task is not what its line expects."""
    wanted = {**QUIET, **expected}
    same = {k: sorted(v) if isinstance(v, list) and k != "quantiles" else v for k, v in got.items()}
    return [
        f"{k}: expected {v!r}, got {same[k]!r}"
        for k, v in wanted.items()
        if (sorted(v) if isinstance(v, list) and k != "quantiles" else v) != same[k]
    ]


def judge(line: Line, tables: dict[str, TableSketch]) -> str:
    """Why a line is not understood as it should be; empty when it is."""
    said = line.said
    try:
        understanding = understand(line.request(tables), {})
    except Unsupported as error:
        return "" if "refuse" in said and said["refuse"] in str(error).lower() else f"refused: {error}"
    except InputError as error:
        right = type(error).__name__ == said.get("error") and said.get("mentions", "") in str(error)
        return "" if right else f"{type(error).__name__}: {error}"
    if "expect" not in said:
        return f"expected {said.get('refuse') or said.get('error')}, got {understanding.task.target!r}"
    return "; ".join(differences(said["expect"], flat(understanding)))


@pytest.mark.parametrize("part", ["open", "blind", "late"])
def test_sentences_are_understood(
    part: str, tables: dict[str, TableSketch], capsys: pytest.CaptureFixture[str]
) -> None:
    """At least 95 % of the sentences give the expected task, refusal or question; those that do not are listed."""
    judged = {line: judge(line, tables) for line in lines() if line.said.get("part", "open") == part}
    failed = [f"  line {line.number}: {line.said['prompt']!r}: {why}" for line, why in judged.items() if why]
    with capsys.disabled():
        print(f"\n{part} sentences understood: {len(judged) - len(failed)} of {len(judged)}", *failed, sep="\n")  # noqa: T201  # the pass rate is the result
    assert 1 - len(failed) / len(judged) >= AIM


def test_there_are_enough_sentences_in_both_languages() -> None:
    """At least 150 sentences, and at least 70 of them Chinese."""
    chinese = [line for line in lines() if any("\u4e00" <= c <= "\u9fff" for c in line.said["prompt"])]
    assert len(lines()) >= 150
    assert len(chinese) >= 70
