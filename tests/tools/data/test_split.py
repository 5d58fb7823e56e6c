"""Splits: disjoint, complete, stratified, and keeping together what belongs together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from open_autoglm.errors import InputError
from open_autoglm.tools.data.duplicates import row_keys
from open_autoglm.tools.data.split import SplitPlan, default_folds, default_holdout, plan_split, small_sample
from open_autoglm.tools.data.time_split import time_values
from open_autoglm.tools.task import ColumnRoles, MetricSpec, TaskSpec, TaskType

QUIET = settings(max_examples=40, deadline=None, database=None)


def task_of(task_type: str = "binary", **roles: str) -> TaskSpec:
    columns = ColumnRoles.model_validate(roles)
    return TaskSpec(
        prompt="", task_type=TaskType(task_type), target="y", metric=MetricSpec(name="rmse"), columns=columns
    )


def table(rows: int, seed: int, *, groups: int = 5, moments: int = 20, distinct: int = 1_000_000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "x": rng.integers(0, distinct, rows),
        "g": rng.integers(0, groups, rows),
        "t": rng.integers(0, moments, rows),
        "y": rng.choice([0, 1, 2], rows, p=[0.6, 0.35, 0.05]),
    })  # fmt: skip


def cover(plan: SplitPlan, rows: int) -> None:
    """Check that parts are disjoint, and that each repeat's validation rows and the holdout cover every row once."""
    per_repeat = len(plan.folds) // plan.repeats
    for repeat in range(plan.repeats):
        folds = plan.folds[repeat * per_repeat : (repeat + 1) * per_repeat]
        seen = np.concatenate([plan.holdout, *(fold.valid for fold in folds)])
        assert sorted(seen.tolist()) == list(range(rows))
        for fold in folds:
            assert len(np.intersect1d(fold.train, fold.valid)) == 0
            assert len(fold.train) + len(fold.valid) + len(plan.holdout) == rows


@QUIET
@given(rows=st.integers(2, 700), seed=st.integers(0, 5), task_type=st.sampled_from(["multiclass", "regression"]))
def test_parts_are_disjoint_and_complete(rows, seed, task_type):
    """Whatever the size, every row has its place, and every training part has rows."""
    plan = plan_split(table(rows, seed), task_of(task_type), seed=seed)
    cover(plan, rows)
    assert all(len(fold.train) and len(fold.valid) for fold in plan.folds)


@QUIET
@given(rows=st.integers(20, 400), seed=st.integers(0, 5), groups=st.integers(2, 60))
def test_groups_never_cross(rows, seed, groups):
    """Rows of one group are on one side of every split."""
    frame = table(rows, seed, groups=groups)
    plan = plan_split(frame, task_of("multiclass", group="g"), seed=seed)
    cover(plan, rows)
    group = frame["g"].to_numpy()
    for fold in plan.folds:
        for a, b in [(fold.train, fold.valid), (fold.train, plan.holdout), (fold.valid, plan.holdout)]:
            assert not set(group[a]) & set(group[b])


@QUIET
@given(rows=st.integers(20, 400), seed=st.integers(0, 5), moments=st.integers(4, 60))
def test_time_never_runs_backwards(rows, seed, moments):
    """What is scored is later than what was trained on; rows of one moment stay together."""
    frame = table(rows, seed, moments=moments)
    plan = plan_split(frame, task_of("regression", time="t"), seed=seed, holdout=0.2)
    if plan.kind != "time":
        assert frame["t"].nunique() < 6
        return
    time = frame["t"].to_numpy()
    for fold in plan.folds:
        assert time[fold.train].max() < time[fold.valid].min()
        assert time[fold.valid].max() < time[plan.holdout].min()


@QUIET
@given(rows=st.integers(20, 400), seed=st.integers(0, 5), moments=st.integers(6, 30), groups=st.integers(2, 200))
def test_time_and_groups_hold_together_or_time_gives_way_with_a_note(rows, seed, moments, groups):
    """Both are respected, or the groups are and a note says so."""
    frame = table(rows, seed, moments=moments, groups=groups)
    plan = plan_split(frame, task_of("regression", time="t", group="g"), seed=seed, holdout=0.2)
    group, time = frame["g"].to_numpy(), frame["t"].to_numpy()
    for fold in plan.folds:
        assert not set(group[fold.train]) & set(group[fold.valid])
        assert not set(group[fold.train]) & set(group[plan.holdout])
        assert plan.kind != "time" or time[fold.train].max() < time[fold.valid].min()
    assert plan.kind == "time" or any("does not follow" in note for note in plan.notes)


@QUIET
@given(rows=st.integers(60, 400), seed=st.integers(0, 5), distinct=st.integers(60, 400))
def test_equal_rows_never_cross(rows, seed, distinct):
    """Copies of a row are on one side, unless nearly everything is a copy, which a note says."""
    frame = table(rows, seed, distinct=distinct)[["x", "y"]]
    plan = plan_split(frame, task_of("multiclass"), seed=seed)
    if not plan.duplicates_together:
        assert any("Equal rows" in note for note in plan.notes)
        return
    x = frame["x"].to_numpy()
    for fold in plan.folds:
        assert not set(x[fold.train]) & set(x[fold.valid])
        assert not set(x[fold.valid]) & set(x[plan.holdout])


def test_the_same_seed_gives_the_same_plan():
    """And another seed another one."""
    frame = table(300, 0)
    first, again, other = (plan_split(frame, task_of("multiclass"), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.holdout, again.holdout)
    assert all(np.array_equal(a.valid, b.valid) for a, b in zip(first.folds, again.folds, strict=True))
    assert not np.array_equal(first.holdout, other.holdout)


def test_classes_and_ranges_are_spread_evenly():
    """Each fold and the holdout have the classes, and the mean, of the whole."""
    frame = table(1_000, 0)
    plan = plan_split(frame, task_of("multiclass"))
    shares = [(frame["y"].iloc[part] == 0).mean() for part in (plan.holdout, *(f.valid for f in plan.folds))]
    assert max(shares) - min(shares) < 0.02
    frame["y"] = np.random.default_rng(0).lognormal(size=1_000)
    plan = plan_split(frame, task_of("regression"))
    means = [frame["y"].iloc[f.valid].mean() for f in plan.folds]
    assert max(means) / min(means) < 1.4


def test_a_class_with_one_row_stays_in_training_of_the_scored_model():
    """Rare classes do not crash a split, and do not end up in the holdout alone."""
    frame = table(300, 0)
    frame["y"] = ["rare", "few", "few", *["a", "b"] * 148, "b"]
    plan = plan_split(frame, task_of("multiclass"))
    cover(plan, 300)
    assert 0 not in plan.holdout


@pytest.mark.parametrize(
    ("rows", "fraction"), [(100, 0.0), (149, 0.0), (150, 0.2), (5_000, 0.2), (50_000, 0.1), (1_000_000, 0.02)]
)
def test_holdout_sizes_follow_the_rule(rows, fraction):
    """AutoGluon's rule, doubled, and nothing on tiny data."""
    assert default_holdout(rows) == pytest.approx(fraction)


def test_fold_counts_shrink_with_the_rows():
    """Repeated on tiny data, one fold on huge."""
    assert [default_folds(rows) for rows in (50, 300, 5_000, 100_000, 500_000)] == [
        (5, 3),
        (8, 1),
        (5, 1),
        (3, 1),
        (1, 1),
    ]


def test_tiny_data_is_repeated_and_says_so():
    """Without a holdout, and with a note."""
    plan = plan_split(table(60, 0), task_of("multiclass"))
    assert (len(plan.holdout), plan.repeats, len(plan.folds)) == (0, 3, 15)
    assert "repeated cross-validation" in plan.notes[0]


@pytest.mark.parametrize(("asked", "size"), [(0.25, 50), ("none", 0), (0.0, 0), ("auto", 40), (None, 40)])
def test_the_holdout_can_be_asked_for(asked, size):
    """A fraction, none, or the rule."""
    assert len(plan_split(table(200, 0), task_of("multiclass"), holdout=asked).holdout) == size


def test_impossible_wishes_are_refused():
    """A fraction beyond 0.9, one row, one group."""
    with pytest.raises(InputError, match=r"between 0 and 0\.9"):
        plan_split(table(200, 0), task_of("multiclass"), holdout=0.95)
    with pytest.raises(InputError, match="1 row"):
        plan_split(table(1, 0), task_of("multiclass"))
    with pytest.raises(InputError, match="one group"):
        plan_split(table(50, 0, groups=1), task_of("multiclass", group="g"))


def test_a_test_table_is_the_holdout_and_its_overlap_is_told():
    """No training row is held out, and rows that stand in both are named."""
    frame = table(300, 0)
    test = pd.concat([frame.iloc[[5, 7]], table(50, 9)], ignore_index=True)
    plan = plan_split(frame, task_of("multiclass"), test_frame=test)
    assert len(plan.holdout) == 0
    assert plan.test_overlap.tolist() == [0, 1]
    assert any("2 of 52 test rows" in note for note in plan.notes)


def test_groups_are_found_in_names_that_are_all_different():
    """`309_1, 309_2` are two measurements of mouse 309."""
    frame = table(200, 0)
    frame["g"] = [f"{i // 10}_{i % 10}" for i in range(200)]
    plan = plan_split(frame, task_of("multiclass", group="g"))
    for fold in plan.folds:
        assert not set(fold.train // 10) & set(fold.valid // 10)


def test_forecasting_holds_out_the_horizon():
    """The last moments of the horizon are held out, and folds score as many."""
    frame = pd.DataFrame({"t": pd.date_range("2020-01-01", periods=100).astype("str"), "y": np.arange(100.0)})
    task = task_of("forecasting", time="t").model_copy(update={"horizon": 7})
    plan = plan_split(frame, task, holdout=0.1)
    assert plan.holdout.tolist() == list(range(93, 100))
    assert [len(fold.valid) for fold in plan.folds] == [7] * len(plan.folds)


def test_dates_as_text_sort_by_time():
    """Day-first dates do not sort as text."""
    values = pd.Series(["13/02/2020", "01/03/2020", "20/01/2020", None], name="d")
    assert np.argsort(time_values(values)).tolist() == [3, 2, 0, 1]


def test_a_plan_survives_the_disk(tmp_path):
    """Saved without pickle, loaded equal; a damaged file is told."""
    plan = plan_split(table(300, 0), task_of("multiclass"))
    plan.save(tmp_path / "split.npz")
    again = SplitPlan.load(tmp_path / "split.npz")
    assert (again.kind, again.notes, again.repeats) == (plan.kind, plan.notes, plan.repeats)
    assert np.array_equal(again.rest, plan.rest)
    assert np.array_equal(again.holdout, plan.holdout)
    (tmp_path / "split.npz").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="cannot be read"):
        SplitPlan.load(tmp_path / "split.npz")


def test_a_small_sample_has_every_class():
    """Also the rarest, and never a row from outside."""
    frame = table(2_000, 0)
    frame.loc[[3, 900], "y"] = 9
    inside = np.arange(1_500)
    rows = small_sample(frame, inside, task_of("multiclass"), 100, seed=0)
    assert len(rows) == 100
    assert rows.max() < 1_500
    assert set(frame["y"].iloc[rows]) == {0, 1, 2, 9}
    assert (frame["y"].iloc[rows] == 0).mean() == pytest.approx(0.6, abs=0.05)
    assert len(small_sample(frame, inside[:3], task_of("multiclass"), 100, seed=0)) == 3
    assert len(small_sample(frame, inside, task_of("multiclass"), 2, seed=0)) == 2


def test_equal_values_of_other_types_have_one_key():
    """1 and 1.0, 0.0 and -0.0, one text and the same text; missing equals missing."""
    frame = pd.DataFrame({"a": [1.0, -0.0, np.nan], "b": ["x", "y", None]})
    other = pd.DataFrame({"a": [1, 0, 5], "b": ["x", "y", "z"]})
    assert row_keys(frame, ["a", "b"])[:2].tolist() == row_keys(other, ["a", "b"])[:2].tolist()
    assert len(set(row_keys(pd.concat([frame, frame]), ["a", "b"]).tolist())) == 3
