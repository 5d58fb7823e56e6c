"""The raw file of a set, cell by cell: rows are written again in the file's own form, as a user would have them.

Separator, header, encoding, compression and the spelling of every cell stay. Only rows and columns are left out.
"""

import csv
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from open_autoglm.errors import InputError
from open_autoglm.evals.suite import DataSet, ReadHints

Rows = npt.NDArray[np.int64]


class RawTable(Protocol):
    """A file whose rows can be read as pandas reads them, and written again in part."""

    @property
    def frame(self) -> pd.DataFrame:
        """All rows, typed; column names as text."""
        ...

    def write_training(self, rows: Rows, path: Path) -> None:
        """Write labelled rows; the columns that tell the target are left out."""
        ...

    def write_new(self, rows: Rows, path: Path) -> None:
        """Write rows without their target: the column is left out, or emptied where only its place names it."""
        ...


def open_raw(item: DataSet) -> RawTable:
    """Return the raw file of a set.

    Raises:
        InputError: The file and its description do not fit.
    """
    table = ParquetTable(item) if item.file.suffix == ".parquet" else TextTable(item)
    if str(item.meta.target) not in table.frame.columns:
        raise InputError(f"{item.file} has no column {item.meta.target!r}, which its meta.json names as target.")
    if len(table.frame) != item.meta.rows:
        raise InputError(f"{item.file} has {len(table.frame)} rows, its meta.json says {item.meta.rows}.")
    return table


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file."""

    item: DataSet

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All rows, typed."""
        return pd.read_parquet(self.item.file)

    def write_training(self, rows: Rows, path: Path) -> None:
        """Write labelled rows."""
        self._write(rows, path, self.item.meta.drop_for_task)

    def write_new(self, rows: Rows, path: Path) -> None:
        """Write rows without the target."""
        self._write(rows, path, [*self.item.meta.drop_for_task, str(self.item.meta.target)])

    def _write(self, rows: Rows, path: Path, without: Sequence[str]) -> None:
        table = pq.read_table(self.item.file)
        pq.write_table(table.drop_columns([c for c in without if c in table.column_names]).take(pa.array(rows)), path)


@dataclass(frozen=True)
class TextTable:
    """A file with one record per row; blank lines are no rows, as pandas has it."""

    item: DataSet

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All rows, typed as pandas types them."""
        hints = self._hints
        frame = pd.read_csv(self.item.file, sep=hints.sep, header=hints.header, encoding=hints.encoding)
        return frame.set_axis([str(name) for name in frame.columns], axis=1)

    @property
    def _hints(self) -> ReadHints:
        return self.item.meta.read

    def write_training(self, rows: Rows, path: Path) -> None:
        """Write labelled rows."""
        self._write(rows, path, without=self.item.meta.drop_for_task, emptied=())

    def write_new(self, rows: Rows, path: Path) -> None:
        """Write rows without the target."""
        target = str(self.item.meta.target)
        dropped = self.item.meta.drop_for_task
        if self._hints.header is None:  # without a header a column is known by its place: it must stay
            self._write(rows, path, without=dropped, emptied=(target,))
        else:
            self._write(rows, path, without=[*dropped, target], emptied=())

    def _write(self, rows: Rows, path: Path, *, without: Sequence[str], emptied: Sequence[str]) -> None:
        names = list(self.frame.columns)
        kept = [i for i, name in enumerate(names) if name not in without]
        blank = {names.index(name) for name in emptied}
        records = self._records
        with _text_opener(path)(path, "wt", encoding=self._hints.encoding, newline="") as file:
            writer = csv.writer(file, delimiter=self._hints.sep, lineterminator="\n")
            if self._hints.header is not None:
                writer.writerow([records[0][i] for i in kept])
            first = 0 if self._hints.header is None else 1
            for row in rows:
                record = records[first + row]
                writer.writerow(["" if i in blank else record[i] for i in kept])

    @cached_property
    def _records(self) -> list[list[str]]:
        path = self.item.file
        width = len(self.frame.columns)
        with _text_opener(path)(path, "rt", encoding=self._hints.encoding, newline="") as file:
            records = [record for record in csv.reader(file, delimiter=self._hints.sep) if record]
        expected = len(self.frame) + (0 if self._hints.header is None else 1)
        if len(records) != expected or any(len(record) != width for record in records):
            raise InputError(f"{path} cannot be cut: its records are not {expected} lines of {width} cells.")
        return records


def _text_opener(path: Path) -> Callable[..., IO[str]]:
    return gzip.open if path.suffix == ".gz" else open
