"""What is known about one column."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from open_autoglm.tools.data.kinds import ColumnKind, Judgement, judge, number_kind, numbers_in, plain_value
from open_autoglm.tools.data.numbers import QUANTILES, Numbers
from open_autoglm.tools.data.profile_model import ColumnProfile, Level, Role, TargetProfile, TextSummary
from open_autoglm.tools.task import Label, TaskSpec

Floats = npt.NDArray[np.float64]
_QUANTILE_NAMES = [f"{q * 100:g}%" for q in QUANTILES]
LEVELS = 50
"""So many of the most frequent values are kept."""
FEW_DISTINCT = 50
"""Numbers with at most so many values are also listed as levels."""
MAX_LEVEL_CHARACTERS = 200


def profile_column(values: pd.Series, name: str, role: Role, missing_fraction: float) -> ColumnProfile:
    """Profile the rows looked at of one plain column that is no numbers; `missing_fraction` is of all rows."""
    present = values.dropna()
    counts = present.value_counts()
    found = judge(values, name, len(counts))
    numbers = _numbers(present, found.kind)
    finite = numbers[np.isfinite(numbers)]
    measured = len(finite) > 0
    return ColumnProfile(
        name=name,
        kind=found.kind,
        role=role,
        dtype=str(values.dtype),
        distinct=len(counts),
        missing_fraction=missing_fraction,
        quantiles=dict(zip(_QUANTILE_NAMES, (np.quantile(finite / 2, QUANTILES) * 2).tolist(), strict=True))
        if measured
        else {},
        mean=_finite(float((finite / len(finite)).sum())) if measured else None,  # divided first: the sum may overflow
        whole_numbers=bool((finite == np.floor(finite)).all()) if measured else None,
        negative=bool((finite < 0).any()) if measured else None,
        infinite=int(np.isinf(numbers).sum()),
        levels=_levels(counts, found.kind),
        text=_summary(found),
        date_format=found.date_format,
        unit=found.unit,
    )


def profile_numbers(numbers: Numbers, name: str, dtype: str, role: Role, missing_fraction: float) -> ColumnProfile:
    """Profile a column of numbers from what is known of the rows looked at; `missing_fraction` is of all rows."""
    kind = number_kind(numbers, name)
    measured = len(numbers.quantiles) > 0
    listed = kind not in (ColumnKind.IDENTIFIER, ColumnKind.EMPTY) and numbers.distinct <= FEW_DISTINCT
    return ColumnProfile(
        name=name,
        kind=kind,
        role=role,
        dtype=dtype,
        distinct=numbers.distinct,
        missing_fraction=missing_fraction,
        quantiles=dict(zip(_QUANTILE_NAMES, numbers.quantiles, strict=True)) if measured else {},
        mean=numbers.mean,
        whole_numbers=numbers.whole if measured else None,
        negative=numbers.negative if measured else None,
        infinite=numbers.infinite,
        levels=[Level(value=plain_value(v), count=n) for v, n in numbers.counts[:LEVELS]] if listed else [],
    )


def profile_target(values: pd.Series, task: TaskSpec) -> TargetProfile:
    """Profile all values of the target, none of which is missing."""
    counts = values.value_counts()
    if task.task_type.is_classification:
        classes = [Level(value=plain_value(v), count=int(n)) for v, n in counts.items()]
        smallest = min((level.count for level in classes), default=0) / max(1, len(values))
        return TargetProfile(name=task.target, classes=classes, minority_fraction=smallest, distinct=len(counts))
    numbers = target_numbers(values)
    finite = numbers[np.isfinite(numbers)]
    if len(finite) == 0:
        return TargetProfile(name=task.target, distinct=len(counts))
    at_top = float((finite == finite.max()).mean())
    whole = bool((finite == np.floor(finite)).all() and finite.min() >= 0)
    return TargetProfile(
        name=task.target,
        distinct=len(counts),
        skew=_skew(finite),
        log_skew=_skew(np.log1p(finite)) if finite.min() >= 0 else None,
        count_like=whole and len(counts) > 20,
        capped_fraction=at_top if at_top >= 0.01 and len(counts) > 50 else 0.0,
    )


def target_numbers(values: pd.Series) -> Floats:
    """Return a regression target as float64 [rows], NaN where it is no number."""
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)


def _numbers(present: pd.Series, kind: ColumnKind) -> Floats:
    if kind is ColumnKind.NUMERIC_TEXT:
        numbers = numbers_in(present).to_numpy(dtype="float64")
        return numbers[~np.isnan(numbers)]
    return np.empty(0)


def _levels(counts: pd.Series, kind: ColumnKind) -> list[Level]:
    if kind in (ColumnKind.TEXT, ColumnKind.IDENTIFIER, ColumnKind.EMPTY):
        return []
    if kind in (ColumnKind.NUMERIC, ColumnKind.DATETIME, ColumnKind.NUMERIC_TEXT) and len(counts) > FEW_DISTINCT:
        return []
    return [Level(value=_shortened(plain_value(value)), count=int(n)) for value, n in counts.iloc[:LEVELS].items()]


def _shortened(value: Label) -> Label:
    return value[:MAX_LEVEL_CHARACTERS] if isinstance(value, str) else value


def _summary(found: Judgement) -> TextSummary | None:
    shape = found.shape
    if shape is None:
        return None
    return TextSummary(
        mean_words=shape.mean_words, mean_characters=shape.mean_characters, longest=shape.longest,
        blank_fraction=shape.blank_fraction, chinese=shape.chinese,
    )  # fmt: skip


def _skew(numbers: Floats) -> float | None:
    """Return the third standardised moment; None where it is not defined."""
    with np.errstate(all="ignore"):
        scaled = numbers / max(float(np.abs(numbers).max()), 1e-300)
        centred = scaled - scaled.mean()
        spread = float(centred.std())
        return _finite(float((centred**3).mean() / spread**3)) if spread > 1e-12 else None


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
