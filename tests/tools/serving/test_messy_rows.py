"""The promise of predict: whatever rows come in, one answer for each row, or an error that says what to do."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.data.messy import columns, messy_frames

from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.run import start_run
from open_autoglm.errors import InputError
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.tools.serving.predictor import Predictor
from open_autoglm.tools.task import BudgetSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
RELAXED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
ROWS = 160


def training_table() -> pd.DataFrame:
    """Every kind of column that recipes treat in their own way."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "id": range(ROWS), "number": rng.normal(size=ROWS), "count": rng.integers(0, 9, ROWS),
            "colour": rng.choice(["red", "green", "blue"], ROWS), "flag": rng.choice([True, False], ROWS),
            "day": pd.date_range("2020", periods=ROWS).strftime("%Y-%m-%d"), "weight": [f"{v} kg" for v in range(ROWS)],
            "remark": [" ".join(rng.choice(["good", "bad", "fast", "slow", "cheap"], 8)) for _ in range(ROWS)],
        }
    )  # fmt: skip
    frame["y"] = np.where(frame["number"] + (frame["colour"] == "red") > 0.3, "yes", "no")
    return frame


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predictor]:
    """The first recipe's model of the table, in one session."""
    folder = tmp_path_factory.mktemp("delivered")
    training_table().to_csv(folder / "train.csv", index=False)
    options = RunOptions(
        prompt="predict y", data=[folder / "train.csv"], out=folder / "run", yes=True, budget=BudgetSpec(attempts=1),
        sandbox="process",
    )  # fmt: skip
    outcome = start_run(options)
    assert outcome.deliverable is not None
    with Predictor(deliverable=outcome.deliverable, sandbox=ProcessSandbox()) as ready:
        yield ready


@st.composite
def new_rows(draw: st.DrawFn) -> pd.DataFrame:
    """Rows of the training table in which columns were lost, added, moved, or filled with anything."""
    rows = draw(st.integers(1, 20))
    frame = training_table().drop(columns="y").head(rows)
    made = {}
    for name in draw(st.permutations(list(frame.columns))):
        fate = draw(st.sampled_from(["kept", "kept", "kept", "gone", "anything", "missing", "text", "upper"]))
        if fate == "anything":
            made[name] = draw(columns(rows))
        elif fate == "missing":
            made[name] = pd.Series([None] * rows)
        elif fate == "text":
            made[name] = frame[name].astype(str)
        elif fate != "gone":
            made[name.upper() if fate == "upper" else name] = frame[name]
    if draw(st.booleans()):
        made[draw(st.sampled_from(["extra", "y", "prediction", "proba_yes", "", "0"]))] = draw(columns(rows))
    return pd.DataFrame(made, index=range(rows))


def check_answers(predictor: Predictor, rows: pd.DataFrame) -> None:
    try:
        answers = predictor.predict(rows)
    except InputError:
        return
    assert len(answers) == len(rows)
    assert answers["prediction"].isin(["yes", "no"]).all()
    assert np.allclose(answers[["proba_no", "proba_yes"]].sum(axis=1), 1.0)


@given(rows=new_rows())
@settings(RELAXED, max_examples=200)
def test_changed_rows_get_an_answer_each(predictor: Predictor, rows: pd.DataFrame) -> None:
    """Columns lost, added, moved or filled with anything."""
    check_answers(predictor, rows)


@given(rows=messy_frames())
@settings(RELAXED, max_examples=50)
def test_other_tables_are_refused_in_words(predictor: Predictor, rows: pd.DataFrame) -> None:
    """A table that has nothing to do with the model."""
    check_answers(predictor, rows)


@given(rows=new_rows())
@settings(RELAXED, max_examples=40)
def test_changed_files_get_an_answer_for_each_row(predictor: Predictor, rows: pd.DataFrame, tmp_path: Path) -> None:
    """The same by way of a CSV file, into a CSV file."""
    source, out = tmp_path / "new.csv", tmp_path / "out.csv"
    try:
        text = rows.to_csv(index=False)
        read_back = len(pd.read_csv(io.StringIO(text), skip_blank_lines=False))
        source.write_text(text, encoding="utf-8", newline="")
    except (UnicodeError, ValueError):  # pandas itself can neither write nor read it
        return
    try:
        made = predictor.predict_file(source, out, keep=True)
    except InputError:
        return
    assert len(made) == len(pd.read_csv(out)) == read_back or rows.shape[1] == 1  # a blank line is no row
