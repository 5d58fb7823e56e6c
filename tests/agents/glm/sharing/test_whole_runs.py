"""Whole runs on a table of canaries, with a model that is asked everything and code that blurts out what it sees: every prompt is read."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.agents import engine
from tests.agents.glm.sharing.world import CANARY, NUMBER

from open_autoglm.agents.glm.scripted import reply_of
from open_autoglm.agents.glm.sharing import Share
from open_autoglm.agents.glm.wire import Call, Purpose, Reply
from open_autoglm.agents.run import start_run
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.task import BudgetSpec, TaskType

pytestmark = pytest.mark.slow

ROWS = 640


class Talkative:
    """Answers everything, and puts what it is shown into its own words, as models do."""

    name = "talkative"
    context_tokens = 32_768

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._made: Counter[Purpose] = Counter()

    async def ask(self, call: Call) -> Reply:
        self.calls.append(call)
        self._made[call.purpose] += 1
        return reply_of(call, self._answer(call.purpose, self._made[call.purpose]), model=self.name)

    async def close(self) -> None:
        """Nothing is open."""

    def _answer(self, purpose: Purpose, count: int) -> str:
        if purpose is Purpose.UNDERSTAND:
            return json.dumps({"target": "label", "task_type": "binary", "metric": ""})
        if purpose is Purpose.PLAN:
            idea = {"approach": "Another model of other features.", "gain": "large", "cost": "seconds"}
            return json.dumps({"ideas": [{"title": f"Idea {count} {letter}", **idea} for letter in "abcde"]})
        if purpose is Purpose.IMPROVE:
            return f"Change: less noise\n{_code(3.0 / (count + 1))}"
        if purpose in (Purpose.DRAFT, Purpose.REPAIR, Purpose.MERGE):
            return _code(9.0 if purpose is Purpose.DRAFT and count % 2 else 2.0 + count / 7)
        if purpose is Purpose.REFLECT:
            return "Less noise helps a little on this table."
        return json.dumps({"parameters": [{"name": "noise", "kind": "float", "low": 0.1, "high": 3.0}]})


def _code(noise: float) -> str:
    return f"solution.py\n```python\n{engine.CODE.format(noise=round(noise, 3))}```\n"


class Blurting(engine.Played):
    """Plays jobs; code with a noise of 9 breaks, and all of it says what stands in the table."""

    def __call__(self, job: Job) -> ExecutionReport:
        if '"noise": ' not in job.code["solution.py"]:  # what recipes wrote plays like the rest
            job = replace(job, code={"solution.py": engine.CODE.format(noise=2.5)})
        report = super().__call__(job)
        report.stdout.head = f"0 {CANARY} {NUMBER}\n{CANARY!r}"
        report.stderr.head = f"UserWarning: {CANARY} at {NUMBER}"
        if '"noise": 9.0' in job.code["solution.py"]:
            report.status = Status.STATUS_ERROR
            report.exception.type = "ValueError"
            report.exception.message = f"could not convert {CANARY} to {NUMBER} of 'gruyere'"
            report.exception.frames.add(file="solution.py", line=8, function="fit", source=CANARY)
        return report


def _table(folder: Path) -> Path:
    data = pd.read_csv(engine.table(folder, TaskType.BINARY, ROWS))
    data["label"] = data["label"].map({0: "emmental", 1: "gruyere"})
    data["who"] = [f"{CANARY}{row}" for row in range(ROWS)]
    data["remark"] = [f"{CANARY} said that number {row} is a good one" for row in range(ROWS)]
    data["place"] = ["Oslo"] * (ROWS - 8) + [f"{CANARY} town"] * 8
    data["amount"] = [float(row % 50) + 0.5 for row in range(ROWS)]
    data.loc[7, "amount"] = NUMBER
    path = folder / f"{CANARY}.csv"
    data.to_csv(path, index=False)
    return path


def _asked(folder: Path, share: Share) -> list[Call]:
    model = Talkative()
    start_run(
        engine.options(
            folder, data=_table(folder), base_url="http://127.0.0.1:9/v1", strategist="glm", share=share,
            budget=BudgetSpec(attempts=16),
        ),
        connect=lambda *_: model,
        sandbox=engine.sandbox(Blurting()),
    )  # fmt: skip
    return model.calls


@pytest.mark.parametrize("share", ["schema", "summary"])
def test_no_prompt_of_a_run_holds_a_value(share: Share, tmp_path: Path) -> None:
    """From understanding to the lessons: neither in what is asked, nor in what was said before, nor in a schema."""
    calls = _asked(tmp_path, share)
    purposes = {call.purpose for call in calls}

    assert purposes >= {
        Purpose.UNDERSTAND,
        Purpose.PLAN,
        Purpose.DRAFT,
        Purpose.REPAIR,
        Purpose.IMPROVE,
        Purpose.REFLECT,
    }
    for call in calls:
        text = "\n".join([*(message.text for message in call.messages), json.dumps(call.schema or {})])
        assert CANARY not in text, call.purpose
        assert CANARY[:6] not in text, call.purpose
        assert "424242" not in text, call.purpose
        assert ("gruyere" in text) <= (share == "summary"), call.purpose
        assert ("Oslo" in text) <= (share == "summary"), call.purpose


def test_a_run_that_shares_rows_shows_some(tmp_path: Path) -> None:
    """So that the tests above look for what would be there."""
    texts = [message.text for call in _asked(tmp_path, "rows") for message in call.messages]
    assert any(CANARY in text for text in texts)
