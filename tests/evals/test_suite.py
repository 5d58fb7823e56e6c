"""What a suite says of itself, and which rows of a set are test rows."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from open_autoglm.errors import InputError, UnknownName
from open_autoglm.evals.raw import open_raw
from open_autoglm.evals.splits import fold_of, marked_rows
from open_autoglm.evals.suite import Suite, load_suite


def test_a_folder_without_sets_is_no_suite(tmp_path: Path) -> None:
    """The message says what was looked for."""
    with pytest.raises(InputError, match=r"no folder in it holds a meta\.json"):
        load_suite(tmp_path)


def test_a_wrong_description_is_named_with_its_field(write_set, tmp_path: Path) -> None:
    """One line says which file, which field and why."""
    with pytest.raises(InputError, match=r"meta\.json cannot be used: rows"):
        write_set("bad", "y\n1\n", rows="many")


def test_equal_floor_and_reference_are_refused(write_set) -> None:
    """Nothing could be normalised between them."""
    with pytest.raises(InputError, match="same score"):
        write_set("flat", "y\n1\n", rows=1, reference_scores={"constant": 1, "linear": 1})


def test_a_missing_reference_is_named(write_set) -> None:
    """A floor that is named must be there."""
    with pytest.raises(InputError, match="no reference score 'tree'"):
        write_set("flat", "y\n1\n", rows=1, best_reference="tree")


def test_sets_are_picked_by_name_in_the_order_named(suite: Suite) -> None:
    """No names keep them all; an unknown one offers the nearest."""
    assert [item.name for item in suite.pick(["votes", "loads"]).sets] == ["votes", "loads"]
    assert suite.pick([]) is suite
    with pytest.raises(UnknownName, match="votes"):
        suite.pick(["vote"])


def test_a_file_that_changed_is_refused(suite: Suite) -> None:
    """References belong to one content."""
    item = suite.pick(["votes"]).sets[0]
    item.check_file()
    item.file.write_text("id,x,y\n")
    with pytest.raises(InputError, match="sha256"):
        item.check_file()


def test_folds_are_those_of_the_definition() -> None:
    """A fold is the first 32 bits of the SHA-256 of NAME:KEY, modulo five (worked out with `sha256sum`)."""
    assert [fold_of("titanic", i) for i in range(4)] == [1, 3, 0, 4]


def test_hash_split_follows_row_numbers(suite: Suite) -> None:
    """Row i is in the fold of its number."""
    item = suite.pick(["votes"]).sets[0]
    marked = marked_rows(item, open_raw(item).frame, 0)
    assert marked.tolist() == [fold_of("votes", i) == 0 for i in range(60)]
    with pytest.raises(InputError, match="no test fold 3"):
        marked_rows(item, open_raw(item).frame, 3)


def test_groups_stay_on_one_side(write_set) -> None:
    """The part before the mark decides, for all rows of the group alike."""
    text = "who,y\n" + "".join(f"m{i % 7}_{i},yes\n" for i in range(35))
    item = write_set("mice", text, rows=35, split={"kind": "group_hash5", "group": 'who before "_"'})
    frame = open_raw(item).frame
    marked = marked_rows(item, frame, 0)
    assert marked.tolist() == [fold_of("mice", f"m{i % 7}") == 0 for i in range(35)]
    whole = write_set("mice", text, rows=35, split={"kind": "group_hash5", "group": "who"})
    assert marked_rows(whole, frame, 0).tolist() == [fold_of("mice", f"m{i % 7}_{i}") == 0 for i in range(35)]


def test_time_split_takes_the_last_rows(write_set) -> None:
    """By the column, not by the order of the file; equals keep their order."""
    item = write_set(
        "late", "t,y\n3,1\n1,1\n3,0\n2,1\n", rows=4, split={"kind": "time", "column": "t", "test_fraction": 0.5}
    )
    assert marked_rows(item, open_raw(item).frame, 0).tolist() == [True, False, True, False]


def test_forecasts_cannot_be_measured(suite: Suite) -> None:
    """They are known, and left out."""
    item = suite.pick(["loads"]).sets[0]
    assert item.task_type is None
    with pytest.raises(InputError, match="rolling_origin"):
        marked_rows(item, pd.DataFrame(), 0)


def test_text_is_written_as_it_stood(write_set, tmp_path: Path) -> None:
    """Encoding, separator, compression, quoted separators and the spelling of numbers and gaps stay."""
    text = 'a;leak;y\n007;x;yes\n"é;2";x;no\n\nNA;x;yes\n'
    item = write_set("cells", text, rows=3, read={"sep": ";", "encoding": "latin-1"}, drop_for_task=["leak"])
    raw = open_raw(item)
    raw.write_training(np.array([0, 1]), tmp_path / "train.csv")
    raw.write_new(np.array([1, 2]), tmp_path / "new.csv.gz")
    assert (tmp_path / "train.csv").read_bytes().decode("latin-1") == 'a;y\n007;yes\n"é;2";no\n'
    assert gzip.decompress((tmp_path / "new.csv.gz").read_bytes()).decode("latin-1") == 'a\n"é;2"\nNA\n'


def test_without_a_header_the_target_is_emptied(write_set, tmp_path: Path) -> None:
    """Its place names it, so that the column stays."""
    item = write_set("bare", "1,2,yes\n3,4,no\n", rows=2, target=2, read={"header": None})
    raw = open_raw(item)
    raw.write_training(np.array([1]), tmp_path / "train.csv")
    raw.write_new(np.array([0, 1]), tmp_path / "new.csv")
    assert (tmp_path / "train.csv").read_text() == "3,4,no\n"
    assert (tmp_path / "new.csv").read_text() == "1,2,\n3,4,\n"


def test_parquet_stays_parquet(write_set, tmp_path: Path) -> None:
    """Types stay; the target is gone from new rows."""
    frame = pd.DataFrame({"x": np.arange(4, dtype="int16"), "y": ["yes", "no", "yes", "no"]})
    item = write_set("columns", "", rows=4, file="data.parquet")
    frame.to_parquet(item.file)
    raw = open_raw(item)
    raw.write_training(np.array([2, 3]), tmp_path / "train.parquet")
    raw.write_new(np.array([1]), tmp_path / "new.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "train.parquet"), frame.iloc[2:].reset_index(drop=True))
    assert pd.read_parquet(tmp_path / "new.parquet").to_dict("list") == {"x": [1]}


@pytest.mark.parametrize(
    ("changes", "said"), [({"target": "z"}, "no column 'z'"), ({"rows": 9}, "has 2 rows"), ({}, "cannot be cut")]
)
def test_a_file_that_does_not_fit_its_description_is_refused(write_set, changes, said: str, tmp_path: Path) -> None:
    """Another target, another length, records of different widths."""
    item = write_set("odd", "a,y\n1,yes\n2\n", **{"rows": 2, **changes})
    with pytest.raises(InputError, match=said):
        open_raw(item).write_training(np.array([0]), tmp_path / "out.csv")


def test_descriptions_may_hold_more(write_set) -> None:
    """What people note about a set is no error; what changes how a file is read is."""
    with pytest.raises(InputError, match="Extra"):
        write_set("odd", "y\n1\n", rows=1, read={"decimal": ","})
    assert json.loads((write_set("odd", "y\n1\n", rows=1).root / "meta.json").read_text())["traits"] == ["made"]
