"""The vendored runtime: how answers become numbers, and scripts that run without this package."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.sandbox.inside.runtime.runtime import Context, Task, read_table, to_frame, to_matrix

BINARY = Task.of({"target": "y", "task_type": "binary", "classes": ["no", "yes"], "unknown": 1})
VALUES = Task(target="y", task_type="regression", quantiles=(0.1, 0.9))
PROBA = np.array([[0.2, 0.8], [0.7, 0.3]])


def test_probabilities_come_in_the_order_of_the_classes() -> None:
    """Named columns are put in order; unnamed ones are taken as they are."""
    frame = pd.DataFrame({"yes": PROBA[:, 1], "no": PROBA[:, 0]})

    for answer in (PROBA, frame, pd.DataFrame(PROBA)):
        assert np.array_equal(to_matrix(answer, BINARY, 2), PROBA)


def test_chosen_labels_become_their_index() -> None:
    """Also where a column of numbers was read back as text, or a bool as a number."""
    frame = pd.DataFrame({0: [0.2, 0.7], 1: [0.8, 0.3], "prediction": ["1", 0]})
    task = Task(target="y", task_type="binary", classes=(0, 1))

    assert to_matrix(frame, task, 2).tolist() == [[0.2, 0.8, 1], [0.7, 0.3, 0]]


@pytest.mark.parametrize(
    ("answer", "task", "message"),
    [
        (np.array([0.1, 0.2]), BINARY, "one probability column per class"),
        (pd.DataFrame({"a": [1.0, 1], "b": [0.0, 0]}), BINARY, "one probability column per class"),
        (pd.DataFrame({"no": [1.0, 1]}), BINARY, "one probability column per class"),
        (PROBA[:1], BINARY, "was given 2 rows and returned 1"),
        (pd.DataFrame({"no": [1.0, 1], "yes": [0.0, 0], "prediction": ["no", "maybe"]}), BINARY, "'maybe'"),
        (PROBA, VALUES, "3 column"),
    ],
)
def test_wrong_answers_say_what_is_wanted(answer: object, task: Task, message: str) -> None:
    """The message is what a strategist repairs by."""
    with pytest.raises(ValueError, match=message):
        to_matrix(answer, task, 2)


def test_numbers_are_one_column_and_their_quantiles() -> None:
    """A Series, an array, a frame."""
    task = Task(target="y", task_type="regression")

    assert to_matrix(pd.Series([1, 2], dtype="Int64"), task, 2).tolist() == [[1.0], [2.0]]
    assert list(to_frame(to_matrix(np.ones((2, 3)), VALUES, 2), VALUES)) == [
        "prediction",
        "quantile_0.1",
        "quantile_0.9",
    ]


def test_a_frame_for_users_has_the_classes_as_they_stand() -> None:
    """The chosen label wins over the largest probability."""
    frame = to_frame(np.column_stack([PROBA, [0, 0]]), BINARY)

    assert frame["prediction"].tolist() == ["no", "no"]
    assert list(frame) == ["prediction", "proba_no", "proba_yes"]
    assert to_frame(PROBA, BINARY)["prediction"].tolist() == ["yes", "no"]


def test_the_context_counts_down() -> None:
    """After the deadline it is time to stop; reports go to whoever listens."""
    heard: list[tuple[float, float]] = []
    late = Context(task=BINARY, params={}, deadline=0.0, on_report=lambda step, value: heard.append((step, value)))
    late.report(1, 0.5)
    Context(task=BINARY, params={}).report(1, 0.5)

    assert late.should_stop()
    assert not Context(task=BINARY, params={}).should_stop()
    assert heard == [(1.0, 0.5)]


def test_a_solution_runs_on_its_own(tmp_path: Path) -> None:
    """Beside `runtime.py`, with other rows than it learned from, ids passed through, rows without a target left out."""
    (tmp_path / "runtime.py").write_bytes(Path(runtime.__file__).read_bytes())
    (tmp_path / "solution.py").write_text(
        "from runtime import script\n"
        "def fit(train, ctx): return train['y'].mean() * ctx.params['scale']\n"
        "def predict(model, rows, ctx): assert list(rows) == ['id', 'x']; return [model] * len(rows)\n"
        "if __name__ == '__main__':\n"
        "    script({'target': 'y', 'task_type': 'regression', 'columns': {'id': ['id']}, 'read': {'sep': ';'}}, {'scale': 2}, fit, predict)\n"
    )
    (tmp_path / "train.csv").write_text("id;x;y\na;1;1\nb;2;3\nc;3;\n")
    (tmp_path / "new.csv").write_text("id;x;y\nd;1;7\n")
    command = [
        sys.executable,
        "-I",
        "-c",
        "import sys, runpy; sys.path.insert(0, '.'); sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')",
    ]

    subprocess.run([*command, "solution.py", "train.csv", "new.csv", "out.csv"], cwd=tmp_path, check=True)
    assert (tmp_path / "out.csv").read_text() == "id,prediction\nd,4.0\n"


def test_parquet_is_read_by_its_suffix(tmp_path: Path) -> None:
    """Column names are text."""
    pd.DataFrame({"1": [1]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("1\n")

    assert list(read_table(tmp_path / "a.parquet")) == ["1"]
    assert list(read_table(tmp_path / "a.csv", {"header": None})) == ["0"]


def test_a_column_has_one_type_however_long_the_file(tmp_path: Path) -> None:
    """Read in pieces, a late text would leave numbers and texts in one column."""
    (tmp_path / "long.csv").write_text("x\n" + "1\n" * 300_000 + "z\n")

    assert set(read_table(tmp_path / "long.csv")["x"].map(type)) == {str}
    (tmp_path / "two.csv").write_text("a::b\n1::2\n")
    assert read_table(tmp_path / "two.csv", {"sep": "::", "engine": "python"}).shape == (1, 2)


def test_what_the_host_found_out_about_a_file_serves_every_format(tmp_path: Path) -> None:
    """A member of a zip file, a sheet of a workbook; keys for other formats are left out."""
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("a.csv", "x;y\n1;2\n")
        archive.writestr("b.csv", "x\n3\n")
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"x": [4]}).to_excel(book, sheet_name="one", index=False)
        pd.DataFrame({"x": [5]}).to_excel(book, sheet_name="two", index=False)
    (tmp_path / "plain.csv").write_text("x;y\n6;7\n")
    read = {"member": "a.csv", "sep": ";", "compression": "zip", "format": "csv", "table": "t"}

    assert read_table(tmp_path / "both.zip", read).to_numpy().tolist() == [[1, 2]]
    assert read_table(tmp_path / "book.xlsx", {"sheet": "two"})["x"].tolist() == [5]
    assert read_table(tmp_path / "plain.csv", {"member": "a.csv", "sep": ";"}).to_numpy().tolist() == [[6, 7]]


def test_a_script_writes_what_a_user_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, as the program of the next test does in its own."""
    (tmp_path / "train.csv").write_text("id,x,y\na,1,1\nb,2,3\nc,3,\n")
    (tmp_path / "new.csv").write_text("id,x\nd,1\n")
    task = {"target": "y", "task_type": "regression", "columns": {"id": ["id"]}}

    def fit(train: pd.DataFrame, ctx: Context) -> float:
        return float(train["y"].mean() * ctx.params["scale"])

    def predict(model: float, rows: pd.DataFrame, ctx: Context) -> list[float]:
        return [model] * len(rows)

    monkeypatch.setattr(
        sys, "argv", ["solution.py", *(str(tmp_path / name) for name in ("train.csv", "new.csv", "out.csv"))]
    )
    runtime.script(task, {"scale": 2}, fit, predict)
    assert (tmp_path / "out.csv").read_text() == "id,prediction\nd,4.0\n"
    monkeypatch.setattr(sys, "argv", ["solution.py"])
    with pytest.raises(SystemExit, match=r"usage: python solution\.py TRAIN NEW OUT"):
        runtime.script(task, {"scale": 2}, fit, predict)
