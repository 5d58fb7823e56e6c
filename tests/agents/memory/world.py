"""Made briefs for tests of the memory: a long run on a small table."""

from collections.abc import Sequence

from open_autoglm.agents.memory.lessons import LessonStore
from open_autoglm.agents.memory.memory import Memory
from open_autoglm.agents.memory.tokens import Shares
from open_autoglm.agents.strategist import Brief, Operator, Past
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.data.profile_model import ColumnProfile, DataProfile, Duplicates, TargetProfile
from open_autoglm.tools.task import MetricSpec, TaskSpec, TaskType

CODE = '''"""A solution."""

PARAMS = {{"noise": {noise!r}}}


def fit(train, ctx):
    """Fit."""
    return {noise!r}


def predict(model, rows, ctx):
    """Predict."""
    return model
'''


def bundle(noise: float, title: str = "") -> CodeBundle:
    return CodeBundle(
        files={"solution.py": CODE.format(noise=noise)}, author=Author.MODEL, title=title or f"noise {noise}"
    )


def task(kind: TaskType = TaskType.BINARY, metric: str = "roc_auc") -> TaskSpec:
    return TaskSpec(prompt="", task_type=kind, target="y", metric=MetricSpec(name=metric))


def profile(rows: int = 900) -> DataProfile:
    columns = [
        ColumnProfile(name=name, kind=kind, role="feature", dtype="str", distinct=9, missing_fraction=0.0)
        for name, kind in (("secret_x", ColumnKind.NUMERIC), ("secret_z", ColumnKind.CATEGORICAL))
    ]
    return DataProfile(
        rows=rows,
        sampled_rows=rows,
        columns=columns,
        target=TargetProfile(name="y", distinct=2),
        duplicates=Duplicates(rows=0, conflicting=0),
    )


def past(number: int, *, parent: int | None = None, **more: object) -> Past:
    """Return a scored attempt; `more` are its fields."""
    values: dict[str, object] = {
        "attempt_id": f"a{number:04d}",
        "operator": Operator.DRAFT if parent is None else Operator.IMPROVE,
        "parents": () if parent is None else (f"a{parent:04d}",),
        "bundle": bundle(float(number)),
        "params": None,
        "status": "scored",
        "mean": 0.5,
        "standard_error": 0.001,
        **more,
    }
    return Past(**values)  # type: ignore[arg-type]  # fields by name


def brief(attempts: Sequence[Past] = (), **more: object) -> Brief:
    return Brief(task=task(), profile=profile(), classes=(0, 1), past=attempts, **more)  # type: ignore[arg-type]


def memory(*, lessons: LessonStore | None = None, shares: Shares | None = None) -> Memory:
    """Return a memory of a run that shares summaries."""
    return Memory(share="summary", lessons=lessons, shares=shares or Shares())
