"""Scores become comparable, and what is printed says what was measured."""

import pytest

from open_autoglm.evals.compare import FAILED, by_set, mean_interval, normalised, paired
from open_autoglm.evals.report import COLUMNS, comparison, problems, sources, summary, table
from open_autoglm.evals.results import FoldResult, Told, ToldBaseline, ToldScore
from open_autoglm.evals.suite import Suite


def result(name: str = "votes", fold: int = 0, score: float | None = 0.7, **changes: object) -> FoldResult:
    known = {
        "name": name, "fold": fold, "metric": "roc_auc", "sha256": "ab" * 32, "seconds_given": 60, "floor": 0.5,
        "reference": 0.9, "score": score, "run_exit": 0, "predict_exit": 0, "seconds": 61.2, "predict_seconds": 2.0,
        "told": Told(score=ToldScore(cv_mean=0.71, holdout=0.7, holdout_low=0.6, holdout_high=0.8),
                     baseline=ToldBaseline(dummy=0.5, linear=0.65)),
    }  # fmt: skip
    return FoldResult.model_validate({**known, **changes})


@pytest.mark.parametrize(
    ("score", "floor", "reference", "expected"),
    [(0.7, 0.5, 0.9, 0.5), (3.0, 4.0, 2.0, 0.5), (0.0, 0.5, 0.9, -0.5), (9.0, 0.5, 0.9, 1.5), (None, 0.5, 0.9, FAILED),
     (float("nan"), 0.5, 0.9, FAILED)],
)  # fmt: skip
def test_normalised_places_a_score_between_floor_and_reference(
    score: float | None, floor: float, reference: float, expected: float
) -> None:
    """Whichever direction is better; clipped; a failure is worse than a guess."""
    assert normalised(score, floor=floor, reference=reference) == pytest.approx(expected)


def test_a_set_counts_once_however_many_folds_it_has() -> None:
    """The mean over its folds, failures included."""
    results = [result(fold=0), result(fold=1, score=None), result("prices", score=0.9)]
    assert by_set(results) == pytest.approx({"votes": 0.0, "prices": 1.0})


def test_the_interval_covers_the_mean_and_narrows_with_more_sets() -> None:
    """The same values give the same interval."""
    few, many = mean_interval([0.0, 1.0] * 3), mean_interval([0.0, 1.0] * 50)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    assert mean_interval([0.0, 1.0] * 3) == few
    with pytest.raises(ValueError, match="nothing"):
        mean_interval([])


def test_pairing_takes_out_how_hard_a_set_is() -> None:
    """A small steady gain over sets that differ widely is certain; sets that only one has do not count."""
    theirs = {f"s{i}": i / 10 for i in range(10)}
    ours = {name: value + 0.02 for name, value in theirs.items()} | {"alone": 0.0}
    found = paired(ours, theirs)
    assert found.interval.low == pytest.approx(0.02)
    assert (found.won, found.lost, found.tied, found.interval.count) == (10, 0, 0, 10)
    assert "10 better, 0 worse" in comparison(found)
    with pytest.raises(ValueError, match="share no set"):
        paired({"a": 1.0}, {"b": 1.0})


def test_the_table_shows_told_and_measured_side_by_side() -> None:
    """One row a set; several folds show their mean and how many were scored."""
    lines = table(
        [result(), result("prices", 0, 12345.6), result("prices", 1, None, run_exit=1, predict_exit=None, told=None)]
    ).splitlines()
    assert lines[0] == "| " + " | ".join(COLUMNS) + " |"
    assert lines[2] == "| votes | roc_auc | 0.71 | 0.7 [0.6, 0.8] | 0.5 | 0.65 | 0.7 | 0.5 | 0.9 | 0.500 | 61.2 | 0/0 |"
    assert lines[3].startswith("| prices (2 folds) | roc_auc |")
    assert "| 12,346 (1 of 2) |" in lines[3]
    assert lines[3].endswith("| 0/0, 1/- |")


def test_a_metric_that_the_product_chose_itself_is_named() -> None:
    """Where words leave the metric open, what is told and what is measured are two things."""
    other = Told(score=ToldScore(metric="accuracy", holdout=0.9))
    same = Told(score=ToldScore(metric="roc_auc", holdout=0.9))
    assert "| roc_auc (told: accuracy) |" in table([result(told=other)])
    assert "| roc_auc |" in table([result(told=same)])


def test_the_summary_counts_what_reached_its_reference_and_what_failed() -> None:
    """Beside the mean over sets."""
    said = summary([result(score=0.95), result("prices", score=None, problem="it broke")])
    assert "At or over the reference: 1 of 2 sets." in said
    assert "Runs: 2, without a score: 1." in said
    assert problems([result(), result("prices", score=None, problem="it broke")]) == "- prices (fold 0): it broke"


def test_sources_name_each_file_by_origin_and_hash(suite: Suite) -> None:
    """So that anybody can tell which data a number belongs to."""
    lines = sources(suite.sets).splitlines()
    assert len(lines) == 3
    assert "data.csv, sha256" in lines[0]
    assert "made/up: data.csv at 0123456789" in lines[0]
