"""A run that asks a model: what it spent stands in the outcome, what was sent in the prompt log, and a cap stops the model alone."""

from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.glm.prompt_log import read_prompts
from open_autoglm.agents.glm.scripted import reply_of
from open_autoglm.agents.glm.wire import Call, Reply
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.run import start_run
from open_autoglm.tools.task import BudgetSpec


class Babbler:
    """A model that answers everything, and nothing of it can be used."""

    name = "babbler"
    context_tokens = 32_768

    def __init__(self) -> None:
        self.asked = 0

    async def ask(self, call: Call) -> Reply:
        """Babble."""
        self.asked += 1
        return reply_of(call, "I could, if I would, but why should I?", model=self.name)

    async def close(self) -> None:
        """Nothing is open."""


def run(folder: Path, babbler: Babbler, **more: Any) -> Outcome:
    budget = BudgetSpec(attempts=2, **more.pop("budget", {}))
    options = engine.options(folder, base_url="http://127.0.0.1:9/v1", strategist="glm", budget=budget, **more)
    return start_run(options, connect=lambda _url, _model: babbler, sandbox=engine.sandbox())


@pytest.mark.slow
def test_what_a_model_costs_is_told_and_what_it_was_sent_is_kept(tmp_path: Path) -> None:
    """By the prices, word for word."""
    babbler = Babbler()
    outcome = run(tmp_path, babbler, prices={"prompt": 1000.0, "output": 1000.0})
    logged = [*read_prompts(tmp_path / "run")]

    assert outcome.cost.calls == babbler.asked == len(logged) > 0
    assert outcome.cost.tokens > 0
    assert outcome.cost.money > 0
    assert "label" in logged[0].messages[-1].text
    assert logged[0].answer.startswith("I could")


@pytest.mark.slow
def test_a_cap_stops_the_model_and_not_the_run(tmp_path: Path) -> None:
    """Recipes deliver, and the outcome says why they wrote."""
    babbler = Babbler()
    outcome = run(tmp_path, babbler, budget={"tokens": 1})

    assert babbler.asked == 0
    assert outcome.status.startswith("delivered")
    assert "1 tokens" in (outcome.writer.degraded or "")
