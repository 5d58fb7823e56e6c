"""Honest scores, proved against code that cheats: what one execution learned is of no use to the next.

The solutions here do what a dishonest or careless one would: they remember rows in files, look for labels, tell the future
from what an earlier fold left behind. Labels are random, so that an honest model scores at chance.
"""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.agents import engine

from open_autoglm.agents.journal import Journal
from open_autoglm.agents.run import start_run
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.agents.workspace import Workspace
from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.tools.data.staging import read_parquet
from open_autoglm.tools.task import BudgetSpec

MEMORISER = '''"""Writes down every row it was fitted on, wherever it can, and looks the answers up when it predicts."""

import glob
import json
import os
from pathlib import Path

import numpy as np

PARAMS = {}
PLACES = ["/tmp", "/dev/shm", "/var/tmp", os.getcwd(), os.path.dirname(__file__), os.path.expanduser("~")]


def fit(train, ctx):
    """Leave the rows in every place that can be written."""
    rows = {repr(float(x)): int(y) for x, y in zip(train["x"], train["label"])}
    for place in [*PLACES, str(ctx.work_dir)]:
        try:
            Path(place, f"memory-{os.getpid()}.json").write_text(json.dumps(rows))
        except OSError:
            continue
    return {}


def save(model, directory):
    """Save nothing."""
    (Path(directory) / "model.json").write_text("{}")


def load(directory):
    """Load nothing."""
    return {}


def predict(model, rows, ctx):
    """Look up each row in whatever an earlier execution left."""
    known = {}
    for place in [*PLACES, str(ctx.work_dir)]:
        for path in glob.glob(f"{place}/**/memory-*.json", recursive=True):
            known.update(json.loads(Path(path).read_text()))
    p = np.array([known.get(repr(float(x)), 0.5) for x in rows["x"]])
    return np.column_stack([1 - p, p])
'''


def random_labels(folder: Path) -> Path:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=400), "label": generator.integers(0, 2, 400)})
    path = folder / "random.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_a_memorising_solution_scores_at_chance(tmp_path: Path) -> None:
    """Whatever it writes while one fold runs is gone when the next predicts."""
    bundle = CodeBundle(
        files={"solution.py": MEMORISER}, requirements=["numpy"], author=Author.RECIPES, title="memoriser"
    )
    outcome = start_run(
        engine.options(tmp_path, data=random_labels(tmp_path), budget=BudgetSpec(attempts=1)),
        strategist=ScriptedStrategist(engine.task(), [bundle], repairs=[None]),
        sandbox=BubblewrapSandbox(),
    )

    assert outcome.score.cv_mean == pytest.approx(0.5, abs=0.02)
    assert outcome.score.holdout == pytest.approx(0.5, abs=0.02)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Job]]:
    """A finished run, and every job that the sandbox saw."""
    folder = tmp_path_factory.mktemp("honest")
    box = engine.sandbox()
    start_run(
        engine.options(folder, data=engine.csv(folder), budget=BudgetSpec(attempts=2)),
        strategist=engine.strategist(2.0, 0.5),
        sandbox=box,
    )
    return folder / "run", box.jobs


def opened(root: Path) -> Workspace:
    return Workspace.open(root)


def test_no_sandbox_gets_the_labels_of_the_rows_it_predicts(run: tuple[Path, list[Job]]) -> None:
    """Tables for predict have no target column."""
    _, jobs = run
    predicted = [job for job in jobs if job.call == "predict"]

    assert predicted
    for job in predicted:
        assert "label" not in read_parquet(job.inputs["rows"]).columns


def test_the_search_never_fits_holdout_rows(run: tuple[Path, list[Job]]) -> None:
    """Until the winner is named, no execution holds a holdout row."""
    root, jobs = run
    workspace = opened(root)
    held = set(workspace.train["x"].iloc[workspace.plan.holdout])
    searched = [job for job in jobs if job.phase.startswith(("smoke", "fold"))]

    assert held
    assert searched
    for job in searched:
        table = job.inputs["train" if job.call == "fit" else "rows"]
        assert not held & set(read_parquet(table)["x"])


def test_fit_never_sees_the_rows_of_its_fold(run: tuple[Path, list[Job]]) -> None:
    """Training and validation rows of an execution pair are disjoint."""
    _, jobs = run
    fits = {job.execution_id: set(read_parquet(job.inputs["train"])["x"]) for job in jobs if job.phase == "fold.fit"}
    for job in jobs:
        if job.phase == "fold.predict":
            fitted = fits[job.execution_id.replace("fold.predict", "fold.fit")]
            assert not fitted & set(read_parquet(job.inputs["rows"])["x"])


def test_staged_files_tell_nothing_by_their_names(run: tuple[Path, list[Job]]) -> None:
    """Names are hashes of content: no fold, no file name of the user's."""
    root, _ = run
    for path in (root / "staged").iterdir():
        assert len(path.stem) >= 32
        assert all(character in "0123456789abcdef" for character in path.stem)


def test_the_profile_is_made_without_the_holdout(run: tuple[Path, list[Job]]) -> None:
    """The profile counts the other rows only."""
    workspace = opened(run[0])

    assert workspace.profile.rows == len(workspace.train) - len(workspace.plan.holdout)


def test_the_holdout_is_scored_once_and_after_the_choice(run: tuple[Path, list[Job]]) -> None:
    """No attempt of the search has an execution on holdout rows; the winner has, in finalise."""
    root, jobs = run
    order = [job.phase for job in jobs]
    assert order.index("scored.predict") > max(i for i, phase in enumerate(order) if phase.startswith("fold"))

    journal = Journal(root / "journal.sqlite")
    with sqlite3.connect(root / "journal.sqlite") as db:
        phases = {row[0] for row in db.execute("SELECT DISTINCT phase FROM executions WHERE score IS NOT NULL")}
    journal.close()
    assert phases == {"fold.predict"}


def test_equal_rows_stay_on_one_side(tmp_path: Path) -> None:
    """A row that stands twice is never in training and validation at once."""
    frame = engine.frame(150)
    pd.concat([frame, frame], ignore_index=True).to_csv(tmp_path / "twice.csv", index=False)
    box = engine.sandbox()
    start_run(
        engine.options(tmp_path, data=tmp_path / "twice.csv", budget=BudgetSpec(attempts=1)),
        strategist=engine.strategist(1.0),
        sandbox=box,
    )
    workspace = opened(tmp_path / "run")
    held = set(workspace.train["x"].iloc[workspace.plan.holdout])
    assert not held & set(workspace.train["x"].iloc[workspace.search_rows])
    for fold in workspace.plan.folds:
        assert not set(workspace.train["x"].iloc[fold.train]) & set(workspace.train["x"].iloc[fold.valid])
