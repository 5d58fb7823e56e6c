"""The table of predictions: what names a row first, then the prediction, then the probability of every class."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pandas as pd

from open_autoglm.errors import InputError
from open_autoglm.events import Json
from open_autoglm.sandbox.inside.runtime.runtime import Task, to_frame
from open_autoglm.tools.metrics.predictions import Predictions


def assemble(
    rows: pd.DataFrame, answers: Predictions, task: Mapping[str, Json], *, ids: Iterable[str] = (), keep: bool = False
) -> pd.DataFrame:
    """Return one row per input row, in order.

    Args:
        rows: As they came in, before anything was filled or dropped.
        answers: One per row.
        task: What `ctx.task` is inside: the runtime turns the numbers into labels as they stand in the data.
        ids: Columns that pass through, where they are there.
        keep: Pass every column through.
    """
    made = to_frame(answers.matrix, Task.of(task))
    names = {name.casefold() for name in ids}  # new rows may write them in another case
    passed = rows.loc[:, [keep or column.casefold() in names for column in rows.columns]].reset_index(drop=True)
    passed = passed.rename(columns={name: f"{name}_input" for name in passed.columns if name in made.columns})
    return pd.concat([passed, made], axis=1)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write the table so that the file is there whole or not at all; a link's file, and a device or pipe, are written to.

    Raises:
        InputError: The place cannot be written.
    """
    special = path.exists() and not path.is_file() and not path.is_dir()
    place = path if special else path.resolve()
    temporary = path if special else place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        table.to_csv(temporary, index=False)
        if not special:
            temporary.replace(place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"The predictions cannot be written to {str(path)!r}: {reason}. Name another file with -o."
        ) from error
    finally:
        if not special:
            with suppress(OSError):  # the folder of its name is a file, or may not be written
                temporary.unlink(missing_ok=True)
