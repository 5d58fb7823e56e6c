"""A run directory that was damaged from outside: going on with it works, or is refused in one line; nothing else is lost."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.agents import engine

from open_autoglm.agents.run import resume_run, start_run
from open_autoglm.errors import AutoGLMError, RunDirectoryError
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.report import ExecutionReport
from open_autoglm.sandbox.scripted import ScriptedSandbox
from open_autoglm.tools.data.staging import content_hash
from open_autoglm.tools.export.manifest import load_manifest, verify
from open_autoglm.tools.task import BudgetSpec

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda content: b"\x00\xffgarbage{" * 40,
    "nothing": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "bits": lambda content: content[:100] + bytes(255 - byte for byte in content[100:160]) + content[160:],
    "list": lambda content: b"[]",
}
FILES = (
    "run.json", "task.json", "profile.json", "split.npz", "journal.sqlite", "checkpoint.sqlite", "events.jsonl", "result.json",
    "data/index.json", "data/*.parquet", "staged/*.parquet", "objects/*/model.json", "objects/*.npy", "story.json",
    "deliverable/manifest.json",
)  # fmt: skip


class Crash(Exception):
    """Stands for the process dying."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delivered run."""
    folder = tmp_path_factory.mktemp("finished")
    start_run(
        engine.options(folder, budget=BudgetSpec(attempts=2)), strategist=engine.strategist(2.0, 0.5, 1.0),
        sandbox=engine.sandbox(),
    )  # fmt: skip
    return folder / "run"


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that died in its second attempt."""
    folder = tmp_path_factory.mktemp("crashed")
    played = engine.Played()

    def play(job: Job) -> ExecutionReport:
        if len(played.executed) > 15:
            raise Crash
        return played(job)

    with pytest.raises(Crash):
        start_run(
            engine.options(folder, budget=BudgetSpec(attempts=3)), strategist=engine.strategist(2.0, 0.5, 1.0),
            sandbox=ScriptedSandbox(play),
        )  # fmt: skip
    return folder / "run"


def damaged(run_dir: Path, folder: Path, pattern: str, damage: str) -> Path:
    """Return a copy of the run in which every file of that name is damaged."""
    copy = folder / "run"
    shutil.copytree(run_dir, copy)
    for path in copy.glob(pattern):
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(DAMAGE[damage](path.read_bytes()))
    return copy


def check_resuming(run_dir: Path, *, more: BudgetSpec | None) -> None:
    """Resume: a model, or an error with one line and exit code 2; the model that was there stays whole."""
    before = {p: p.read_bytes() for p in (run_dir / "deliverable").rglob("*") if p.is_file()}
    refused: AutoGLMError | None = None
    try:
        outcome = resume_run(
            run_dir, budget=more, strategist=engine.strategist(2.0, 0.5, 1.0, 0.2), sandbox=engine.sandbox()
        )
    except AutoGLMError as error:
        refused = error
    if refused is not None:
        assert refused.exit_code == 2
        assert "\n" not in str(refused)
        assert before == {p: p.read_bytes() for p in (run_dir / "deliverable").rglob("*") if p.is_file()}
        return
    assert outcome.deliverable is not None
    verify(outcome.deliverable, load_manifest(outcome.deliverable).running)


@pytest.mark.parametrize(("pattern", "damage"), list(zip(FILES, [*DAMAGE, "gone"] * 3, strict=False))[::2])
def test_one_damaged_file_is_survived_or_named(pattern: str, damage: str, finished: Path, tmp_path: Path) -> None:
    """Going on with a finished run after every second file was damaged in one way; the slow test takes all in all ways."""
    check_resuming(damaged(finished, tmp_path, pattern, damage), more=BudgetSpec(attempts=1))


@pytest.mark.slow
@pytest.mark.parametrize("damage", [*DAMAGE, "gone"])
@pytest.mark.parametrize("pattern", FILES)
@pytest.mark.parametrize("state", ["finished", "crashed"])
def test_any_damaged_file_is_survived_or_named(
    state: str, pattern: str, damage: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every file in every way, in a finished run that gets more attempts and in one that died."""
    run_dir = damaged(request.getfixturevalue(state), tmp_path, pattern, damage)
    check_resuming(run_dir, more=BudgetSpec(attempts=1) if state == "finished" else None)


@pytest.mark.parametrize("damage", ["garbage", "nothing", "bits"])
def test_a_damaged_checkpoint_costs_nothing(damage: str, crashed: Path, tmp_path: Path) -> None:
    """The checkpoint is a cursor: without it the run goes on from its journal, and repeats nothing."""
    run_dir = damaged(crashed, tmp_path, "checkpoint.sqlite", damage)
    with closing(sqlite3.connect(run_dir / "journal.sqlite")) as journal:
        recorded = {
            f"{a}-{phase}-{fold}" for a, phase, fold in journal.execute("SELECT attempt, phase, fold FROM executions")
        }
    played = engine.Played()
    outcome = resume_run(run_dir, strategist=engine.strategist(2.0, 0.5, 1.0), sandbox=engine.sandbox(played))
    assert outcome.status == "delivered"
    assert len(recorded) > 10
    assert recorded.isdisjoint(played.executed)


def test_a_changed_table_is_refused(finished: Path, tmp_path: Path) -> None:
    """Training rows that are not those that were read would make every recorded score a lie."""
    run_dir = damaged(finished, tmp_path, "data/*.parquet", "bits")
    with pytest.raises(RunDirectoryError, match=r"is damaged|is not what was read"):
        resume_run(run_dir, budget=BudgetSpec(attempts=1), strategist=engine.strategist(0.2), sandbox=engine.sandbox())


def test_predictions_that_are_others_are_refused(finished: Path, tmp_path: Path) -> None:
    """Numbers that could be probabilities and are not those that were predicted: known by the journal's SHA-256."""
    run_dir = damaged(finished, tmp_path, "nothing", "gone")
    for path in run_dir.glob("objects/*.npy"):
        np.save(path, np.load(path)[::-1].copy())
    with pytest.raises(RunDirectoryError, match="is not what was predicted"):
        resume_run(
            run_dir,
            budget=BudgetSpec(attempts=1),
            strategist=engine.strategist(2.0, 0.5, 1.0, 0.2),
            sandbox=engine.sandbox(),
        )


def test_a_damaged_staged_table_is_written_anew(finished: Path, tmp_path: Path) -> None:
    """What the sandbox sees is derived: it is staged again, and the file has the content that its name promises."""
    run_dir = damaged(finished, tmp_path, "staged/*.parquet", "garbage")
    outcome = resume_run(
        run_dir, budget=BudgetSpec(attempts=1), strategist=engine.strategist(2.0, 0.5, 1.0, 0.2),
        sandbox=engine.sandbox(),
    )  # fmt: skip
    assert outcome.status == "delivered"
    assert any(content_hash(path) == path.stem for path in (run_dir / "staged").iterdir())


@pytest.mark.parametrize("pattern", ["deliverable/solution.py", "deliverable/model/*", "deliverable/manifest.json"])
def test_resuming_mends_a_damaged_deliverable(pattern: str, finished: Path, tmp_path: Path) -> None:
    """What was delivered is written anew from the run, without more budget and without running anything again."""
    run_dir = damaged(finished, tmp_path, pattern, "half")
    outcome = resume_run(run_dir, strategist=engine.strategist(2.0, 0.5, 1.0), sandbox=engine.sandbox())
    assert outcome.deliverable is not None
    verify(outcome.deliverable, load_manifest(outcome.deliverable).running)


@pytest.mark.parametrize("change", [{"layout": 99}, {"run_id": ["a"]}, {"options": {"x": 1}}])
def test_a_header_of_another_kind_is_refused(change: dict[str, object], finished: Path, tmp_path: Path) -> None:
    """Another version, or what no version writes."""
    run_dir = damaged(finished, tmp_path, "nothing", "gone")
    header = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps({**header, **change}))
    with pytest.raises(RunDirectoryError):
        resume_run(run_dir, strategist=engine.strategist(2.0), sandbox=engine.sandbox())


@pytest.mark.parametrize(
    "damage",
    ["UPDATE stages SET result = '{broken'", "UPDATE bundles SET bundle = replace(bundle, 'def fit', 'def fat')"],
    ids=["no JSON", "no bundle"],
)
def test_a_record_that_cannot_be_read_is_refused(damage: str, finished: Path, tmp_path: Path) -> None:
    """A journal that SQLite can read and we cannot."""
    run_dir = damaged(finished, tmp_path, "nothing", "gone")
    with closing(sqlite3.connect(run_dir / "journal.sqlite")) as journal:
        journal.execute(damage)
        journal.commit()
    with pytest.raises(RunDirectoryError, match="is damaged"):
        resume_run(
            run_dir,
            budget=BudgetSpec(attempts=1),
            strategist=engine.strategist(2.0, 0.5, 1.0),
            sandbox=engine.sandbox(),
        )
