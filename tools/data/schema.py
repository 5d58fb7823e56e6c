"""What new rows must look like, and making them so: order, names and types as the model saw them in training."""

import re
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, JsonValue

from open_autoglm.errors import InputError
from open_autoglm.tools.data.cells import plain_frame
from open_autoglm.tools.task import Source, TaskSpec
from open_autoglm.tools.words import listed_names, said

Dtype = Literal["integer", "number", "boolean", "string", "datetime", "timedelta"]
MAX_MISSING_COLUMNS = 0.5
"""Of the features; with more of them missing the file is probably another table."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputColumn(_Part):
    """One column that predict gets."""

    name: str
    dtype: Dtype
    feature: bool = True
    """False for ids, weights and columns that the user dropped: nobody misses them."""


class InputSchema(_Part):
    """The columns of new rows, in the order of the training table, without the target."""

    schema_version: Literal[1] = 1
    columns: list[InputColumn]
    target: str
    target_position: int
    """Where the target stood, so that rows without names and without target can still be told apart."""
    ids: list[str] = []
    source: Source
    """How the training table was read; `read.new_rows` reads new files in the same way."""

    @classmethod
    def of(cls, frame: pd.DataFrame, task: TaskSpec, source: Source) -> "InputSchema":
        """Describe a plain training table."""
        roles = task.columns
        aside = {*roles.id, *roles.dropped, *([roles.weight] if roles.weight else [])}
        names = [str(name) for name in frame.columns]
        columns = [
            InputColumn(name=name, dtype=_dtype(frame[name]), feature=name not in aside)
            for name in names
            if name != task.target
        ]
        position = names.index(task.target) if task.target in names else len(names)
        return cls(columns=columns, target=task.target, target_position=position, ids=list(roles.id), source=source)

    @property
    def read(self) -> dict[str, JsonValue]:
        """How the training table was read."""
        return dict(self.source.read)


def check_new_rows(frame: pd.DataFrame, schema: InputSchema) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return new rows with exactly the columns of the schema, in its order, and what had to be changed, in words.

    The target and unknown columns are left out. A missing column is filled with missing values. Text becomes numbers
    where training had numbers, and the other way round. Rows keep their number and order.

    Raises:
        InputError: No rows, or most features are missing.
    """
    frame, changes = plain_frame(frame)
    warnings = list(changes)
    if len(frame) == 0:
        raise InputError("There are no rows to predict.")
    frame = _named(frame, schema, warnings)
    _require_columns(frame, schema, warnings)
    rows = len(frame)
    columns = {}
    for column in schema.columns:
        values = frame[column.name] if column.name in frame.columns else pd.Series(np.nan, index=range(rows))
        columns[column.name] = _as_trained(values, column, warnings)
    result = pd.DataFrame(columns, index=pd.RangeIndex(rows))
    result.columns = pd.Index([c.name for c in schema.columns], dtype="str")
    return result, tuple(warnings)


def _dtype(values: pd.Series) -> Dtype:
    kinds: dict[str, Dtype] = {
        "i": "integer",
        "u": "integer",
        "f": "number",
        "b": "boolean",
        "M": "datetime",
        "m": "timedelta",
    }
    if values.dtype == object:
        return "boolean"
    return "string" if isinstance(values.dtype, pd.StringDtype) else kinds.get(values.dtype.kind, "string")


def _named(frame: pd.DataFrame, schema: InputSchema, warnings: list[str]) -> pd.DataFrame:
    """Give columns the names of training, where they differ by spaces or case, or where there are no names at all."""
    wanted = [c.name for c in schema.columns]
    headerless = schema.source.read.get("header", 0) is None
    if headerless and len(frame.columns) == len(wanted) and [str(i) for i in range(len(wanted))] == list(frame.columns):
        return frame.set_axis(wanted, axis=1)
    known = {_loose(name): name for name in reversed([*wanted, schema.target])}
    present = set(frame.columns)
    renamed: dict[str, str] = {}
    for name in frame.columns:
        meant = known.get(_loose(name))
        if meant is not None and meant not in present and meant not in renamed.values() and name not in known.values():
            renamed[name] = meant
    if renamed:
        warnings.append(
            said(
                "Column names were matched: {names}.",
                names=[said("{old!r} as {new!r}", old=old, new=new) for old, new in list(renamed.items())[:5]],
            )
        )
    return frame.rename(columns=renamed)


def _require_columns(frame: pd.DataFrame, schema: InputSchema, warnings: list[str]) -> None:
    features = [c.name for c in schema.columns if c.feature]
    missing = [name for name in features if name not in frame.columns]
    if not missing:
        return
    listed = listed_names(missing, 8)
    if len(missing) > MAX_MISSING_COLUMNS * len(features):
        there = ", ".join(str(name) for name in frame.columns[:8])
        raise InputError(
            f"{len(missing)} of the {len(features)} columns that the model needs are missing: {listed}. "
            f"The new table has: {there}. Give a table with the columns of the training data."
        )
    warnings.append(
        said(
            "Missing columns were filled with missing values: {names}. The predictions are less sure for it.",
            names=listed,
        )
    )


def _as_trained(values: pd.Series, column: InputColumn, warnings: list[str]) -> pd.Series:
    now = _dtype(values)
    if values.isna().all():
        return _all_missing(values, column.dtype)
    if column.dtype == "string" and now != "string":
        return _as_text(values)
    if column.dtype in ("integer", "number") and now == "string":
        numbers = pd.to_numeric(values.str.strip(), errors="coerce").astype("float64")
        lost = int((numbers.isna() & values.notna()).sum())
        if lost:
            warnings.append(
                said(
                    "{count} values of {column!r} are no numbers, as they were in training, and count as missing.",
                    count=lost,
                    column=column.name,
                )
            )
        return numbers
    if column.dtype in ("integer", "number") and now == "boolean":
        return values.astype("float64") if values.dtype == object else values.astype("int64")
    if column.dtype == "boolean" and now in ("integer", "number", "string"):
        return _as_boolean(values, column, warnings)
    if column.dtype == "datetime" and now == "string":
        return _as_dates(values, column, warnings)
    return values


def _all_missing(values: pd.Series, dtype: Dtype) -> pd.Series:
    empty = {"string": "str", "datetime": "datetime64[us]", "timedelta": "timedelta64[us]", "boolean": "object"}
    if dtype == "boolean":
        return pd.Series([None] * len(values), index=values.index, dtype="object")
    return pd.Series(
        np.nan if dtype in ("integer", "number") else None, index=values.index, dtype=empty.get(dtype, "float64")
    )


def _as_text(values: pd.Series) -> pd.Series:
    """Write numbers as the training file had them: whole ones without `.0`, also where a gap made them floats."""
    if values.dtype.kind == "f":
        present = values.dropna()
        if np.isfinite(present).all() and (present == np.floor(present)).all() and present.abs().max() < 2**53:
            return pd.Series([None if v != v else str(int(v)) for v in values], index=values.index, dtype="str")  # noqa: PLR0124  # NaN
    return values.astype("str").where(values.notna())


def _as_boolean(values: pd.Series, column: InputColumn, warnings: list[str]) -> pd.Series:
    words = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
    found = [None if gap else words.get(str(v).strip().lower()) for v, gap in zip(values, values.isna(), strict=True)]
    lost = sum(1 for v, gap in zip(found, values.isna(), strict=True) if v is None and not gap)
    if lost:
        warnings.append(
            said(
                "{count} values of {column!r} are neither true nor false, as they were in training, and count as missing.",
                count=lost,
                column=column.name,
            )
        )
    result = pd.Series(found, index=values.index, dtype="object")
    return result if result.isna().any() else result.astype(bool)


def _as_dates(values: pd.Series, column: InputColumn, warnings: list[str]) -> pd.Series:
    dates = pd.to_datetime(values, errors="coerce", format="ISO8601")
    lost = int((dates.isna() & values.notna()).sum())
    if lost:
        warnings.append(
            said(
                "{count} values of {column!r} are no dates like 2024-05-31, as they were in training, and count as missing.",
                count=lost,
                column=column.name,
            )
        )
    return dates


def _loose(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).casefold()
