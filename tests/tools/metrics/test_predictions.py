"""What a sandbox leaves is refused in one sentence, unless it is exactly the matrix that was asked for."""

import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_autoglm.tools.metrics import InvalidPredictions, Predictions, check_predictions, read_predictions
from open_autoglm.tools.task import TaskType

CLASSES = ("no", "yes")
GOOD = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]])


def saved(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), **options)
    return file.getvalue()


def read(path: Path, content: bytes, rows: int = 3) -> Predictions:
    path = path / "predictions.npy"
    path.write_bytes(content)
    return read_predictions(path, rows=rows, task_type=TaskType.BINARY, classes=CLASSES)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_a_good_matrix_is_read(tmp_path: Path, version: tuple[int, int]) -> None:
    """Probabilities come back as they were, with labels by arg max."""
    predictions = read(tmp_path, saved(GOOD, version=version))

    np.testing.assert_array_equal(predictions.proba, GOOD)
    np.testing.assert_array_equal(predictions.labels, [1, 0, 0])
    np.testing.assert_array_equal(predictions.take(np.array([2, 2])).proba, GOOD[[2, 2]])


def test_a_label_column_is_read(tmp_path: Path) -> None:
    """One more column than classes is the label that the solution chose."""
    predictions = read(tmp_path, saved(np.c_[GOOD, [0.0, 1.0, 1.0]]))

    np.testing.assert_array_equal(predictions.labels, [0, 1, 1])
    np.testing.assert_array_equal(predictions.proba, GOOD)


@pytest.mark.parametrize("array", [np.array([1.5, 2, 3]), np.array([[1.5], [2], [3]])])
def test_numbers_may_be_a_vector_or_a_column(tmp_path: Path, array: np.ndarray) -> None:
    """Both are [n] values."""
    path = tmp_path / "p.npy"
    path.write_bytes(saved(array))

    predictions = read_predictions(path, rows=3, task_type=TaskType.REGRESSION, classes=())

    np.testing.assert_array_equal(predictions.values, [1.5, 2, 3])


def test_quantiles_follow_the_value(tmp_path: Path) -> None:
    """[n, 1 + quantiles], and no other width."""
    path = tmp_path / "p.npy"
    path.write_bytes(saved(np.arange(6.0).reshape(2, 3)))

    predictions = read_predictions(path, rows=2, task_type=TaskType.REGRESSION, classes=(), quantiles=(0.1, 0.9))

    np.testing.assert_array_equal(predictions.values, [0, 3])
    with pytest.raises(InvalidPredictions, match="expected 2 rows of 1 columns"):
        read_predictions(path, rows=2, task_type=TaskType.REGRESSION, classes=())


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1")


BROKEN = {
    "empty": (b"", "0 bytes"),
    "truncated": (saved(GOOD)[:-1], "cut short"),
    "too long": (saved(GOOD) + b"\0", "cut short or too long"),
    "more rows": (saved(np.vstack([GOOD, GOOD])), "shape"),
    "fewer rows": (saved(GOOD[:2]), "expected 3 rows of 2 or 3 columns"),
    "one column": (saved(GOOD[:, 0]), "expected 3 rows"),
    "transposed": (saved(np.ascontiguousarray(GOOD.T)), "shape"),
    "three dimensions": (saved(GOOD.reshape(3, 2, 1)), "matrix in C order"),
    "float32": (saved(np.zeros((3, 4), dtype=np.float32)), "type '<f4'"),
    "integers": (saved(GOOD.astype(np.int64)), "type '<i8'"),
    "big-endian": (saved(GOOD.astype(">f8")), ">f8"),
    "Fortran order": (saved(np.asfortranarray(GOOD)), "C order"),
    "objects": (saved(GOOD.astype(object), allow_pickle=True), "type|header"),
    "a pickle": (pickle.dumps(GOOD), "version 1 or 2"),
    "random bytes": (bytes(range(64)) + bytes(48), "version 1 or 2"),
    "version 3": (saved(GOOD, version=(3, 0)), "version"),
    "huge header": (header("{" + " " * 60000) + bytes(48), "bytes"),
    "huge shape": (header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**18, 2), }\n") + bytes(48), "header"),
    "long shape": (
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000000, 2), }\n") + bytes(48),
        "shape",
    ),
    "negative shape": (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-3, -2), }\n") + bytes(48), "header"),
    "code in the header": (header("__import__('os').abort()\n") + bytes(48), "header"),
    "missing": (saved(np.where(GOOD == 0, np.nan, GOOD)), "row 2.*missing or infinite"),
    "infinite": (saved(np.where(GOOD == 0, np.inf, GOOD)), "missing or infinite"),
    "negative": (saved(GOOD - np.array([[0, 0], [0, 0], [-0.5, 0.5]])), "outside 0 to 1"),
    "above one": (saved(GOOD * 2), "outside 0 to 1"),
    "wrong sums": (saved(GOOD * 0.9), "do not sum to 1"),
    "half a label": (saved(np.c_[GOOD, [0, 0.5, 1]]), "not the number of a class"),
    "label too high": (saved(np.c_[GOOD, [0, 2, 1]]), "not the number of a class"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_refused_in_one_sentence(tmp_path: Path, kind: str) -> None:
    """Each with what is wrong."""
    content, message = BROKEN[kind]

    with pytest.raises(InvalidPredictions, match=message) as refusal:
        read(tmp_path, content)

    assert "\n" not in str(refusal.value)


@pytest.mark.timeout(10)
def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    """A link, a pipe that never answers, a folder and nothing at all are refused, at once."""
    (tmp_path / "real.npy").write_bytes(saved(GOOD))
    (tmp_path / "link.npy").symlink_to(tmp_path / "real.npy")
    os.mkfifo(tmp_path / "pipe.npy")
    (tmp_path / "folder.npy").mkdir()

    for name in ("link", "pipe", "folder", "nothing"):
        with pytest.raises(InvalidPredictions):
            read_predictions(tmp_path / f"{name}.npy", rows=3, task_type=TaskType.BINARY, classes=CLASSES)


def test_a_file_of_another_size_is_not_parsed(tmp_path: Path) -> None:
    """A terabyte of zeros (sparse) is refused by its size alone."""
    path = tmp_path / "p.npy"
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(InvalidPredictions, match="1,099,511,627,776 bytes"):
        read_predictions(path, rows=3, task_type=TaskType.BINARY, classes=CLASSES)


def test_rounding_is_mended_and_no_more() -> None:
    """Sums within 0.001 of 1 and probabilities a hair outside are renormalised."""
    rounded = np.array([[0.3333, 0.6666], [1.0000001, -0.0000001]])

    proba = check_predictions(rounded, rows=2, task_type=TaskType.BINARY, classes=CLASSES).proba

    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba.min() >= 0
    assert proba.max() <= 1


def test_a_matrix_of_another_shape_is_refused() -> None:
    """Also where it does not come from a file."""
    with pytest.raises(InvalidPredictions, match=r"shape \(3, 2\); expected 2 rows of 2 or 3 columns"):
        check_predictions(GOOD, rows=2, task_type=TaskType.BINARY, classes=CLASSES)


FUZZ = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=100, **FUZZ)
@given(st.data())
def test_no_bytes_do_anything_but_be_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Good files with bytes changed or cut: either a checked matrix or a refusal."""
    read_damaged(tmp_path, data)


@pytest.mark.slow
@settings(max_examples=3_000, **FUZZ)
@given(st.data())
def test_no_bytes_do_anything_in_many_tries(tmp_path: Path, data: st.DataObject) -> None:
    """The same, for long."""
    read_damaged(tmp_path, data)


def read_damaged(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(saved(GOOD))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    try:
        predictions = read(tmp_path, bytes(content[:cut]))
    except InvalidPredictions:
        return
    assert np.isfinite(predictions.matrix).all()
    np.testing.assert_allclose(predictions.proba.sum(axis=1), 1)
