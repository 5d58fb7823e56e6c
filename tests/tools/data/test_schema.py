"""New rows are brought into the shape that the model was trained on, or refused in one line."""

import numpy as np
import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.data.schema import InputSchema, check_new_rows
from open_autoglm.tools.task import Source

TRAIN = pd.DataFrame({
    "id": [1, 2, 3],
    "n": [1, 2, 3],
    "f": [0.5, None, 1.5],
    "s": ["a", "7", None],
    "b": [True, False, True],
    "d": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
    "y": [0, 1, 0],
})  # fmt: skip


def schema_of(make_task, read=None) -> InputSchema:
    return InputSchema.of(TRAIN, make_task(id=["id"]), Source(uri="t.csv", format="csv", read=read or {"header": 0}))


def test_the_training_rows_themselves_pass_unchanged(make_task):
    """Order, names and types stay; the target goes."""
    checked, warnings = check_new_rows(TRAIN, schema_of(make_task))
    pd.testing.assert_frame_equal(checked, TRAIN.drop(columns="y"))
    assert warnings == ()


def test_columns_may_come_reordered_renamed_by_case_and_with_others(make_task):
    """What is meant is found; what is unknown is left out."""
    rows = TRAIN[["y", "d", "b", "s", "f", "n", "id"]].rename(columns={"n": " N "}).assign(extra=1)
    checked, warnings = check_new_rows(rows, schema_of(make_task))
    assert checked.columns.tolist() == ["id", "n", "f", "s", "b", "d"]
    assert "' N ' as 'n'" in warnings[0]


def test_a_missing_column_is_filled_with_a_warning(make_task):
    """A missing id is nobody's loss; a missing feature is told."""
    checked, warnings = check_new_rows(TRAIN.drop(columns=["id", "s"]), schema_of(make_task))
    assert checked["s"].isna().all()
    assert checked["s"].dtype == "str"
    assert len(warnings) == 1
    assert "s" in warnings[0]


def test_another_table_is_refused(make_task):
    """With most columns missing it is not the same kind of table."""
    with pytest.raises(InputError, match=r"4 of the 5 columns.*The new table has: n, z"):
        check_new_rows(pd.DataFrame({"n": [1], "z": [2]}), schema_of(make_task))
    with pytest.raises(InputError, match="no rows"):
        check_new_rows(TRAIN.iloc[:0], schema_of(make_task))


def test_types_follow_training(make_task):
    """Numbers written as text, text that looks like numbers, gaps everywhere."""
    rows = pd.DataFrame({
        "n": ["1", " 2", "many"],
        "f": [None, None, None],
        "s": [7.0, np.nan, 8.0],
        "b": ["true", "0", None],
        "d": ["2021-05-06", "soon", None],
    })  # fmt: skip
    checked, warnings = check_new_rows(rows, schema_of(make_task))
    assert checked["n"].fillna(-1).tolist() == [1, 2, -1]
    assert checked["f"].dtype == "float64"
    assert checked["s"].fillna("-").tolist() == ["7", "-", "8"]
    assert checked["b"].tolist() == [True, False, None]
    assert checked["d"].dtype.kind == "M"
    assert [w.split()[0] for w in warnings] == ["1", "1"]


@pytest.mark.parametrize("column", ["n", "f", "s", "b", "d"])
def test_a_column_without_any_value_keeps_the_kind_of_training(make_task, column):
    """All gaps come as floats from a CSV."""
    checked, warnings = check_new_rows(TRAIN.assign(**{column: np.nan}), schema_of(make_task))
    kinds = {"n": "f", "f": "f", "s": "O", "b": "O", "d": "M"}
    assert checked[column].dtype.kind == kinds[column]
    assert warnings == ()


def test_rows_without_names_and_without_the_target_find_their_columns(make_task):
    """A headerless file whose target stood in the middle."""
    train = pd.DataFrame({"0": [1, 2], "1": ["a", "b"], "2": [0.5, 1.5]})
    schema = InputSchema.of(train, make_task(target="1"), Source(uri="t", format="csv", read={"header": None}))
    checked, _ = check_new_rows(pd.DataFrame({"0": [5], "1": [6.5]}), schema)
    assert checked.to_dict("list") == {"0": [5], "2": [6.5]}
    checked, _ = check_new_rows(train, schema)
    assert checked.to_dict("list") == {"0": [1, 2], "2": [0.5, 1.5]}


def test_the_schema_survives_json(make_task):
    """It lies in the deliverable."""
    schema = schema_of(make_task)
    assert InputSchema.model_validate_json(schema.model_dump_json()) == schema
    assert schema.read == {"header": 0}
