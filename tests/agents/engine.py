"""A small world for tests of the state machine: made data, bundles that need no process, a sandbox that plays them.

The fake sandbox "fits" by writing the bundle's number into a model folder and "predicts" from the rows' first feature, so
that scores depend on the code, on PARAMS and on the seed, as real ones do, and a run takes milliseconds.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.sandbox.base import Job
from open_autoglm.sandbox.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import SCHEMA_VERSION, ExecutionReport, Status
from open_autoglm.sandbox.scripted import ScriptedSandbox
from open_autoglm.tools.task import MetricSpec, TaskSpec, TaskType

CODE = '''"""A solution that the scripted sandbox plays."""

PARAMS = {{"noise": {noise!r}}}


def fit(train, ctx):
    """Fit nothing."""
    return None


def predict(model, rows, ctx):
    """Predict nothing."""
    return None
'''


def frame(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=rows)
    label = (x + generator.normal(size=rows) > 0).astype(int)
    return pd.DataFrame({"x": x, "z": generator.normal(size=rows), "label": label})


def csv(folder: Path, rows: int = 600) -> Path:
    path = folder / "train.csv"
    frame(rows).to_csv(path, index=False)
    return path


def task() -> TaskSpec:
    return TaskSpec(prompt="", task_type=TaskType.BINARY, target="label", metric=MetricSpec(name="roc_auc"))


def bundle(noise: float, **traits: str) -> CodeBundle:
    return CodeBundle(
        files={"solution.py": CODE.format(noise=noise)}, author=Author.RECIPES, title=f"noise {noise}", traits=traits
    )


def strategist(*noises: float, **more: object) -> ScriptedStrategist:
    return ScriptedStrategist(task(), [bundle(noise) for noise in noises], **more)  # type: ignore[arg-type]  # passed on


def options(folder: Path, *, data: Path | None = None, **more: object) -> RunOptions:
    values: dict[str, object] = {
        "prompt": "predict the label",
        "data": [data or csv(folder)],
        "out": folder / "run",
        "yes": True,
    }
    return RunOptions.model_validate({**values, **more})


class Played:
    """Plays jobs; counts what was executed, so that a test can see that nothing is done twice."""

    def __init__(self, *, remember: bool = True) -> None:
        self.executed: list[str] = []
        self._remember = remember

    def __call__(self, job: Job) -> ExecutionReport:
        if self._remember:
            self.executed.append(job.execution_id)
        if job.call == "fit":
            self._fit(job)
        elif job.call == "predict":
            _predict(job)
        elif job.call == "notebook":
            shutil.copyfile(job.inputs["notebook"], job.collect / "notebook.ipynb")
        return ExecutionReport(
            schema_version=SCHEMA_VERSION,
            execution_id=job.execution_id,
            phase=job.phase,
            status=Status.STATUS_OK,
            wall_seconds=0.01,
        )

    @staticmethod
    def _fit(job: Job) -> None:
        params = job.context["params"] or {}
        assert isinstance(params, dict)
        noise = params.get("noise", _literal(job.code["solution.py"]))
        model = job.collect / "model"
        model.mkdir(parents=True)
        (model / "model.json").write_text(json.dumps({"noise": noise, "seed": job.context["seed"]}))
        if "check" in job.inputs:
            np.save(
                job.collect / "check.npy", _answers(pd.read_parquet(job.inputs["check"]), noise, job.context["seed"])
            )


def _literal(source: str) -> float:
    return float(source.split('"noise": ')[1].split("}", maxsplit=1)[0])


def _predict(job: Job) -> None:
    model = json.loads((job.inputs["model"] / "model.json").read_text())
    answers = _answers(pd.read_parquet(job.inputs["rows"]), model["noise"], model["seed"])
    batches = job.context.get("batches")
    if isinstance(batches, list):
        answers = np.concatenate([answers[batch] for batch in batches])
    job.collect.mkdir(parents=True, exist_ok=True)
    np.save(job.collect / "predictions.npy", answers)


def _answers(rows: pd.DataFrame, noise: object, seed: object) -> np.ndarray:
    """Answer each row from its own value alone: the more noise, the worse."""
    assert isinstance(noise, int | float)
    assert isinstance(seed, int)
    x = rows["x"].to_numpy()
    wobble = np.sin(1e4 * x + seed % 7) * noise
    p = 1 / (1 + np.exp(-(x + wobble)))
    return np.column_stack([1 - p, p])


def sandbox(played: Played | None = None) -> ScriptedSandbox:
    return ScriptedSandbox(played or Played())
