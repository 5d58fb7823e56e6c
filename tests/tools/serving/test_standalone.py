"""predict.py works in its folder, without this package, and answers like the Predictor."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pandas as pd
import pytest

from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Session
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.sandbox.inside.runtime import runtime
from open_autoglm.tools.data.schema import Dtype, InputColumn, InputSchema, check_new_rows
from open_autoglm.tools.export.delivery import Delivery, deliver_model
from open_autoglm.tools.serving.predictor import Predictor
from open_autoglm.tools.task import Source

Deliver = Callable[..., Delivery]
HIDE = "import sys; sys.modules['open_autoglm'] = None; import runpy; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0].rpartition('/')[0]); runpy.run_path(sys.argv[0], run_name='__main__')"


def run(deliverable: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run predict.py in a new process that cannot import this package."""
    command = [sys.executable, "-c", HIDE, deliverable / "predict.py", *arguments]
    return subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=60, cwd=deliverable.parent, check=False
    )


Alone = Callable[..., int]
Said = pytest.CaptureFixture[str]


@pytest.fixture
def new_csv(tmp_path: Path) -> Path:
    """New rows whose dtypes changed: text in a number, whole numbers as fractions, a column without values."""
    rows = pd.DataFrame({"word": [None] * 3, "x": ["0.0", "5", "n/a?"], "id": ["n1", "n2", "n3"], "more": 1})
    rows.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def test_it_answers_like_the_predictor(deliver: Deliver, warm_session: Session, new_csv: Path, tmp_path: Path) -> None:
    """Same rows, same bytes of CSV."""
    target = deliver_model(deliver("text"))

    class Shared(ProcessSandbox):
        def open(self, *, cpus: int = 2) -> Session:
            return warm_session

    done = run(target, new_csv, "-o", tmp_path / "theirs.csv", "--keep")
    assert (done.returncode, "3 predictions" in done.stderr) == (0, True), done.stderr
    Predictor(deliverable=target, sandbox=Shared()).predict_file(new_csv, tmp_path / "ours.csv", keep=True)
    assert (tmp_path / "theirs.csv").read_bytes() == (tmp_path / "ours.csv").read_bytes()


def test_nothing_is_overwritten_unasked(
    deliver: Deliver, alone: Alone, new_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without -o the file is named after the rows: the predictions of --test in the deliverable stay."""
    target = deliver_model(deliver("text"))
    (target / "predictions.csv").write_text("of --test\n")
    monkeypatch.chdir(target)
    assert alone(target, new_csv) == 0
    assert (target / "predictions.csv").read_text() == "of --test\n"
    assert len(pd.read_csv(target / "new-predictions.csv")) == 3


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs predict.py's command line in this process, on a given deliverable."""

    def call(deliverable: Path, *arguments: object) -> int:
        monkeypatch.setitem(sys.modules, "runtime", runtime)
        monkeypatch.delitem(sys.modules, "solution", raising=False)
        monkeypatch.syspath_prepend(str(deliverable))
        module = importlib.import_module("open_autoglm.tools.serving.standalone")
        monkeypatch.setattr(module, "FOLDER", deliverable)
        try:
            return module.main([str(a) for a in arguments])
        finally:
            sys.modules.pop("solution", None)

    return call


@pytest.mark.parametrize(("content", "says"), [
    (None, "no file"), ("p,q\n1,2\n", "lacks 2 of the 2"), ("id,x,word\n", "no rows"), ("", "cannot be read"), ("\x80\n", "cannot be read"),
])  # fmt: skip
def test_bad_input_is_one_line(
    deliver: Deliver, alone: Alone, tmp_path: Path, capsys: Said, content: str | None, says: str
) -> None:
    """No file, another table, no rows, nothing, another encoding: exit 2 and a line that says so."""
    target = deliver_model(deliver())
    if content is not None:
        (tmp_path / "new.csv").write_bytes(content.encode("latin-1"))
    assert alone(target, tmp_path / "new.csv") == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_missing_column_is_filled(deliver: Deliver, alone: Alone, tmp_path: Path, capsys: Said) -> None:
    """A line says which, and every row is predicted."""
    (tmp_path / "new.csv").write_text("x\n0\n5\n")
    assert alone(deliver_model(deliver()), tmp_path / "new.csv", "-o", tmp_path / "out.csv") == 0
    assert "word" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == [0, 1]


@pytest.mark.parametrize("suffix", [".parquet", ".json", ".jsonl", ".xlsx"])
def test_other_formats_are_read(deliver: Deliver, alone: Alone, tmp_path: Path, suffix: str) -> None:
    """The format follows the file's name."""
    path = tmp_path / f"new{suffix}"
    rows = pd.DataFrame({"id": ["n1", "n2"], "x": [0, 5], "word": ["a", "b"]})
    writers: dict[str, Callable[[], object]] = {
        ".parquet": lambda: rows.to_parquet(path), ".json": lambda: rows.to_json(path, orient="records"),
        ".jsonl": lambda: rows.to_json(path, orient="records", lines=True), ".xlsx": lambda: rows.to_excel(path, index=False),
    }  # fmt: skip
    writers[suffix]()
    assert alone(deliver_model(deliver()), path, "-o", tmp_path / "out.csv") == 0
    assert pd.read_csv(tmp_path / "out.csv")[["id", "prediction"]].values.tolist() == [["n1", 0], ["n2", 1]]


def test_code_in_the_model_of_a_language_model_needs_trust(
    deliver: Deliver, alone: Alone, new_csv: Path, tmp_path: Path, capsys: Said
) -> None:
    """A pickle that recipes did not write is loaded only on request."""
    delivery = deliver()
    (delivery.model / "extra.pkl").write_bytes(b"\x80\x04N.")
    target = deliver_model(deliver(bundle=delivery.bundle.model_copy(update={"author": Author.MODEL})))
    assert alone(target, new_csv, "-o", tmp_path / "out.csv") == 2
    assert "--trust" in capsys.readouterr().err
    assert alone(target, new_csv, "-o", tmp_path / "out.csv", "--trust") == 0


def test_a_changed_model_is_refused(deliver: Deliver, alone: Alone, new_csv: Path, capsys: Said) -> None:
    """The model's bytes are compared with the manifest."""
    target = deliver_model(deliver())
    (target / "model" / "means.json").write_text('{"0": 1.0, "1": 0.0}')
    assert alone(target, new_csv) == 2
    assert "not the file that was delivered" in capsys.readouterr().err


@pytest.mark.parametrize(("dtype", "given"), [
    ("string", pd.Series([1.0, None, 3.0])), ("string", pd.Series([True, False])), ("string", pd.Series([1.5, 2.0])),
    ("number", pd.Series(["1", " 2.5", "x", None])), ("integer", pd.Series([True, False])), ("boolean", pd.Series(["True", "no", None])),
    ("boolean", pd.Series([1, 0])), ("boolean", pd.Series([1.0, 0.0])), ("datetime", pd.Series(["2024-05-01", "soon"])),
    *((dtype, pd.Series([None, None])) for dtype in ("integer", "number", "boolean", "string", "datetime", "timedelta")),
])  # fmt: skip
def test_types_become_those_of_training_as_on_the_host(
    monkeypatch: pytest.MonkeyPatch, dtype: str, given: pd.Series
) -> None:
    """predict.py and the host's check of new rows agree on every change of type."""
    schema = InputSchema(
        columns=[InputColumn(name="c", dtype=cast("Dtype", dtype))],
        target="y",
        target_position=1,
        source=Source(uri="t", format="csv"),
    )
    expected, _ = check_new_rows(given.to_frame("c"), schema)
    monkeypatch.setitem(sys.modules, "runtime", runtime)
    module = importlib.import_module("open_autoglm.tools.serving.standalone")
    pd.testing.assert_series_equal(module.as_trained(given, dtype).rename("c"), expected["c"], check_index=False)


def test_the_solution_runs_alone(deliver: Deliver, new_csv: Path, tmp_path: Path) -> None:
    """`python solution.py train.csv new.csv out.csv` fits anew with the trial's parameters."""
    target = deliver_model(deliver())
    command = [sys.executable, "solution.py", tmp_path / "train.csv", new_csv, tmp_path / "out.csv"]
    subprocess.run([str(c) for c in command], cwd=target, check=True, timeout=60)
    assert 'PARAMS = {"width": 0.5}' in (target / "solution.py").read_text()
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == [0, 1, 0]
