"""Kill -9 at any moment: the command is started, killed and resumed as a user's machine would do it."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.agents import engine

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.journal import Journal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

KILLS = 20
LONGEST_LIFE_SECONDS = 6.0
PROMPT = "predict the label, optimise AUC"


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "open_autoglm", *map(str, words)]


def run_words(data: Path, out: Path) -> list[str]:
    return command(
        "run", PROMPT, "--data", data, "--target", "label", "--attempts", "4", "--seed", "3", "--sandbox", "process", "--yes",
        "--json", "--out", out,
    )  # fmt: skip


def finish(words: list[str]) -> dict[str, Any]:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def killed_after(words: list[str], seconds: float) -> bool:
    """Start the command and kill it after so many seconds; say whether it was still alive."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def attempts(run: Path) -> list[tuple[Any, ...]]:
    journal = Journal(run / "journal.sqlite")
    rows = [(a.id, a.operator, a.parents, a.seed, a.status, a.bundle, a.mean) for a in journal.attempts()]
    journal.close()
    return rows


def executions(run: Path) -> dict[tuple[str, str, int], bytes]:
    """Return every recorded execution by what it was, with its report."""
    journal = Journal(run / "journal.sqlite")
    found = {
        (e.attempt, e.phase, e.fold): e.report.SerializeToString(deterministic=True)
        for attempt in journal.attempts()
        for e in journal.executions(attempt.id)
    }
    journal.close()
    return found


def test_killed_at_random_moments_ends_like_a_straight_run(tmp_path: Path) -> None:
    """Twenty kills, twenty resumptions: no attempt lost, none executed again once recorded, the same result."""
    data = engine.csv(tmp_path, rows=400)
    straight = finish(run_words(data, tmp_path / "straight"))
    chance = random.Random(20)
    kills, number = 0, 0
    while kills < KILLS:
        number += 1
        run = tmp_path / f"run{number}"
        words = run_words(data, run)
        alive = True
        before: dict[tuple[str, str, int], bytes] = {}
        while alive and kills < KILLS:
            alive = killed_after(words, chance.uniform(0.3, LONGEST_LIFE_SECONDS))
            kills += alive
            if not (run / "run.json").exists():  # killed before there was a run: it is started again
                continue
            words = command("resume", run, "--json")
            if (run / "journal.sqlite").exists():
                after = executions(run)
                assert before.items() <= after.items(), "what was recorded was executed again"
                before = after
        ended = finish(words) if alive else finish(command("show", run, "--json"))
        shown = ended if "score" in ended else finish(command("resume", run, "--json"))
        assert shown["score"] == straight["score"]
        assert shown["best_attempt"] == straight["best_attempt"]
        assert attempts(run) == attempts(tmp_path / "straight")
        assert not [row for row in attempts(run) if row[4] is AttemptStatus.RUNNING]
