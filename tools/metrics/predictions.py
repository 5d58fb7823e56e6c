"""Predictions as they come back from a sandbox: one `.npy` matrix, hostile until every number in it was checked.

What is covered: the file is a regular one, its size fits the expected shape before a byte of it is parsed, the header is
small and says little-endian float64 in C order, nothing is ever unpickled, every number is finite and in its range.
What is not covered: whether the predictions are any good.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from open_autoglm.errors import AutoGLMError
from open_autoglm.tools.task import Label, TaskType

Floats: TypeAlias = npt.NDArray[np.float64]

MAX_HEADER_BYTES = 1024
"""numpy writes 128 for any matrix of numbers."""
PROBABILITY_TOLERANCE = 1e-6
"""How far outside [0, 1] rounding may put a probability."""
SUM_TOLERANCE = 1e-3
"""How far from 1 rounding may put the sum of a row of probabilities."""

_HEADER = re.compile(
    rb"\{'descr': '([<>|=]\w{1,8})', 'fortran_order': (True|False), 'shape': \((\d{1,15},|\d{1,15}(?:, \d{1,15}){1,31})\), \} *\n"
)


class InvalidPredictions(AutoGLMError):
    """Predictions that cannot be scored: wrong shape, not finite, no probabilities. The attempt failed, not the run."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """Checked predictions of some rows, in their order."""

    matrix: Floats
    """Classification: [n, classes] probabilities, and one more column where a label was chosen (its class code).
    Else [n, 1 + quantiles]: the value, then the quantiles."""
    classes: tuple[Label, ...]
    """In the order of the columns; the last of two is the positive one; empty where numbers are predicted."""
    task_type: TaskType
    quantiles: tuple[float, ...] = ()

    @property
    def proba(self) -> Floats:
        """[n, classes] probabilities, rows sum to 1."""
        return self.matrix[:, : len(self.classes)]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """[n] class codes: the chosen label where there is one, else the most probable class (the first of equals)."""
        if self.matrix.shape[1] > len(self.classes):
            return self.matrix[:, -1].astype(np.int64)
        return np.argmax(self.matrix, axis=1).astype(np.int64)

    @property
    def values(self) -> Floats:
        """[n] predicted numbers."""
        return self.matrix[:, 0]

    def take(self, rows: npt.NDArray[np.int64]) -> "Predictions":
        """Pick rows by number, also repeatedly."""
        return Predictions(
            matrix=self.matrix[rows], classes=self.classes, task_type=self.task_type, quantiles=self.quantiles
        )


def read_predictions(
    path: Path, *, rows: int, task_type: TaskType, classes: tuple[Label, ...], quantiles: tuple[float, ...] = ()
) -> Predictions:
    """Read what a sandbox left and check every number of it.

    Args:
        path: `predictions.npy`, written by untrusted code.
        rows: How many rows were asked for.
        task_type: Decides between probabilities and values.
        classes: In the order of the probability columns.
        quantiles: Columns after the value of a regression.

    Raises:
        InvalidPredictions: The file cannot be read as such a matrix, or a number in it is impossible.
    """
    widths = _widths(task_type, classes, quantiles)
    with _open_regular(path) as file:
        matrix = _read_matrix(file, rows, widths)
    return check_predictions(matrix, rows=rows, task_type=task_type, classes=classes, quantiles=quantiles)


def check_predictions(
    matrix: Floats, *, rows: int, task_type: TaskType, classes: tuple[Label, ...], quantiles: tuple[float, ...] = ()
) -> Predictions:
    """Check a matrix of predictions; probabilities are clipped and renormalised within rounding, never beyond.

    Raises:
        InvalidPredictions: Wrong shape, a number that is not finite, or rows that are no probabilities.
    """
    table = np.asarray(matrix, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    widths = _widths(task_type, classes, quantiles)
    if table.ndim != 2 or len(table) != rows or table.shape[1] not in widths:
        raise InvalidPredictions(f"Predictions have the shape {table.shape}; {_expected(rows, widths)}.")
    broken = np.logical_not(np.isfinite(table)).any(axis=1)
    if broken.any():
        raise InvalidPredictions(f"{_count(broken)} hold a value that is missing or infinite.")
    if task_type.is_classification:
        table = _check_probabilities(table, len(classes))
    return Predictions(matrix=table, classes=classes, task_type=task_type, quantiles=quantiles)


def _widths(task_type: TaskType, classes: tuple[Label, ...], quantiles: tuple[float, ...]) -> tuple[int, ...]:
    if task_type.is_classification:
        return (len(classes), len(classes) + 1)
    return (1 + len(quantiles),)


def _expected(rows: int, widths: tuple[int, ...]) -> str:
    return f"expected {rows} rows of {' or '.join(str(width) for width in widths)} columns"


def _count(broken: npt.ArrayLike) -> str:
    broken = np.asarray(broken)
    return f"{int(broken.sum()):,} of {len(broken):,} rows (the first is row {int(np.argmax(broken))})"


def _open_regular(path: Path) -> BinaryIO:
    """Open a file that is one: no link is followed, no pipe waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidPredictions(f"There is no file of predictions to read ({error.strerror}).") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidPredictions("Predictions are not a regular file.")
    return os.fdopen(descriptor, "rb")


def _read_matrix(file: BinaryIO, rows: int, widths: tuple[int, ...]) -> Floats:
    bytes_there = os.fstat(file.fileno()).st_size
    if not any(0 < bytes_there - rows * width * 8 <= MAX_HEADER_BYTES for width in widths):
        raise InvalidPredictions(f"The file of predictions has {bytes_there:,} bytes; {_expected(rows, widths)}.")
    content = file.read(bytes_there)
    start, shape = _read_header(content[:MAX_HEADER_BYTES])
    width = shape[1] if len(shape) == 2 else 1
    if shape[0] != rows or width not in widths:
        raise InvalidPredictions(f"Predictions have the shape {shape}; {_expected(rows, widths)}.")
    if len(content) != start + rows * width * 8:
        raise InvalidPredictions(f"The file of predictions is cut short or too long for its shape {shape}.")
    return np.frombuffer(content, dtype="<f8", offset=start).reshape(rows, width)


def _read_header(head: bytes) -> tuple[int, tuple[int, ...]]:
    """Return where the numbers begin and their shape. The header must read as numpy writes it: no literal is evaluated."""
    if head[:6] != b"\x93NUMPY" or head[6:8] not in (b"\x01\x00", b"\x02\x00"):
        raise InvalidPredictions("Predictions do not begin as a .npy file of version 1 or 2.")
    length = 2 if head[6] == 1 else 4
    start = 8 + length + int.from_bytes(head[8 : 8 + length], "little")
    found = _HEADER.fullmatch(head[8 + length : start])
    if start > MAX_HEADER_BYTES or found is None:
        raise InvalidPredictions("Predictions do not have the header of a .npy file.")
    dtype, fortran, shape = (part.decode("ascii") for part in found.groups())
    if dtype != "<f8":
        raise InvalidPredictions(f"Predictions are of type {dtype!r}; expected float64 ('<f8').")
    sizes = tuple(int(size) for size in shape.split(",") if size.strip())
    if fortran == "True" or len(sizes) not in (1, 2):
        raise InvalidPredictions("Predictions must be a matrix in C order.")
    return start, sizes


def _check_probabilities(table: Floats, classes: int) -> Floats:
    proba, label = table[:, :classes], table[:, classes:]
    outside = ((proba < -PROBABILITY_TOLERANCE) | (proba > 1 + PROBABILITY_TOLERANCE)).any(axis=1)
    if outside.any():
        raise InvalidPredictions(f"{_count(outside)} hold a probability outside 0 to 1.")
    off = np.abs(proba.sum(axis=1) - 1) > SUM_TOLERANCE
    if off.any():
        raise InvalidPredictions(f"The probabilities of {_count(off)} do not sum to 1.")
    strange = ((label != np.floor(label)) | (label < 0) | (label >= classes)).any(axis=1)
    if strange.any():
        raise InvalidPredictions(f"The chosen labels of {_count(strange)} are not the number of a class.")
    clipped = np.clip(proba, 0, 1)
    return np.hstack([clipped / clipped.sum(axis=1, keepdims=True), label])
