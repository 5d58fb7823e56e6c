"""The report's view of a DataProfile: columns, classes and findings, without a cell of the data."""

from collections.abc import Sequence

from open_autoglm.tools.data.profile_model import DataProfile
from open_autoglm.tools.export.story import ColumnSummary, DataSummary
from open_autoglm.tools.task import Label


def summarise(profile: DataProfile, classes: Sequence[Label] = ()) -> DataSummary:
    """Return what the report shows of a table.

    Args:
        profile: Of the rows outside the holdout.
        classes: In the order of the probability columns; empty for regression.
    """
    columns = tuple(
        ColumnSummary(
            name=c.name, kind=c.kind.value, role=c.role, distinct=c.distinct, missing_fraction=c.missing_fraction
        )
        for c in profile.columns
    )
    counts = {str(level.value): level.count for level in profile.target.classes}
    return DataSummary(
        rows=profile.rows,
        columns=columns,
        class_counts=tuple((str(label), counts.get(str(label), 0)) for label in classes),
        target_quantiles=() if classes else _quantiles(profile),
        duplicate_rows=profile.duplicates.rows,
        notes=tuple(suspect.explanation for suspect in profile.suspects),
    )


def _quantiles(profile: DataProfile) -> tuple[tuple[float, float], ...]:
    found = next((c.quantiles for c in profile.columns if c.name == profile.target.name), {})
    return tuple(sorted((float(name.rstrip("%")) / 100, value) for name, value in found.items()))
