"""Predictions from a deliverable: verified, in the sandbox, one row per row, labels as they stand in the data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from open_autoglm.errors import AutoGLMError, InputError, SandboxUnavailable
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Session
from open_autoglm.sandbox.bundles.bundle import Author
from open_autoglm.tools.export.delivery import Delivery, deliver_model, export
from open_autoglm.tools.serving.predictor import Predictor

Deliver = Callable[..., Delivery]
NEW = pd.DataFrame({"word": ["a", "zz", None], "x": [0, 5, 0], "id": ["n1", "n2", "n3"], "more": [1, 2, 3]})


class Shared(ProcessSandbox):
    """The process sandbox, with one session for all tests."""

    session: Session | None = None

    def open(self, *, cpus: int = 2) -> Session:
        assert self.session is not None
        return self.session


@pytest.fixture
def sandbox(warm_session: Session) -> Shared:
    shared = Shared()
    shared.session = warm_session
    return shared


@pytest.mark.parametrize(
    ("labels", "dtype"), [("int", "int64"), ("bool", "bool"), ("text", "str"), ("float", "float64")]
)
def test_labels_come_back_as_in_the_data(deliver: Deliver, sandbox: Shared, labels: str, dtype: str) -> None:
    """1 is not 1.0 and True is not 1; ids come first, then the prediction, then a column per class."""
    predictor = Predictor(deliverable=deliver_model(deliver(labels)), sandbox=sandbox)
    made = predictor.predict(NEW)
    classes = predictor.manifest.classes
    assert list(made.columns) == ["id", "prediction", *(f"proba_{label}" for label in classes)]
    assert list(made["id"]) == ["n1", "n2", "n3"]
    assert made["prediction"].dtype == dtype
    assert made["prediction"].tolist() == [classes[0], classes[1], classes[0]]
    assert np.allclose(made.iloc[:, 2:].sum(axis=1), 1)


def test_a_trial_predicts_with_its_own_parameters(deliver: Deliver, sandbox: Shared) -> None:
    """PARAMS of the winning trial are in the code and in the context."""
    sure = Predictor(deliverable=deliver_model(deliver(params={"width": 0.01})), sandbox=sandbox).predict(NEW)
    unsure = Predictor(deliverable=deliver_model(deliver(params={"width": 100.0})), sandbox=sandbox).predict(NEW)
    assert sure["proba_1"].iloc[1] > 0.99
    assert unsure["proba_1"].iloc[1] < 0.6


def test_chunks_change_nothing(deliver: Deliver, sandbox: Shared) -> None:
    """Many rows go through several jobs and come back in order."""
    target = deliver_model(deliver())
    rows = pd.DataFrame({"id": range(25), "x": np.linspace(-2, 6, 25), "word": "a"})
    whole = Predictor(deliverable=target, sandbox=sandbox).predict(rows)
    parts = Predictor(deliverable=target, sandbox=sandbox, chunk_rows=10).predict(rows)
    pd.testing.assert_frame_equal(whole, parts)


def test_a_file_is_written_whole_and_keeps_columns_on_request(
    deliver: Deliver, sandbox: Shared, tmp_path: Path
) -> None:
    """With keep every input column passes through, one that is called `prediction` under another name."""
    NEW.assign(prediction="mine").to_csv(tmp_path / "new.csv", index=False)
    predictor = Predictor(deliverable=deliver_model(deliver()), sandbox=sandbox)
    predictor.predict_file(tmp_path / "new.csv", tmp_path / "out.csv", keep=True)
    back = pd.read_csv(tmp_path / "out.csv")
    assert list(back.columns) == ["word", "x", "id", "more", "prediction_input", "prediction", "proba_0", "proba_1"]
    assert [p.name for p in tmp_path.glob("*.part")] == []


def test_odd_new_rows_are_told(deliver: Deliver, sandbox: Shared) -> None:
    """A missing column is filled, and a warning says so."""
    told: list[str] = []
    made = Predictor(deliverable=deliver_model(deliver()), sandbox=sandbox, warn=told.append).predict(
        NEW.drop(columns="word")
    )
    assert len(made) == 3
    assert any("word" in text for text in told)


def test_no_rows_are_refused(deliver: Deliver, sandbox: Shared) -> None:
    """An empty table is bad input, not an empty answer."""
    with pytest.raises(InputError, match="no rows"):
        Predictor(deliverable=deliver_model(deliver()), sandbox=sandbox).predict(NEW.iloc[:0])


def test_a_place_that_cannot_be_written_is_one_line(deliver: Deliver, sandbox: Shared, tmp_path: Path) -> None:
    """The message names the file and the way out."""
    NEW.to_csv(tmp_path / "new.csv", index=False)
    predictor = Predictor(deliverable=deliver_model(deliver()), sandbox=sandbox)
    with pytest.raises(InputError, match="-o"):
        predictor.predict_file(tmp_path / "new.csv", tmp_path / "nowhere" / "out.csv")


@pytest.mark.parametrize("name", ["solution.py", "model/means.json", "runtime.py", "predict.py"])
def test_nothing_runs_from_a_changed_deliverable(deliver: Deliver, sandbox: Shared, name: str) -> None:
    """Hashes are compared before a session is opened."""
    target = deliver_model(deliver())
    with (target / name).open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        Predictor(deliverable=target, sandbox=sandbox)


def test_code_of_a_model_needs_walls(deliver: Deliver, sandbox: Shared) -> None:
    """What a language model wrote runs without isolation only where that is said by name."""
    delivery = deliver()
    written = delivery.bundle.model_copy(update={"author": Author.MODEL})
    target = deliver_model(deliver(bundle=written))
    with pytest.raises(SandboxUnavailable, match="process"):
        Predictor(deliverable=target, sandbox=sandbox)
    assert len(Predictor(deliverable=target, sandbox=sandbox, trust=True).predict(NEW)) == 3


def test_a_failure_inside_is_one_line(deliver: Deliver, sandbox: Shared) -> None:
    """The code's own error comes back as a message, not as a crash."""
    delivery = deliver()
    broken = delivery.bundle.files["solution.py"].replace("means = np", "raise RuntimeError('boom')\n    means = np")
    target = deliver_model(deliver(bundle=delivery.bundle.model_copy(update={"files": {"solution.py": broken}})))
    with pytest.raises(AutoGLMError, match="boom"):
        Predictor(deliverable=target, sandbox=sandbox).predict(NEW)


@dataclass
class Closing:
    """A session that only counts how often it is closed."""

    closed: list[int] = field(default_factory=list)

    def close(self) -> None:
        self.closed.append(1)


def test_closing_frees_the_session(deliver: Deliver, sandbox: Shared) -> None:
    """A `with` block closes what it opened, once."""
    counting = Closing()
    with Predictor(deliverable=deliver_model(deliver()), sandbox=sandbox) as predictor:
        predictor._session = counting  # type: ignore[assignment]  # only closed
    predictor.close()
    assert counting.closed == [1]


def test_doubled_names_and_a_named_index_pass_through(deliver: Deliver, sandbox: Shared) -> None:
    """A frame from a notebook: the id is its index, and a column stands twice."""
    frame = pd.DataFrame([[0, 1, 2], [5, 1, 2]], columns=["x", "more", "more"], index=pd.Index(["n1", "n2"], name="id"))
    made = Predictor(deliverable=deliver_model(deliver()), sandbox=sandbox).predict(frame)
    assert made[["id", "prediction"]].values.tolist() == [["n1", 0], ["n2", 1]]


def test_a_notebook_that_was_run_again_is_no_change_of_the_model(
    deliver: Deliver, sandbox: Shared, warm_session: Session
) -> None:
    """Only code and model decide what runs."""
    target = export(deliver(), warm_session, lambda: 1e9).directory
    (target / "README.md").write_text("my notes")
    assert len(Predictor(deliverable=target, sandbox=sandbox).predict(NEW)) == 3
