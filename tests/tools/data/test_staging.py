"""Content-addressed storage: opaque names, atomic, stored once, no pickle."""

import datetime as dt
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.data.cells import plain_frame
from open_autoglm.tools.data.staging import ObjectStore, Staging, content_hash, read_parquet, write_atomically

MESSY = {
    "mixed": [1, "a", None, [1, 2]],
    "dicts": [{"b": 1, "a": 2}, {"a": 2, "b": 1}, None, {}],
    "huge": [10**30, 1, 2, 3],
    "unsigned": [2**64 - 1, 0, 1, 2],
    "bytes": [b"abc", b"\xff", None, b""],
    "dates": [dt.date(2020, 1, 1), None, dt.date(1500, 1, 1), dt.date(2021, 1, 1)],
    "zones": [pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-01-01"), None, None],
    "bools": [True, None, False, True],
    "whole": [1, None, 3, 4],
    "surrogate": ["\ud800", "x", None, "y"],
    "sets": [{3, 1, 2}, {1, 2, 3}, {2, 3, 1}, None],
    "none": [None] * 4,
    "complex": [1j, 2, None, 3],
}


def test_messy_columns_come_back_as_they_were_made_plain(tmp_path):
    """What Parquet cannot hold is text, the same each time; the rest keeps its type and its gaps."""
    raw = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in MESSY.items()})
    raw.index = [7, 7, 1, 0]
    plain, warnings = plain_frame(raw)
    pd.testing.assert_frame_equal(read_parquet(Staging(tmp_path).put(raw)), plain)
    assert plain["mixed"].tolist()[:2] == ["1", "a"]
    assert plain["dicts"][0] == plain["dicts"][1] == '{"a": 2, "b": 1}'
    assert plain["huge"][0] == str(10**30)
    assert plain["unsigned"].dtype == "uint64"
    assert plain["bytes"].tolist()[:2] == ["abc", "ff"]
    assert plain["dates"].dtype.kind == "M"
    assert plain["bools"].tolist() == [True, None, False, True]
    assert plain["whole"].dtype == "float64"
    assert plain["sets"].nunique() == 1
    assert "mixed" in warnings[0]
    pd.testing.assert_frame_equal(plain_frame(plain)[0], plain)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["a", "b", None]).astype("category"),
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series([1.5, 2.5, 3.5], dtype="float16"),
        pd.period_range("2020", periods=3, freq="Y").to_series(),
        pd.Series(pd.arrays.SparseArray([0, 0, 1])),
        pd.interval_range(0, 3).to_series(),
        pd.Series(pd.date_range("2020", periods=3, tz="Asia/Shanghai")),
        pd.to_timedelta([1, 2, 3], unit="h").to_series(),
    ],
)
def test_unusual_dtypes_become_usual_ones(tmp_path, values):
    """Categories, nullable, sparse, periods and intervals do not reach written code."""
    frame = pd.DataFrame({"a": values.to_numpy() if values.dtype == "float16" else values.reset_index(drop=True)})
    plain, _ = plain_frame(frame)
    dtype = plain["a"].dtype
    assert dtype.kind in "biufmMO" or dtype == "str"
    pd.testing.assert_frame_equal(read_parquet(Staging(tmp_path).put(frame)), plain)


def test_equal_frames_share_one_opaque_file(tmp_path, plain):
    """The name is the hash of the content; index, origin and time are gone."""
    staging = Staging(tmp_path)
    path = staging.put(plain)
    assert staging.put(plain.set_axis(range(5, 205))) == path
    assert path.stem == content_hash(path)
    assert path.stat().st_mtime == 0
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert staging.put(plain.iloc[:100]) != path


def test_a_csv_is_staged_too(tmp_path, plain):
    """For solutions that are run as a script."""
    path = Staging(tmp_path).put_csv(plain)
    assert path.suffix == ".csv"
    assert pd.read_csv(path).shape == plain.shape


def test_files_and_folders_are_stored_once(tmp_path):
    """Equal content has one place; a folder's hash follows names and contents, not times or order."""
    store = ObjectStore(tmp_path / "objects")
    for name in ("one", "two"):
        folder = tmp_path / name / "sub"
        folder.mkdir(parents=True)
        (folder / "b.bin").write_bytes(b"b")
        (tmp_path / name / "a.txt").write_text("a")
    first, second = store.put(tmp_path / "one"), store.put(tmp_path / "two")
    assert first == second
    assert (first.kind, first.size_bytes) == ("folder", 2)
    assert (first.path / "sub" / "b.bin").read_bytes() == b"b"
    (tmp_path / "two" / "a.txt").rename(tmp_path / "two" / "c.txt")
    assert store.put(tmp_path / "two").sha256 != first.sha256
    file = store.put(tmp_path / "one" / "a.txt")
    assert (file.kind, file.path.read_text()) == ("file", "a")
    assert store.put_bytes(b"a") == file
    assert store.get(file.sha256) == file.path


def test_damage_is_noticed(tmp_path):
    """An object that was changed or is not there is not intact."""
    store = ObjectStore(tmp_path)
    ref = store.put_bytes(b"content")
    assert store.intact(ref.sha256)
    ref.path.write_bytes(b"changed")
    assert not store.intact(ref.sha256)
    assert not store.intact("0" * 64)
    with pytest.raises(KeyError):
        store.get("../secret")


def test_links_and_pipes_are_refused(tmp_path):
    """What a sandbox wrote may point anywhere; only plain files are kept, and nothing is left behind."""
    store = ObjectStore(tmp_path / "objects")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="link"):
        store.put(folder)
    with pytest.raises(InputError):
        store.put(folder / "link")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe"):
        store.put(tmp_path / "pipe")
    with pytest.raises(InputError, match="cannot be stored"):
        store.put(tmp_path / "missing")
    assert list((tmp_path / "objects").iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """Either the new content or the old, never half of one."""
    path = tmp_path / "f"
    write_atomically(path, lambda draft: draft.write_text("old"))

    def fail(draft):
        draft.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def put_many(root, times):
    store = ObjectStore(root / "objects")
    for _ in range(times):
        store.put(root / "source")


def test_concurrent_writers_of_equal_content_do_no_harm(tmp_path):
    """Four processes store one folder again and again."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "f").write_bytes(b"x" * 100_000)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=put_many, args=(tmp_path, 5)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    (place,) = (tmp_path / "objects").iterdir()
    assert ObjectStore(tmp_path / "objects").intact(place.name)


@pytest.mark.slow
def test_a_killed_writer_leaves_only_whole_objects(tmp_path):
    """Kill -9 at any moment: what has a name is whole, and drafts are swept."""
    code = (
        "import pathlib, sys, os\nfrom open_autoglm.tools.data.staging import ObjectStore\n"
        "root = pathlib.Path(sys.argv[1]); store = ObjectStore(root / 'objects'); print('ready', flush=True)\n"
        "for i in range(10**6):\n    store.put_bytes(os.urandom(300_000))\n"
    )
    for round_ in range(10):
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(0.02 * round_)
            process.send_signal(signal.SIGKILL)
    store = ObjectStore(tmp_path / "objects")
    store.sweep()
    names = [path.name for path in (tmp_path / "objects").iterdir()]
    assert names
    assert all(store.intact(name) for name in names)


def test_frames_of_odd_floats_keep_their_bits(tmp_path):
    """NaN, infinities and tiny numbers."""
    frame = pd.DataFrame({"x": [np.nan, np.inf, -np.inf, 5e-324, -0.0]})
    again = read_parquet(Staging(tmp_path).put(frame))
    assert again["x"].to_numpy().tobytes() == frame["x"].to_numpy().tobytes()
