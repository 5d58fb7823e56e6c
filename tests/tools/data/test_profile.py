"""What the profile says about columns, the target, duplicates, roles and leaks."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.data.kinds import judge, numbers_in
from open_autoglm.tools.data.profile import ColumnKind, DataProfile, SuspectKind, profile_table
from open_autoglm.tools.data.schema import InputSchema

RNG = np.random.default_rng(0)
SCHEMAS = {"data_profile": DataProfile, "input_schema": InputSchema}

KINDS = {
    "numeric": [1.5, 2, 3, None] * 10,
    "whole": [3, 1, 4, 1, 5] * 8,
    "boolean": [0, 1, 1, None] * 10,
    "yesno": ["Yes", "No", None, "No"] * 10,
    "categorical": ["red", "green", "blue", "red"] * 10,
    "many": [f"w{i % 25}" for i in range(40)],
    "iso": [f"2020-01-{i % 28 + 1:02d}" for i in range(40)],
    "dayfirst": [f"{i % 28 + 1}/12/2016" for i in range(40)],
    "stamped": [f"1/{i % 28 + 1}/2011 10:30" for i in range(40)],
    "quarter": [f"{1998 + i // 4} Q{i % 4 + 1}" for i in range(40)],
    "chinese_date": [f"2020年{i % 12 + 1}月3日" for i in range(40)],
    "blanks": [str(i / 2) if i % 9 else " " for i in range(40)],
    "units": [f"{i + 0.4} kmpl" for i in range(40)],
    "torque": [f"{i}Nm@ {i * 9}rpm" for i in range(40)],
    "money": [f"${i},{i + 100:03d}" for i in range(1, 41)],
    "row": list(range(1, 41)),
    "customerID": [f"{i * 7919 % 9973}-XA" for i in range(40)],
    "address": [f"{i} {chr(97 + i % 26)}{chr(97 + i % 7)} Street" for i in range(40)],
    "ages": ["18-24", "25-34", "35-44", "45-54"] * 10,
    "same": ["x"] * 40,
    "empty": [None] * 40,
}
EXPECTED = {
    "numeric": "numeric", "whole": "numeric", "boolean": "boolean", "yesno": "boolean", "categorical": "categorical",
    "many": "categorical", "iso": "datetime", "dayfirst": "datetime", "stamped": "datetime", "quarter": "datetime",
    "chinese_date": "datetime", "blanks": "numeric_text", "units": "numeric_text", "torque": "numeric_text",
    "money": "numeric_text", "row": "identifier", "customerID": "identifier", "ages": "categorical", "same": "constant",
    "empty": "empty",
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_kinds_of_columns(name):
    """Each kind of column is told from its values."""
    values = pd.Series(KINDS[name], dtype="float64" if name == "empty" else None)
    assert judge(values, name).kind == EXPECTED[name]


def test_street_numbers_are_no_numbers():
    """`85 Turner St` is an address, not 85 of something."""
    assert judge(pd.Series(KINDS["address"]), "address").kind is not ColumnKind.NUMERIC_TEXT


def test_day_and_month_are_told_apart():
    """A day beyond 12 settles which comes first."""
    assert judge(pd.Series(KINDS["dayfirst"]), "d").date_format == "%d/%m/%Y"
    assert judge(pd.Series(KINDS["stamped"]), "d").date_format == "%m/%d/%Y %H:%M"


def test_chinese_sentences_are_text():
    """Words are not cut by spaces there."""
    values = pd.Series([f"送餐很快味道也很好第{i}次还会再来的" for i in range(80)])
    found = judge(values, "review")
    assert (found.kind, found.shape.chinese) == (ColumnKind.TEXT, True)


def test_numbers_are_taken_out_of_text():
    """Units, currencies and thousands marks are left behind."""
    assert numbers_in(pd.Series(["23.4 kmpl", "$1,200", "-3e2", "none", None])).fillna(-1).tolist() == [
        23.4,
        1200,
        -300,
        -1,
        -1,
    ]


def test_columns_are_summarised(plain, make_task):
    """Quantiles, levels, gaps and roles of a small table."""
    plain.loc[:19, "x"] = np.nan
    profile = profile_table(plain, make_task(id=["c"]))
    x, c, y = profile.columns
    assert x.missing_fraction == 0.1
    assert list(x.quantiles) == ["5%", "25%", "50%", "75%", "95%"]
    assert (c.role, y.role, x.role) == ("id", "target", "feature")
    assert sum(level.count for level in c.levels) == 200
    assert {level.value for level in profile.target.classes} == {0, 1}
    assert profile.column("c") == c
    with pytest.raises(KeyError):
        profile.column("z")


def test_a_regression_target_is_described(make_task):
    """Skew, counts and a pile at the top."""
    target = np.minimum(RNG.poisson(np.exp(RNG.normal(3, 1, 2_000))), 80)
    profile = profile_table(pd.DataFrame({"x": RNG.normal(size=2_000), "y": target}), make_task("regression"))
    assert profile.target.count_like
    assert profile.target.capped_fraction > 0.01
    assert profile.target.skew > abs(profile.target.log_skew)
    assert any("limit" in warning for warning in profile.warnings)


def test_duplicates_are_counted_without_row_names(make_task):
    """An id does not hide that rows repeat, and twins with another label are told."""
    frame = pd.DataFrame({"id": range(40), "x": [1.0, 1.0, 2.0, 2.0, *range(3, 39)], "y": [0, 0, 0, 1, *([0, 1] * 18)]})
    profile = profile_table(frame, make_task())
    assert (profile.duplicates.rows, profile.duplicates.conflicting) == (2, 2)


def leaky(rows: int = 600) -> pd.DataFrame:
    y = RNG.integers(0, 3, rows)
    return pd.DataFrame({"x": RNG.normal(size=rows), "y": pd.Series(y).map({0: "low", 1: "mid", 2: "high"})})


def suspects_of(frame: pd.DataFrame, task) -> dict[str, SuspectKind]:
    profile = profile_table(frame, task)
    assert all(suspect.column in suspect.explanation for suspect in profile.suspects)
    return {suspect.column: suspect.kind for suspect in profile.suspects}


def test_a_relabelled_target_is_a_copy(make_task):
    """The target under other names, in any mapping."""
    frame = leaky()
    frame["z"] = frame["y"].map({"low": 7, "mid": 1, "high": 4})
    assert suspects_of(frame, make_task("multiclass")) == {"z": SuspectKind.COPY}


@pytest.mark.parametrize("change", [lambda y: y * -3.5 + 12, lambda y: y * 1e-9, lambda y: y**3])
def test_a_rescaled_target_is_a_copy(make_task, change):
    """Times a factor plus a constant, or on another scale in the same order."""
    frame = pd.DataFrame({"x": RNG.normal(size=500), "y": RNG.normal(size=500)})
    frame["z"] = change(frame["y"])
    assert suspects_of(frame, make_task("regression")) == {"z": SuspectKind.COPY}


def test_columns_that_nearly_tell_the_target_are_suspects(make_task):
    """Near-perfect columns, a column filled in for one class only, a part of the target's definition, an id, a name."""
    frame = leaky()
    code = frame["y"].map({"low": 0, "mid": 1, "high": 2})
    frame["near"] = code + RNG.normal(0, 0.05, len(frame))
    frame["why"] = np.where(frame["y"] == "low", RNG.choice(["late", "rude", "cold"], len(frame)), None)
    frame["part"] = frame["y"].map({"low": "a", "mid": "a", "high": "b"})
    frame["ref"] = [f"{label}_{i}" for i, label in enumerate(frame["y"])]
    frame["y_confidence"] = RNG.normal(size=len(frame))
    frame = frame.astype({"why": "str"}).where(frame.notna())
    assert suspects_of(frame, make_task("multiclass")) == {
        "near": SuspectKind.NEAR_PERFECT,
        "why": SuspectKind.GIVES_CLASS_AWAY,
        "part": SuspectKind.GIVES_CLASS_AWAY,
        "ref": SuspectKind.IDENTIFIER,
        "y_confidence": SuspectKind.NAME,
    }


def test_parts_of_the_target_definition_are_suspects(make_task):
    """Each class has one value in the column, and no value has one class."""
    y = RNG.integers(0, 4, 600)
    frame = pd.DataFrame({"x": RNG.normal(size=600), "treated": np.where(y % 2, "yes", "no"), "y": y})
    assert suspects_of(frame, make_task("multiclass")) == {"treated": SuspectKind.FOLLOWS_FROM_TARGET}


def test_rows_sorted_by_the_target_are_told(make_task):
    """Then any counter is a leak, for classes and numbers alike."""
    frame = leaky().sort_values("y", ignore_index=True)
    assert suspects_of(frame, make_task("multiclass")) == {"": SuspectKind.ROW_ORDER}
    frame = pd.DataFrame({"id": range(500), "x": RNG.normal(size=500), "y": np.sort(RNG.normal(size=500))})
    assert set(suspects_of(frame, make_task("regression"))) >= {"", "id"}


def test_honest_columns_are_no_suspects(plain, make_task):
    """No alarm on noise, on a good feature or on many categories."""
    plain["good"] = plain["y"] + RNG.normal(0, 0.7, 200)
    plain["code"] = [f"c{i % 90}" for i in range(200)]
    assert suspects_of(plain, make_task()) == {}


def test_time_and_group_candidates_are_found(make_task):
    """Dates in the order of the rows; an id that comes again; names that begin alike."""
    frame = pd.DataFrame({
        "when": [f"2020-01-{i // 10 + 1:02d}" for i in range(240)],
        "patient_id": [i % 40 for i in range(240)],
        "MouseID": [f"{i // 12}_{i % 12}" for i in range(240)],
        "y": RNG.integers(0, 2, 240),
    })  # fmt: skip
    profile = profile_table(frame, make_task())
    assert [c.column for c in profile.time_candidates] == ["when"]
    assert "order" in profile.time_candidates[0].reason
    assert [c.column for c in profile.group_candidates] == ["patient_id", "MouseID"]


def test_a_profile_survives_json_with_infinities(make_task):
    """What goes into profile.json comes back equal."""
    frame = pd.DataFrame({"x": [np.inf, -np.inf, 1e308, -1e308] * 10, "y": [0, 1] * 20})
    profile = profile_table(frame, make_task())
    assert profile.column("x").infinite == 20
    assert DataProfile.model_validate_json(profile.model_dump_json()) == profile
    json.loads(profile.model_dump_json(), parse_constant=pytest.fail)


@pytest.mark.parametrize("task_type", ["multiclass", "regression"])
def test_numbers_at_the_limit_of_floats_do_not_overflow(make_task, task_type):
    """Their mean and quantiles are still numbers, without a warning."""
    frame = pd.DataFrame({"x": [1.19e308] * 3 + [1e155, 0.0] * 20, "y": [1e308, 5.0, 7.0] + [1e200, 1.0] * 20})
    x = profile_table(frame, make_task(task_type)).column("x")
    assert x.mean == pytest.approx(1.19e308 / 43 * 3)
    assert x.quantiles["95%"] > 1e154


def test_an_absent_target_is_told(plain, make_task):
    """A task about another table."""
    with pytest.raises(InputError, match="price"):
        profile_table(plain, make_task(target="price"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_json_schema_is_frozen(name):
    """A change of what other programs read is made on purpose: write the file anew, with a new schema_version if need be."""
    frozen = json.loads((Path(__file__).parent / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert SCHEMAS[name].model_json_schema() == frozen


@pytest.mark.slow
def test_a_long_table_is_looked_at_in_part(make_task):
    """A million rows are sampled, and the profile says so; gaps, classes and duplicates stay exact."""
    frame = pd.DataFrame({"x": RNG.normal(size=1_000_000), "y": RNG.integers(0, 2, 1_000_000)})
    frame.loc[::4, "x"] = np.nan
    profile = profile_table(frame, make_task())
    assert profile.rows == 1_000_000
    assert profile.sampled_rows == 100_000
    assert profile.column("x").missing_fraction == 0.25
    assert sum(level.count for level in profile.target.classes) == 1_000_000
