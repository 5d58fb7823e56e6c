"""A made run, in numbers: what the report's tests draw."""

from collections.abc import Callable

import numpy as np
import pytest

from open_autoglm.tools.export.story import (
    Attempt,
    CalibrationBin,
    Check,
    ColumnSummary,
    Confusion,
    CurvePoint,
    DataSummary,
    Diagnostics,
    EnsembleWeight,
    Environment,
    ImportanceRow,
    Isolation,
    RocCurve,
    RunStory,
    Scores,
    Spending,
    StageTime,
)
from open_autoglm.tools.task import Guess

TITLES = (
    "Linear model, one-hot",
    "LightGBM, tuned defaults",
    "Extra trees",
    "Histogram boosting",
    "kNN on scaled numbers",
)


def made_attempts(count: int = 14) -> tuple[Attempt, ...]:
    """Return drafts, improvements, trials, a failure and a merge."""
    generator = np.random.default_rng(3)
    made = []
    for i in range(count):
        draft = i < 5
        parents = () if draft else (f"a{generator.integers(1, max(2, i - 2))}",)
        failed = i in {4, 9}
        made.append(Attempt(
            attempt_id=f"a{i + 1}", title=TITLES[i % 5] if draft else f"{TITLES[i % 5]} + cabin deck, family size",
            operator="draft" if draft else ("tune" if i % 3 else "improve"), parents=parents,
            status="failed" if failed else "stopped" if i == 7 else "scored", mean=None if failed or i == 7 else 0.82 + 0.005 * i,
            standard_error=None if failed else 0.012, fit_seconds=0.3 + 0.2 * i, predict_seconds=0.02,
            lesson="ValueError: could not convert string to float: 'C85' at solution.py:31" if failed else "",
        ))  # fmt: skip
    merged = Attempt(
        attempt_id=f"a{count + 1}", title="Ensemble of 3", operator="merge", parents=(f"a{count}", "a2", f"a{count - 1}"),
        status="scored", mean=0.894, standard_error=0.01, fit_seconds=4.2, predict_seconds=0.1, lesson="Boosting and trees err on different rows.",
    )  # fmt: skip
    return (*made, merged)


def made_diagnostics() -> Diagnostics:
    """Return plausible numbers of a binary classification."""
    x = np.linspace(0, 1, 40)
    return Diagnostics(
        confusion=Confusion(classes=("0", "1"), counts=((98, 12), (19, 50))),
        calibration=tuple(CalibrationBin(predicted=p, observed=min(1, max(0, p + e)), rows=18) for p, e in zip(
            np.linspace(0.05, 0.95, 10), [0.02, -0.03, 0.05, 0.01, -0.08, 0.04, 0.02, -0.03, 0.01, 0.02], strict=True)),
        roc=RocCurve(positive="1", false_positive_rate=tuple(x), true_positive_rate=tuple(x**0.22), area=0.874),
        importance=tuple(
            ImportanceRow(feature=name, drop=drop, standard_error=0.006)
            for name, drop in [("Sex", 0.142), ("Pclass", 0.051), ("Name", 0.034), ("Age", 0.028), ("Fare", 0.019), ("Cabin", 0.011),
                               ("SibSp", 0.006), ("Embarked", 0.003), ("Parch", 0.001), ("Ticket", -0.002)]
        ),
    )  # fmt: skip


def made_story(**changes: object) -> RunStory:
    """Return the story of a made run; `changes` replace fields."""
    columns = [("PassengerId", "identifier", "id", 891, 0.0), ("Pclass", "numeric", "feature", 3, 0.0), ("Name", "text", "feature", 891, 0.0),
               ("Sex", "categorical", "feature", 2, 0.0), ("Age", "numeric", "feature", 88, 0.1987), ("SibSp", "numeric", "feature", 7, 0.0),
               ("Ticket", "text", "feature", 681, 0.0), ("Fare", "numeric", "feature", 248, 0.0), ("Cabin", "text", "feature", 147, 0.771),
               ("Embarked", "categorical", "feature", 3, 0.00224), ("Survived", "boolean", "target", 2, 0.0)]  # fmt: skip
    story = RunStory(
        run_id="20261121-130327-titanic-4f2a", created="2026-11-21T13:03:27+00:00", target="Survived", task_type="binary",
        prompt="Predict which passengers survived, optimise AUC, take at most a minute", best_attempt="a15", best_title="Ensemble of 3",
        scores=Scores(metric="roc_auc", greater_is_better=True, cv_mean=0.894, cv_se=0.0101, folds=5, holdout=0.8743, holdout_low=0.8202,
                      holdout_high=0.9221, holdout_rows=179, dummy=0.5, linear=0.8421),
        attempts=made_attempts(),
        curve=(CurvePoint(seconds=4.1, score=0.842, attempt_id="a1"), CurvePoint(seconds=9.5, score=0.861, attempt_id="a2"),
               CurvePoint(seconds=24, score=0.876, attempt_id="a9"), CurvePoint(seconds=43.5, score=0.894, attempt_id="a15")),
        checks=(Check(letter="a", result="passed", sentence="The scored model's bytes give back the graded holdout predictions (179 rows, equal to the last bit)."),
                Check(letter="b", result="passed", sentence="The shipped model, loaded in a fresh process, repeats what it predicted right after its fit (891 rows)."),
                Check(letter="c", result="passed", sentence="solution.py alone, fitted anew on fold 1, scores 0.889; graded was 0.889 ± 0.012."),
                Check(letter="d", result="skipped", sentence="There was no time left to compare shipped and scored model on the holdout rows.")),
        stop_reason="the time budget is spent", spending=Spending(seconds=58.3, budget_seconds=60, attempts=15, executions=143),
        timings=(StageTime(stage="understand", seconds=0.1), StageTime(stage="profile", seconds=0.6), StageTime(stage="search", seconds=44.2),
                 StageTime(stage="finalise", seconds=9.1), StageTime(stage="export", seconds=4.3)),
        guesses=(Guess(field="columns.id", value=["PassengerId"], reason="it is different in every row and counts up"),
                 Guess(field="positive", value=1, reason="the prompt asks who survived")),
        warnings=("Column 'Name' is different in almost every row; it is used as text.",),
        data=DataSummary(rows=891, columns=tuple(ColumnSummary(name=n, kind=k, role=r, distinct=d, missing_fraction=m) for n, k, r, d, m in columns),
                         class_counts=(("0", 549), ("1", 342)), duplicate_rows=0),
        split="20 % of the rows (179) were set aside, stratified by class; the other 712 make 5 stratified folds.",
        diagnostics=made_diagnostics(),
        ensemble=(EnsembleWeight(attempt_id="a14", title="Histogram boosting + cabin deck, family size", weight=0.52),
                  EnsembleWeight(attempt_id="a2", title="LightGBM, tuned defaults", weight=0.28), EnsembleWeight(attempt_id="a13", title="Extra trees + cabin deck", weight=0.2)),
        isolation=(Isolation(backend="bubblewrap", tier="bubblewrap (user, pid, mount and network namespaces)", isolating=True, executions=143),),
        environment=Environment(python="3.11.7", platform="Linux x86_64", cpus=2, packages=(("pandas", "3.1.1"), ("scikit-learn", "1.9.1"), ("lightgbm", "4.7.0"))),
    )  # fmt: skip
    return story.model_copy(update=changes)


@pytest.fixture(scope="module")
def tell() -> Callable[..., RunStory]:
    """Return the function that tells the made run."""
    return made_story


@pytest.fixture(scope="module")
def many_attempts() -> tuple[Attempt, ...]:
    """Return a search of 3,001 attempts."""
    return made_attempts(3000)
