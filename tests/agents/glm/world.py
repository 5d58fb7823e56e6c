"""A made table and briefs about it, a desk with a scripted model, and a solution that a model could have written."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from open_autoglm.agents.glm.desk import Desk
from open_autoglm.agents.glm.scripted import Scripted, ScriptedGLM
from open_autoglm.agents.glm.sharing import Share
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.memory.memory import Memory
from open_autoglm.agents.strategist import Brief, Operator, Past, Request
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.tools.data.profile import profile_table
from open_autoglm.tools.data.sketch import sketch
from open_autoglm.tools.task import ColumnRoles, MetricSpec, SourceRole, TaskSpec, TaskType

INSTALLED = {
    "numpy": "2.4.6", "pandas": "3.1.1", "scipy": "1.17.1", "scikit-learn": "1.9.1", "lightgbm": "4.7.0", "catboost": "1.2.10",
    "joblib": "1.6.0",
}  # fmt: skip
"""What the tests take to be installed, so that prompts are the same everywhere."""

SOLUTION = '''"""Logistic regression on scaled numbers."""

import pandas as pd
from runtime import Context
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PARAMS = {"C": 1.0, "max_iter": 200, "balanced": False}
NUMBERS = ["age", "income"]


def features(rows):
    return rows[NUMBERS].fillna(0.0)


def fit(train: pd.DataFrame, ctx: Context):
    weight = "balanced" if ctx.params["balanced"] else None
    model = LogisticRegression(C=ctx.params["C"], max_iter=ctx.params["max_iter"], class_weight=weight)
    return make_pipeline(StandardScaler(), model).fit(features(train), train[ctx.task.target])


def predict(model, rows: pd.DataFrame, ctx: Context):
    return pd.DataFrame(model.predict_proba(features(rows)), columns=model.classes_)
'''


def frame(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    age, income = rng.normal(40, 12, rows).round(1), rng.lognormal(10, 0.5, rows).round(0)
    late = rng.random(rows) < 1 / (1 + np.exp((age - 35) / 10))
    return pd.DataFrame(
        {
            "customer": [f"C{number:05d}" for number in range(rows)],
            "age": np.where(rng.random(rows) < 0.1, np.nan, age),
            "income": income,
            "city": rng.choice(["Lyon", "Oslo", "Turin"], rows),
            "paid": np.where(late, "late", "in time"),
        }
    )


def task(**more: object) -> TaskSpec:
    values: dict[str, object] = {
        "prompt": "Which customers pay late?",
        "task_type": TaskType.BINARY,
        "target": "paid",
        "positive": "late",
        "columns": ColumnRoles(id=["customer"]),
        "metric": MetricSpec(name="roc_auc"),
    }
    return TaskSpec.model_validate({**values, **more})


def brief(past: Sequence[Past] = (), **more: object) -> Brief:
    spec = task()
    values: dict[str, object] = {
        "task": spec, "profile": profile_table(frame(), spec), "classes": ("in time", "late"), "past": past, "seed": 7,
        "attempt_id": "a0004", "fold_seconds": 45.0,
    }  # fmt: skip
    return Brief(**{**values, **more})  # type: ignore[arg-type]  # fields by name


def request(prompt: str = "Which customers pay late?", **more: object) -> Request:
    return Request(prompt=prompt, tables={SourceRole.TRAIN: sketch(frame(), "customers")}, **more)  # type: ignore[arg-type]  # fields by name


def bundle(source: str = SOLUTION, *, author: Author = Author.MODEL, title: str = "Scaled numbers") -> CodeBundle:
    return CodeBundle(files={"solution.py": source}, author=author, title=title)


def past(name: str = "a0003", **more: object) -> Past:
    values: dict[str, object] = {
        "attempt_id": name, "operator": Operator.DRAFT, "parents": (), "bundle": bundle(), "params": None, "status": "scored",
        "mean": 0.71234567, "standard_error": 0.0123, "fit_seconds": 0.61,
    }  # fmt: skip
    return Past(**{**values, **more})  # type: ignore[arg-type]  # fields by name


def model(answers: Mapping[Purpose, Iterable[Scripted]]) -> ScriptedGLM:
    return ScriptedGLM(answers)


def desk(glm: ScriptedGLM, share: Share = "summary") -> Desk:
    return Desk(model=glm, share=share, installed=INSTALLED, memory=Memory(share=share))


def fenced(source: str) -> str:
    return f"solution.py\n```python\n{source}```\n"
