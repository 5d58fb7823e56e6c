"""What data sets have in common: the key under which lessons are kept. Coarse on purpose, without names and values."""

from dataclasses import dataclass, fields
from typing import Self

from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.data.profile import DataProfile
from open_autoglm.tools.task import TaskSpec

ROWS = ((1_000, "under 1 k"), (10_000, "1 k to 10 k"), (100_000, "10 k to 100 k"), (1_000_000, "100 k to 1 M"))
COLUMNS = ((10, "under 10"), (50, "10 to 50"), (300, "50 to 300"))
PARTS = ((1e-9, "none"), (0.25, "few"), (0.6, "many"))
"""Shares of the feature columns, or of cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """One data set, seen from far away."""

    task_type: str
    metric: str
    rows: str
    columns: str
    categorical: str
    text: str
    missing: str

    @classmethod
    def of(cls, task: TaskSpec, profile: DataProfile) -> Self:
        """Return the traits of a task on a table."""
        features = [column for column in profile.columns if column.role not in ("target", "id", "dropped", "weight")]
        count = max(1, len(features))
        kinds = [column.kind for column in features]
        return cls(
            task_type=task.task_type.value,
            metric=task.metric.name,
            rows=_bucket(profile.rows, ROWS, "over 1 M"),
            columns=_bucket(len(features), COLUMNS, "over 300"),
            categorical=_bucket(kinds.count(ColumnKind.CATEGORICAL) / count, PARTS, "most"),
            text=_bucket(kinds.count(ColumnKind.TEXT) / count, PARTS, "most"),
            missing=_bucket(sum(column.missing_fraction for column in features) / count, PARTS, "most"),
        )

    def likeness(self, other: Self) -> float:
        """Return 0 to 1: how far what was learned on one may hold on the other. Another kind of task counts most against it."""
        weights = {"task_type": 3.0, "metric": 1.0, "rows": 1.5, "columns": 0.5}
        total = same = 0.0
        for field in fields(self):
            weight = weights.get(field.name, 1.0)
            total += weight
            same += weight if getattr(self, field.name) == getattr(other, field.name) else 0.0
        return same / total


def _bucket(value: float, limits: tuple[tuple[float, str], ...], beyond: str) -> str:
    return next((name for limit, name in limits if value < limit), beyond)
