"""Which file is for what, and tables that nothing can be learned from."""

import shutil
import zipfile
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from pydantic import JsonValue
from tests.agents import engine

from open_autoglm.agents import run as run_module
from open_autoglm.agents.budget import Budget
from open_autoglm.agents.ingest import lost_labels
from open_autoglm.agents.outcome import Outcome
from open_autoglm.agents.scripted import ScriptedStrategist
from open_autoglm.errors import InputError, Unsupported
from open_autoglm.tools.data.read import read_table
from open_autoglm.tools.task import BudgetSpec, SourceRole, TaskType

_ENDLESS = {"shipped.fit": 1e6, "importance.predict": 1e6, "predict": 2.0}
"""Seconds that phases take."""


def tables(folder: Path, *names: str) -> list[Path]:
    """Write tables of a few rows: labelled, but for those that are to be predicted."""
    paths = []
    for name in names:
        labelled = name.startswith("train") or "labelled" in name
        data = engine.frame(60, seed=len(name))
        (data if labelled else data.drop(columns="label")).to_csv(folder / name, index=False)
        paths.append(folder / name)
    return paths


def refused(folder: Path, paths: list[Path], **more: object) -> str:
    with pytest.raises(InputError) as caught:
        engine.go(folder, data=paths, **more)  # type: ignore[arg-type]  # options
    return str(caught.value)


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A run with a training table, rows to predict and a sample submission, told apart by their names."""
    folder = tmp_path_factory.mktemp("three")
    train = engine.table(folder, TaskType.BINARY)
    new = engine.frame(30, seed=3).drop(columns="label").assign(row=range(30))
    new.to_csv(folder / "test.csv", index=False)
    new[["row"]].assign(label=0).to_csv(folder / "sample_submission.csv", index=False)
    pd.read_csv(train).assign(row=range(640)).to_csv(train, index=False)
    task = engine.a_task(TaskType.BINARY, "roc_auc", columns={"id": ["row"]})
    writer = ScriptedStrategist(task, [engine.bundle(0.5)])
    paths = [train, folder / "test.csv", folder / "sample_submission.csv"]
    return folder, engine.go(folder, data=paths, writer=writer)


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_stands_for_its_tables(kind: str, tmp_path: Path) -> None:
    """They have the roles that their names tell, as if they had been given one by one."""
    inside = tmp_path / "inside"
    inside.mkdir()
    engine.table(inside, TaskType.BINARY)
    engine.frame(30, seed=3).to_csv(inside / "test.csv.gz", index=False)
    packed = shutil.make_archive(str(tmp_path / "tables"), kind, inside)

    outcome = engine.go(tmp_path, data=[Path(packed)])

    roles = {Path(source.uri).name: source.role for source in outcome.task.sources}
    assert roles == {"train.csv": SourceRole.TRAIN, "test.csv.gz": SourceRole.TEST}


def test_an_archive_of_training_tables_is_refused(tmp_path: Path) -> None:
    """They would have to be joined; one of them can be named."""
    paths = tables(tmp_path, "train.csv", "labelled.csv")
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as packed:
        for path in paths:
            packed.write(path, path.name)

    assert "--read member=NAME" in refused(tmp_path, [tmp_path / "both.zip"])


def test_names_tell_what_files_are_for(predicted: tuple[Path, Outcome]) -> None:
    """Each file has its role in the task."""
    roles = {Path(source.uri).name: source.role for source in predicted[1].task.sources}

    assert roles == {
        "train.csv": SourceRole.TRAIN,
        "test.csv": SourceRole.PREDICT,
        "sample_submission.csv": SourceRole.SAMPLE_SUBMISSION,
    }


def test_rows_without_labels_are_predicted_in_the_layout_of_the_sample(predicted: tuple[Path, Outcome]) -> None:
    """The deliverable holds one line per row, with the columns of the sample submission."""
    table = pd.read_csv(predicted[0] / "run" / "deliverable" / "predictions.csv")

    assert list(table.columns) == ["row", "label"]
    assert table["row"].tolist() == list(range(30))
    assert predicted[1].status == "delivered", predicted[1].warnings


@pytest.mark.parametrize(
    ("options", "counts"), [({}, "'None' (2 rows), 'NA' (1 rows)"), ({"keep_default_na": False}, "")]
)
def test_classes_called_none_are_not_lost_in_silence(
    tmp_path: Path, options: dict[str, JsonValue], counts: str
) -> None:
    """The words that were read as missing are named, with the way to keep them; where they were kept, nothing is said."""
    path = tmp_path / "train.csv"
    path.write_text("x,y\n1,None\n2,Shed\n3,NA\n4,None\n5,\n6,Garage\n")
    said = lost_labels(read_table(path, read=options).source, "y")
    assert (counts in said, "keep_default_na=false" in said) == (True, bool(counts))


@pytest.mark.slow
def test_rows_without_labels_are_predicted_with_probabilities(tmp_path: Path) -> None:
    """Without a sample: the prediction, and a column for each class."""
    engine.go(tmp_path, test=tables(tmp_path, "new.csv")[0])
    table = pd.read_csv(tmp_path / "run" / "deliverable" / "predictions.csv")

    assert list(table.columns) == ["prediction", "proba_0", "proba_1"]
    assert len(table) == 60


def test_predictions_come_before_the_time_is_spent_on_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refit never ends and the explanation would not either: the rows that were asked for are predicted in time."""
    clock = engine.Clock()
    played = engine.Timed(clock, lambda job: _ENDLESS.get(job.phase, 0.5))
    monkeypatch.setattr(run_module, "Budget", partial(Budget, clock=clock))
    outcome = engine.go(tmp_path, played, test=tables(tmp_path, "new.csv")[0], budget=BudgetSpec(seconds=40))

    assert len(pd.read_csv(tmp_path / "run" / "deliverable" / "predictions.csv")) == 60
    assert not [text for text in outcome.warnings if "predictions.csv" in text]
    assert clock.now - 1000 <= 40 + 5


def test_predictions_that_could_not_be_made_are_a_warning(tmp_path: Path) -> None:
    """The user asked for them: a deliverable without them is one with warnings."""
    played = engine.Tampered("predict", engine.fail)
    outcome = engine.go(tmp_path, played, test=tables(tmp_path, "new.csv")[0])

    assert outcome.status == "delivered_with_warnings"
    assert len([text for text in outcome.warnings if "predictions.csv" in text]) == len(set(outcome.warnings))


@pytest.mark.slow
def test_odd_new_rows_are_told_once(tmp_path: Path) -> None:
    """What is odd about them is found before the search and again at the end: one warning."""
    new = engine.frame(60, seed=3).drop(columns=["label", "z"])
    new.to_csv(tmp_path / "new.csv", index=False)
    outcome = engine.go(tmp_path, test=tmp_path / "new.csv")

    assert len([text for text in outcome.warnings if "Missing columns were filled" in text]) == 1


def test_two_files_of_one_role_are_refused(tmp_path: Path) -> None:
    """Two training tables, two sets of rows to predict: which is meant cannot be told."""
    assert "look like training data" in refused(tmp_path, tables(tmp_path, "train.csv", "train_more.csv"))
    both = tables(tmp_path, "train.csv", "test.csv")
    extra = tables(tmp_path, "other.csv")[0]
    assert "look like rows to hold out or to predict" in refused(tmp_path, both, test=extra)


def test_without_training_data_there_is_nothing_to_do(tmp_path: Path) -> None:
    """A sample submission alone."""
    assert "looks like training data" in refused(tmp_path, tables(tmp_path, "sample_submission.csv"))


@pytest.mark.slow
def test_a_single_file_is_training_data_whatever_its_name(tmp_path: Path) -> None:
    """`test_labelled.csv` alone is what there is to learn from."""
    engine.table(tmp_path, TaskType.BINARY, name="test_labelled.csv")
    outcome = engine.go(tmp_path, data=tmp_path / "test_labelled.csv")

    assert outcome.task.sources[0].role is SourceRole.TRAIN


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"id": ["x", "z"]}, "only columns that name rows or were left out"),
        ({"dropped": ["x"], "id": ["z"]}, "nothing to predict from"),
    ],
)
def test_without_features_there_is_nothing_to_do(columns: dict[str, list[str]], said: str, tmp_path: Path) -> None:
    """Every column names rows or was left out."""
    writer = ScriptedStrategist(engine.a_task(TaskType.BINARY, "roc_auc", columns=columns), [engine.bundle(0.5)])

    assert said in refused(tmp_path, tables(tmp_path, "train.csv"), writer=writer)


@pytest.mark.parametrize(
    ("kind", "metric", "labels", "said"),
    [
        (TaskType.MULTICLASS, "accuracy", [f"c{i}" for i in range(60)], "no class occurs twice"),
        (TaskType.REGRESSION, "rmse", [1e200 * i for i in range(60)], "squares cannot be computed"),
        (TaskType.REGRESSION, "rmse", ["n/a!"] * 60, "no finite number"),
    ],
)
def test_targets_that_cannot_be_learned_are_refused(
    kind: TaskType, metric: str, labels: list[object], said: str, tmp_path: Path
) -> None:
    """One line that says what to do instead."""
    path = tmp_path / "train.csv"
    engine.frame(60).assign(label=labels).to_csv(path, index=False)
    writer = ScriptedStrategist(engine.a_task(kind, metric), [engine.bundle(0.5)])

    assert said in refused(tmp_path, [path], writer=writer)


def test_a_target_alone_is_refused(tmp_path: Path) -> None:
    """One column: nothing to predict it from."""
    path = tmp_path / "train.csv"
    engine.frame(60)[["label"]].to_csv(path, index=False)

    assert "has one column" in refused(tmp_path, [path])


def test_another_table_is_no_test_table(tmp_path: Path) -> None:
    """Most columns are missing: refused before anything is run."""
    pd.DataFrame({"a": range(20), "label": [0, 1] * 10}).to_csv(tmp_path / "other.csv", index=False)

    assert "lacks 2 of the 2 columns" in refused(tmp_path, tables(tmp_path, "train.csv"), test=tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (engine.a_task(TaskType.FORECASTING, "mae", horizon=3), "Forecasting"),
        (engine.a_task(TaskType.BINARY, "roc_auc", columns={"image": ["x"]}), "Images"),
    ],
)
def test_what_is_understood_and_cannot_be_done_is_refused_by_name(task: object, said: str, tmp_path: Path) -> None:
    """With the nearest thing that works."""
    writer = ScriptedStrategist(task, [engine.bundle(0.5)])  # type: ignore[arg-type]  # a task

    with pytest.raises(Unsupported, match=said):
        engine.go(tmp_path, data=tables(tmp_path, "train.csv"), writer=writer)
