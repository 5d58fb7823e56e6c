"""Running a product on a set, as a user would, and scoring what it predicts."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.evals.results import load_results, save_results
from open_autoglm.evals.runner import TIMED_OUT, Setting, run_fold, run_suite
from open_autoglm.evals.scorer import score_file
from open_autoglm.evals.splits import fold_of
from open_autoglm.evals.suite import Suite
from open_autoglm.tools.metrics import InvalidPredictions


@pytest.fixture
def setting(command) -> Setting:
    return Setting(command=command, seconds=5)


def test_every_fold_of_every_measurable_set_is_run_and_scored(suite: Suite, setting: Setting, tmp_path: Path) -> None:
    """The score is of the test rows, and computed here."""
    results = list(run_suite(suite, setting, tmp_path / "work"))
    assert [(r.name, r.fold, r.run_exit, r.predict_exit) for r in results] == [
        ("prices", 0, 0, 0), ("prices", 1, 0, 0), ("votes", 0, 0, 0),
    ]  # fmt: skip
    test = [i for i in range(60) if fold_of("votes", i) == 0]
    assert results[2].score == pytest.approx(sum(i % 3 != 0 for i in test) / len(test))
    assert results[2].told is not None
    assert (results[2].told.score.holdout, results[2].told.baseline.linear) == (0.4, 0.2)
    save_results(results, tmp_path / "results.jsonl")
    assert load_results(tmp_path / "results.jsonl") == results


def test_one_fold_of_each_can_be_enough(suite: Suite, setting: Setting, tmp_path: Path) -> None:
    """For a quick look at many sets."""
    results = run_suite(suite.pick(["prices"]), setting, tmp_path / "work", first_fold_only=True)
    assert [r.fold for r in results] == [0]


def test_a_folder_may_be_named_relative_to_here(
    suite: Suite, setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The product runs elsewhere, and finds its files all the same."""
    monkeypatch.chdir(tmp_path)
    results = run_suite(suite.pick(["votes"]), setting, Path("work"), first_fold_only=True)
    assert [r.run_exit for r in results] == [0]


def test_the_product_gets_words_and_training_rows_only(suite: Suite, setting: Setting, tmp_path: Path) -> None:
    """The prompt, the file under its own name, the budget; no row of the test fold."""
    item = suite.pick(["votes"]).sets[0]
    run_fold(item, 0, replace(setting, language="zh", options=("--workers", "1")), _made(tmp_path / "work"))
    model = json.loads((tmp_path / "work" / "run" / "model.json").read_text())
    assert model["prompt"] == "请预测 y。"
    assert model["words"][1:] == [
        "--data", str(tmp_path / "work" / "train" / "data.csv"), "--time", "5s", "--yes", "--json",
        "--out", str(tmp_path / "work" / "run"), "--workers", "1",
    ]  # fmt: skip
    seen = pd.read_csv(tmp_path / "work" / "train" / "data.csv")
    assert seen["id"].tolist() == [i for i in range(60) if fold_of("votes", i) != 0]
    assert "y" not in pd.read_csv(tmp_path / "work" / "new" / "data.csv")


def test_read_options_are_told_on_request(write_set, setting: Setting, tmp_path: Path) -> None:
    """By default the product has to find out how a file is to be read."""
    text = "".join(f"{i}\t{'yes' if i % 2 else 'no'}\n" for i in range(40))
    item = write_set("tabs", text, rows=40, target=1, read={"sep": "\t", "header": None})
    run_fold(item, 0, replace(setting, tell_read=True), _made(tmp_path / "work"))
    words = json.loads((tmp_path / "work" / "run" / "model.json").read_text())["words"]
    assert words[-4:] == ["--read", "sep=\t", "--read", "header=none"]


@pytest.mark.parametrize(
    ("behaviour", "run_exit", "problem"),
    [
        ("crash", 1, "error: the column 'x' is gone"),
        ("predict_short", 0, "predictions for"),
        ("hang", TIMED_OUT, "killed after"),
    ],
)
def test_what_the_product_does_wrong_is_part_of_the_result(
    suite: Suite, setting: Setting, tmp_path: Path, behaviour: str, run_exit: int, problem: str
) -> None:
    """A failure has no score and one line that says why."""
    slow = replace(
        setting, seconds=0, patience_seconds=0.3 if behaviour == "hang" else 60, options=("--behave", behaviour)
    )
    result = run_fold(suite.pick(["votes"]).sets[0], 0, slow, _made(tmp_path / "work"))
    assert (result.score, result.run_exit) == (None, run_exit)
    assert problem in result.problem


def test_a_product_that_mumbles_is_scored_all_the_same(suite: Suite, setting: Setting, tmp_path: Path) -> None:
    """What it says of itself is missing from the result; its predictions count."""
    mumbling = replace(setting, options=("--behave", "mumble"))
    result = run_fold(suite.pick(["votes"]).sets[0], 0, mumbling, _made(tmp_path / "work"))
    assert result.told is None
    assert result.score is not None


def test_the_positive_class_is_the_one_the_set_names(write_set, tmp_path: Path) -> None:
    """Also where it is the first by name, and where numbers are spelled in another way."""
    item = write_set("spelled", "a,y\n1,0\n2,1\n", rows=2, positive=0)
    out = tmp_path / "out.csv"
    out.write_text("prediction,proba_0,proba_1\n0.0,0.9,0.1\n1.0,0.2,0.8\n")
    assert score_file(item, pd.Series([0, 1]), out) == 1.0
    assert score_file(item, pd.Series(["1", "0"]), out) == 0.0


def test_a_class_that_training_never_saw_is_a_miss(write_set, tmp_path: Path) -> None:
    """It is scored, not refused."""
    item = write_set("rare", "a,y\n1,a\n", rows=1, task="multiclass", metric="accuracy", positive=None)
    out = tmp_path / "out.csv"
    out.write_text("prediction,proba_a,proba_b\na,0.9,0.1\na,0.6,0.4\n")
    assert score_file(item, pd.Series(["a", "c"]), out) == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("guess\n1\n1\n", "no column 'prediction'"),
        ("prediction,proba_no,proba_yes\nno,1,0\n", "1 predictions for 2 rows"),
        ("prediction\nyes\nno\n", "no column proba_"),
        ("prediction,proba_no,proba_yes\nno,1,0\nno,,1\n", "missing or infinite"),
        ("prediction,proba_no,proba_yes\nno,1,0\nno,0.7,0.7\n", "sum to 1"),
        ("prediction,proba_no,proba_yes\nno,1,0\nperhaps,0.5,0.5\n", "perhaps"),
    ],
)
def test_predictions_that_cannot_be_scored_say_why(write_set, tmp_path: Path, text: str, said: str) -> None:
    """One line each."""
    item = write_set("votes", "a,y\n1,yes\n2,no\n", rows=2)
    out = tmp_path / "out.csv"
    out.write_text(text)
    with pytest.raises((InvalidPredictions, InputError), match=said):
        score_file(item, pd.Series(["yes", "no"]), out)


@pytest.mark.parametrize("text", [None, "{}\n"])
def test_results_that_cannot_be_read_are_named(tmp_path: Path, text: str | None) -> None:
    """A missing file and a line of something else."""
    path = tmp_path / "results.jsonl"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"results\.jsonl"):
        load_results(path)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
