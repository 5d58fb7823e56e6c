"""A small hand-written solution, fitted by hand, and the deliverable made of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Session
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.tools.data.schema import InputSchema
from open_autoglm.tools.export.delivery import Delivery
from open_autoglm.tools.export.story import ColumnSummary, DataSummary, Environment, RunStory, Scores
from open_autoglm.tools.task import ColumnRoles, Label, MetricSpec, Source, TaskSpec, TaskType

SOLUTION = '''"""Probability of each class by distance to the mean of `x`."""

import json

import numpy as np
import pandas as pd
from runtime import Context

TASK = {"target": "y", "task_type": "binary", "metric": "log_loss", "classes": CLASSES}
PARAMS = {"width": 1.0}


def number(rows):
    return pd.to_numeric(rows["x"], errors="coerce").fillna(0.0).to_numpy(dtype=float)


def fit(train, ctx: Context):
    x = number(train)
    return {str(c): float(x[(train["y"] == c).to_numpy()].mean()) for c in ctx.task.classes}


def predict(model, rows, ctx: Context):
    x = number(rows)[:, None]
    means = np.array([model[str(c)] for c in ctx.task.classes])
    weight = np.exp(-np.abs(x - means) / ctx.params["width"])
    return weight / weight.sum(axis=1, keepdims=True)


def save(model, directory):
    (directory / "means.json").write_text(json.dumps(model))


def load(directory):
    return json.loads((directory / "means.json").read_text())


if __name__ == "__main__":
    from runtime import script

    script(TASK, PARAMS, fit, predict)
'''
LABELS: dict[str, tuple[Label, ...]] = {
    "int": (0, 1),
    "bool": (False, True),
    "text": ("no", "yes, it is"),
    "float": (0.5, 1.5),
}


def train_table(classes: tuple[Label, ...]) -> pd.DataFrame:
    """Return 60 rows: an id, a number, a word, the target."""
    code = np.arange(60) % 2
    x = code * 4.0 + np.sin(np.arange(60))
    frame = pd.DataFrame(
        {"id": [f"r{i:03}" for i in range(60)], "x": x, "word": ["a", "b", "c"] * 20, "y": [classes[c] for c in code]}
    )
    frame.loc[3, "x"] = np.nan
    return frame


def story(run_id: str = "made") -> RunStory:
    """Return a run of one attempt."""
    return RunStory(
        run_id=run_id, created="2026-01-02T03:04:05+00:00", prompt="Predict y", target="y", task_type="binary", best_attempt="a1",
        best_title="Distance to the mean", scores=Scores(metric="log_loss", greater_is_better=False, cv_mean=0.2, cv_se=0.01),
        data=DataSummary(rows=60, columns=(ColumnSummary(name="x", kind="numeric"),)), environment=Environment(python="3.11", platform="Linux"),
    )  # fmt: skip


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[..., Delivery]:
    """Return a function that makes what finalise would hand over; the model is fitted by hand."""

    def make(labels: str = "int", **changes: object) -> Delivery:
        classes = LABELS[labels]
        frame = train_table(classes)
        model = tmp_path / "objects" / "model"
        model.mkdir(parents=True, exist_ok=True)
        (model / "means.json").write_text(
            json.dumps({str(c): float(frame.loc[frame["y"] == c, "x"].mean()) for c in classes})
        )
        frame.to_csv(tmp_path / "train.csv", index=False)
        frame.to_parquet(tmp_path / "staged.parquet")
        task = TaskSpec(
            prompt="Predict y", task_type=TaskType.BINARY, target="y", columns=ColumnRoles(id=["id"]), metric=MetricSpec(name="log_loss"),
            sources=[Source(uri=str(tmp_path / "train.csv"), format="csv", read={"sep": ",", "header": 0, "encoding": "utf-8"})],
        )  # fmt: skip
        bundle = CodeBundle(
            files={"solution.py": SOLUTION.replace("CLASSES", repr(list(classes)))},
            author=Author.RECIPES,
            title="Distance",
        )
        known = {
            "directory": tmp_path, "run_id": "made", "task": task, "schema": InputSchema.of(frame, task, task.sources[0]), "classes": classes, "bundle": bundle,
            "params": {"width": 0.5}, "seed": 7, "model": model, "scored_model": tmp_path / "other", "story": story(),
            "runtime_source": Path(runtime.__file__).read_text(encoding="utf-8"),
        }  # fmt: skip
        return Delivery(**(known | changes))  # type: ignore[arg-type]  # changes are fields by name

    return make


@pytest.fixture(scope="session")
def warm_session() -> Iterator[Session]:
    """Return one warm session of the process sandbox, for all tests of tools."""
    opened = ProcessSandbox().open(cpus=1)
    yield opened
    opened.close()
