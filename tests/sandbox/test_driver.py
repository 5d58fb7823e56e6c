"""The calls of the runtime, run for real: fit, predict, script, notebook."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from tests.sandbox import measured

from open_autoglm.events import Json
from open_autoglm.sandbox.backends.process import ProcessLauncher
from open_autoglm.sandbox.base import Job, Limits, Session, Wheelhouse
from open_autoglm.sandbox.inside.runtime.driver import NO_SOCKETS
from open_autoglm.sandbox.report import ExecutionReport, Status, failure_line
from open_autoglm.sandbox.supervision.session import SupervisedSession

SOLUTION = """
import random
import numpy as np
PARAMS = {"a": 1, "b": 2}

def fit(train, ctx):
    ctx.report(1, 0.5)
    assert ctx.n_jobs == 2 and ctx.task.classes == ("n", "y") and 0 < ctx.seconds_left() < 20
    return {"params": dict(ctx.params), "rate": float((train["y"] == "y").mean()), "drawn": random.random()}

def predict(model, rows, ctx):
    assert list(rows.index) == list(range(len(rows)))
    return np.column_stack([np.full(len(rows), float(len(rows))), rows["x"]])

if __name__ == "__main__":
    from runtime import script
    script({"target": "y", "task_type": "binary", "classes": ["n", "y"]}, PARAMS, fit, predict)
"""
SAVES = (
    SOLUTION.replace("import random", "import json, random")
    + """
def save(model, directory): (directory / "m.json").write_text(json.dumps(model))
def load(directory): return json.loads((directory / "m.json").read_text())
"""
)
CONTEXT: Mapping[str, Json] = {
    "task": {"target": "y", "task_type": "binary", "classes": ["n", "y"], "metric": "roc_auc", "columns": {}},
    "params": None,
    "seed": 3,
    "n_jobs": 2,
    "device": "cpu",
    "seconds": 20,
}


class MeasuredLauncher(ProcessLauncher):
    """Starts a fork server whose executions are measured, where the tests are."""

    def __init__(self, more: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._more = more or {}

    def start(self, base: Path, control: int, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
        return super().start(base, control, {**environment, **self._more, **measured.environment()}, log)


class Desk:
    """A warm session and the data that its jobs read."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder, self.count, self.cpus = session, folder, 0, 2
        frame = pd.DataFrame({"x": range(6), "y": list("nyyyyy")})
        frame.to_parquet(folder / "train.parquet")
        frame.drop(columns="y").to_parquet(folder / "rows.parquet")

    def run(self, call: str, code: str, inputs: Mapping[str, Path], **context: Json) -> tuple[ExecutionReport, Path]:
        self.count += 1
        job = Job(
            execution_id=str(self.count),
            phase=call,
            call=call,
            code={"solution.py": code},
            context={**CONTEXT, **context},
            inputs=inputs,
            limits=Limits(wall_seconds=60, memory_bytes=2 << 30, cpus=self.cpus),
            collect=self.folder / str(self.count),
        )
        return self.session.run(job), job.collect


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    session = SupervisedSession(
        MeasuredLauncher(), cpus=2, imports=("numpy", "pandas", "pyarrow.parquet", "threadpoolctl")
    )
    yield Desk(session, tmp_path_factory.mktemp("desk"))
    session.close()


@pytest.mark.parametrize(("code", "file"), [(SOLUTION, "model/model.joblib"), (SAVES, "model/m.json")])
def test_a_model_is_saved_and_used_by_another_process(desk: Desk, code: str, file: str) -> None:
    """By the solution's own format or joblib; batches are predicted one by one and put together."""
    fitted, folder = desk.run("fit", code, {"train": desk.folder / "train.parquet"})
    assert fitted.status == Status.STATUS_OK, fitted.stderr.head
    assert [a.path for a in fitted.artefacts] == [file]
    assert [(p.step, p.value) for p in fitted.progress] == [(1, 0.5)]
    assert set(fitted.claimed_seconds) == {"import", "read", "call", "write"}

    inputs = {"rows": desk.folder / "rows.parquet", "model": folder / "model"}
    predicted, out = desk.run("predict", code, inputs, batches=[[1, 0], [2, 3, 4, 5]])
    assert predicted.status == Status.STATUS_OK, predicted.stderr.head
    matrix = np.load(out / "predictions.npy", allow_pickle=False)
    assert matrix.dtype == np.float64
    assert matrix.tolist() == [[2, 1], [2, 0], [4, 2], [4, 3], [4, 4], [4, 5]]


LABELLED = """import pandas as pd

PARAMS = {}


def fit(train, ctx):
    return None


def predict(model, rows, ctx):
    return pd.DataFrame({0: [0.9] * len(rows), 1: [0.1] * len(rows), "prediction": [1] * len(rows)})
"""


def test_a_chosen_label_crosses_in_the_order_that_the_host_reads(desk: Desk) -> None:
    """A frame with a label column becomes a matrix in C order, as the host demands."""
    _, folder = desk.run("fit", LABELLED, {"train": desk.folder / "train.parquet"})
    task = {"target": "y", "task_type": "binary", "metric": "f1", "classes": [0, 1], "columns": {}}
    inputs = {"rows": desk.folder / "rows.parquet", "model": folder / "model"}
    predicted, out = desk.run("predict", LABELLED, inputs, task=task)
    assert predicted.status == Status.STATUS_OK, predicted.stderr.head
    matrix = np.load(out / "predictions.npy", allow_pickle=False)
    assert matrix.flags.c_contiguous
    assert matrix[0].tolist() == [0.9, 0.1, 1.0]


def test_packages_brought_along_come_last(desk: Desk, tmp_path: Path) -> None:
    """After what is installed, also for programs that the code starts; the next job has none of them."""
    (tmp_path / "brought.py").write_text("HERE = 'brought'\n")
    (tmp_path / "json.py").write_text("raise ImportError('not this one')\n")
    brought = Wheelhouse(path=tmp_path, sha256="0" * 64, pins=("brought==1",))
    code = (
        "import json, os, sys\nfrom brought import HERE\n"
        "assert sys.path[-1] == os.environ['PYTHONPATH'].split(':')[-1]\nopen(sys.argv[-1], 'w').write(HERE)"
    )
    job = Job(
        execution_id="brought", phase="p", call="script", code={"solution.py": code}, context=CONTEXT, inputs={},
        limits=Limits(wall_seconds=60, memory_bytes=2 << 30), collect=desk.folder / "brought", wheelhouse=brought,
    )  # fmt: skip
    report = desk.session.run(job)
    assert report.status == Status.STATUS_OK, report.stderr.head
    without = desk.session.run(replace(job, wheelhouse=None, collect=desk.folder / "without"))
    assert without.exception.type == "ModuleNotFoundError"


def test_parameters_of_a_trial_replace_those_of_the_bundle(desk: Desk) -> None:
    """What the trial leaves out stays; equal seeds draw equal numbers, also from global generators."""
    train = {"train": desk.folder / "train.parquet"}
    models = [
        pd.read_json(desk.run("fit", SAVES, train, params={"b": 7}, seed=seed)[1] / "model" / "m.json", typ="series")
        for seed in (3, 3, 4)
    ]

    assert models[0]["params"] == {"a": 1, "b": 7}
    assert models[0]["drawn"] == models[1]["drawn"] != models[2]["drawn"]


def test_wrong_answers_fail_with_a_message(desk: Desk) -> None:
    """The runtime's own complaint reaches the report."""
    _, folder = desk.run("fit", SAVES, {"train": desk.folder / "train.parquet"})
    code = SAVES.replace(
        'return np.column_stack([np.full(len(rows), float(len(rows))), rows["x"]])', "return rows['x']"
    )
    report, _ = desk.run("predict", code, {"rows": desk.folder / "rows.parquet", "model": folder / "model"})

    assert report.status == Status.STATUS_ERROR
    assert "one probability column per class" in report.exception.message


def test_a_fit_predicts_the_check_rows_before_it_ends(desk: Desk) -> None:
    """With the model as it is then: what comes back from disk later must give the same."""
    inputs = {"train": desk.folder / "train.parquet", "check": desk.folder / "rows.parquet"}
    report, out = desk.run("fit", SAVES, inputs)

    assert report.status == Status.STATUS_OK, report.stderr.head
    assert np.load(out / "check.npy", allow_pickle=False).shape == (6, 2)


ENDINGS = """
import os, sys
PARAMS = {"end": ""}
class Mute(Exception):
    def __str__(self): raise KeyboardInterrupt
def fit(train, ctx):
    if ctx.params["end"] == "closed": sys.stdout.close(); os.close(3); ctx.report(1, 1); sys.exit()
    if ctx.params["end"] == "mute": raise Mute
    sys.exit(ctx.params["end"])
def predict(model, rows, ctx): ...
"""


@pytest.mark.parametrize(
    ("end", "code", "told"),
    [(7, 7, ""), ("farewell", 1, "farewell\n"), ("closed", 0, ""), ("mute", 1, "could not be made: KeyboardInterrupt")],
)
def test_however_a_solution_ends_it_ends(desk: Desk, end: Json, code: int, told: str) -> None:
    """By a number, a text, with its streams closed, or with an exception that has no text."""
    report, _ = desk.run("fit", ENDINGS, {"train": desk.folder / "train.parquet"}, params={"end": end})

    assert (report.status, report.exit_code) == (Status.STATUS_ERROR, code)
    assert told in report.stderr.head + report.exception.message


def test_libraries_use_as_many_threads_as_they_are_told(desk: Desk) -> None:
    """Also where a job is told another number than the fork server was."""
    code = "import os\nPARAMS = {}\ndef fit(train, ctx): print(os.environ['OMP_NUM_THREADS'])\ndef predict(model, rows, ctx): ..."
    train = {"train": desk.folder / "train.parquet"}

    assert desk.run("fit", code, train)[0].stdout.head == "2\n"
    desk.cpus = 1
    assert desk.run("fit", code, train)[0].stdout.head == "1\n"
    desk.cpus = 2


def test_broken_code_names_its_line(desk: Desk) -> None:
    """A syntax error lies in a file that never ran."""
    report, _ = desk.run("fit", "x = 1\ndef fit(:\n", {"train": desk.folder / "train.parquet"})

    assert report.exception.type == "SyntaxError"
    assert [(f.file, f.line) for f in report.exception.frames] == [("solution.py", 2)]


def test_a_script_runs_as_a_program(desk: Desk) -> None:
    """With the user's own CSV files."""
    train, new = desk.folder / "t.csv", desk.folder / "n.csv"
    pd.read_parquet(desk.folder / "train.parquet").to_csv(train, index=False)
    pd.read_parquet(desk.folder / "rows.parquet").to_csv(new, index=False)
    code = SOLUTION.replace("    assert ctx.n_jobs == 2 and ctx.task.classes", "    assert ctx.task.classes").replace(
        " and 0 < ctx.seconds_left() < 20", ""
    )
    report, out = desk.run("script", code, {"train.csv": train, "new.csv": new})

    assert report.status == Status.STATUS_OK, report.stderr.head
    assert pd.read_csv(out / "out.csv").columns.tolist() == ["prediction", "proba_n", "proba_y"]


CELLS = (
    "import sys, solution\nprint(6 * 7); print(1); solution.PARAMS",
    "print('to err', file=sys.stderr)\nfrom IPython.display import display\ndisplay({'a': 1}, metadata={'text/plain': {'x': 1}})",
    "class Dot:\n    def _repr_png_(self): return b'dot'\n    def __repr__(self): return 'dot'\nDot()",
    "import asyncio; await asyncio.sleep(0)\nNone",
    "1 / 0",
    "never",
)


@pytest.mark.slow
def test_a_notebook_is_executed_also_when_it_fails(desk: Desk, tmp_path: Path) -> None:
    """It comes back with what its cells showed, up to the failing one; where nothing can listen, without a kernel and with the same."""
    cells = [nbformat.v4.new_markdown_cell("text"), *map(nbformat.v4.new_code_cell, CELLS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "n.ipynb")
    alone = Desk(SupervisedSession(MeasuredLauncher({NO_SOCKETS: "1"}), cpus=2, imports=()), tmp_path)
    shown = []
    for place in (desk, alone):
        report, out = place.run("notebook", SOLUTION, {"notebook": tmp_path / "n.ipynb"})

        assert (report.status, report.exception.type) == (Status.STATUS_ERROR, "CellExecutionError")
        assert failure_line(report) == "CellExecutionError: ZeroDivisionError: division by zero"
        book = nbformat.read(out / "notebook.ipynb", as_version=4)
        nbformat.validate(book)
        assert "ZeroDivisionError" in "".join(book.cells[5].outputs[0].pop("traceback"))
        shown.append([(cell.execution_count, cell.outputs) for cell in book.cells[1:]])
    alone.session.close()

    by_a_kernel, by_itself = shown
    assert by_a_kernel == by_itself
    assert by_itself[0][1][0].text == "42\n1\n"
    assert by_itself[5] == (None, [])
