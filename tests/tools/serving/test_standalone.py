"""predict.py works in its folder, without this package, and answers like the Predictor."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from open_autoglm.sandbox.base import Session
from open_autoglm.sandbox.bundle import Author
from open_autoglm.sandbox.process import ProcessSandbox
from open_autoglm.tools.export.delivery import Delivery, deliver_model
from open_autoglm.tools.serving.predictor import Predictor

Deliver = Callable[..., Delivery]
HIDE = "import sys; sys.modules['open_autoglm'] = None; import runpy; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0].rpartition('/')[0]); runpy.run_path(sys.argv[0], run_name='__main__')"


def run(deliverable: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run predict.py in a new process that cannot import this package."""
    command = [sys.executable, "-c", HIDE, deliverable / "predict.py", *arguments]
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, cwd=deliverable.parent, check=False)


@pytest.fixture
def new_csv(tmp_path: Path) -> Path:
    """New rows whose dtypes changed: text in a number, whole numbers as fractions, a column without values."""
    rows = pd.DataFrame({"word": [None] * 3, "x": ["0.0", "5", "n/a?"], "id": ["n1", "n2", "n3"], "more": 1})
    rows.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def test_it_answers_like_the_predictor(deliver: Deliver, session: Session, new_csv: Path, tmp_path: Path) -> None:
    """Same rows, same bytes of CSV, with and without --keep."""
    target = deliver_model(deliver("text"))

    class Shared(ProcessSandbox):
        def open(self, *, cpus: int = 2) -> Session:
            return session

    for keep in ([], ["--keep"]):
        done = run(target, new_csv, "-o", tmp_path / "theirs.csv", *keep)
        assert done.returncode == 0, done.stderr
        assert "3 predictions" in done.stderr
        Predictor(deliverable=target, sandbox=Shared()).predict_file(new_csv, tmp_path / "ours.csv", keep=bool(keep))
        assert (tmp_path / "theirs.csv").read_bytes() == (tmp_path / "ours.csv").read_bytes()


def test_bad_input_is_one_line(deliver: Deliver, tmp_path: Path) -> None:
    """No file, another table, no rows: exit 2 and a line that says so."""
    target = deliver_model(deliver())
    (tmp_path / "other.csv").write_text("p,q\n1,2\n")
    (tmp_path / "empty.csv").write_text("id,x,word\n")
    for name, says in [("none.csv", "no file"), ("other.csv", "lacks 3 of the 3"), ("empty.csv", "no rows")]:
        done = run(target, tmp_path / name)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert says in done.stderr


def test_code_in_the_model_of_a_language_model_needs_trust(deliver: Deliver, new_csv: Path, tmp_path: Path) -> None:
    """A pickle that recipes did not write is loaded only on request."""
    delivery = deliver()
    (delivery.model / "extra.pkl").write_bytes(b"\x80\x04N.")
    target = deliver_model(deliver(bundle=delivery.bundle.model_copy(update={"author": Author.MODEL})))
    refused = run(target, new_csv, "-o", tmp_path / "out.csv")
    assert (refused.returncode, "--trust" in refused.stderr) == (2, True)
    assert run(target, new_csv, "-o", tmp_path / "out.csv", "--trust").returncode == 0


def test_a_changed_model_is_refused(deliver: Deliver, new_csv: Path) -> None:
    """The model's bytes are compared with the manifest."""
    target = deliver_model(deliver())
    (target / "model" / "means.json").write_text('{"0": 1.0, "1": 0.0}')
    done = run(target, new_csv)
    assert (done.returncode, "not the file that was delivered" in done.stderr) == (2, True)


def test_the_solution_runs_alone(deliver: Deliver, new_csv: Path, tmp_path: Path) -> None:
    """`python solution.py train.csv new.csv out.csv` fits anew with the trial's parameters."""
    target = deliver_model(deliver())
    command = [sys.executable, "solution.py", tmp_path / "train.csv", new_csv, tmp_path / "out.csv"]
    subprocess.run([str(c) for c in command], cwd=target, check=True, timeout=60)
    assert 'PARAMS = {"width": 0.5}' in (target / "solution.py").read_text()
    assert pd.read_csv(tmp_path / "out.csv")["prediction"].tolist() == [0, 1, 0]
