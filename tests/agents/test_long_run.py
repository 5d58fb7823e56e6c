"""A run of two thousand attempts: the checkpoint and the memory of the process do not grow with it."""

import gc
from pathlib import Path

import psutil
import pytest
from tests.agents import engine

from open_autoglm.agents import scoring
from open_autoglm.agents.run import start_run
from open_autoglm.agents.strategist import Brief
from open_autoglm.events import Event, EventKind
from open_autoglm.sandbox.bundles.bundle import CodeBundle
from open_autoglm.tools.data import split
from open_autoglm.tools.task import BudgetSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ATTEMPTS = 2000
GROWTH_BYTES = 32 << 20
"""Memory that 1,500 further attempts may add: 20 kB each, less than the code and the reports of one."""


class Endless(engine.ScriptedStrategist):
    """Always has another draft, a little worse than the last."""

    async def draft(self, brief: Brief, index: int) -> CodeBundle | None:
        return engine.bundle(0.5 + 0.001 * index)


def test_two_thousand_attempts_leave_checkpoint_and_memory_constant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes after 500 attempts and after 2,000 are about the same."""
    monkeypatch.setattr(scoring, "patience", lambda rows: 10 * ATTEMPTS)
    monkeypatch.setattr(split, "default_folds", lambda rows: (2, 1))
    sizes: dict[int, tuple[int, int]] = {}
    ended = [0]
    checkpoint = tmp_path / "run" / "checkpoint.sqlite"

    def listen(event: Event) -> None:
        if event.kind is EventKind.ATTEMPT_FINISHED:
            ended[0] += 1
            if ended[0] in (500, ATTEMPTS):
                gc.collect()
                wal = checkpoint.with_name("checkpoint.sqlite-wal")
                size = checkpoint.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
                sizes[ended[0]] = (size, psutil.Process().memory_info().rss)

    outcome = start_run(
        engine.options(
            tmp_path, data=engine.csv(tmp_path, rows=160), budget=BudgetSpec(attempts=ATTEMPTS), holdout=0.2
        ),
        strategist=Endless(engine.task(), []),
        sandbox=engine.sandbox(engine.Played(remember=False)),
        listeners=[listen],
    )

    assert outcome.attempts == ATTEMPTS
    assert sizes[ATTEMPTS][0] <= 1.2 * sizes[500][0] + (1 << 20)
    assert sizes[ATTEMPTS][1] - sizes[500][1] < GROWTH_BYTES
