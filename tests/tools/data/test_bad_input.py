"""Input that cannot be used: one clear line, never a traceback."""

import gzip
import io
import os
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.data import guard
from open_autoglm.tools.data.read import read_table
from open_autoglm.tools.task import SourceRole

CSV = b"a,b\n" + b"1,2\n" * 2_000


def many_files_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.jpg", b"x")
        archive.writestr("2.jpg", b"x")
    return buffer.getvalue()


def odd_zip() -> bytes:
    """Write what begins like no zip, and asks for a version of the format that nobody has."""
    content = bytearray(many_files_zip())
    content[3] = 0xF5
    content[content.index(b"PK\x01\x02") + 6] = 132
    return bytes(content)


def broken_sheet() -> bytes:
    """Write an Excel file whose sheets are no XML."""
    buffer, made = io.BytesIO(), io.BytesIO()
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_excel(buffer, index=False)
    with zipfile.ZipFile(buffer) as whole, zipfile.ZipFile(made, "w") as archive:
        for info in whole.infolist():
            archive.writestr(info, b"<a" if "sheet1" in info.filename else whole.read(info))
    return made.getvalue()


BAD = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"\n \n\n", "is empty"),
    "header.csv": (b"a,b\n", "no rows"),
    "one_column.csv": (b"a\n1\n2\n", "one column.*sep="),
    "one_row.csv": (b"a,b\n1,2\n", "one row"),
    "ragged.csv": (b"a,b\n1,2\n3,4,5,6\n", "line 3"),
    "garbage.csv": (bytes(range(256)) * 40, "binary data"),
    "image.csv": (b"\x89PNG\r\n\x1a\n" + bytes(100), "binary data"),
    "cut.csv.gz": (gzip.compress(CSV)[:-20], "cut short"),
    "none.csv.gz": (b"\x1f\x8bnothing of the kind", "decompressed"),
    "bad.zip": (b"PK\x03\x04 no zip", "not a readable zip"),
    "images.zip": (many_files_zip(), "holds no table"),
    "none.parquet": (CSV, "named like a Parquet file"),
    "cut.parquet": (b"PAR1 and nothing more", "not a readable Parquet"),
    "none.xlsx": (CSV, "named like a Excel file|named like an Excel file"),
    "odd.xlsx": (odd_zip(), "not a readable Excel"),
    "sheet.xlsx": (broken_sheet(), "not a readable Excel"),
    "old.xls": (b"\xd0\xcf\x11\xe0" + bytes(100), r"\.xlsx"),
    "bad.sqlite": (b"SQLite format 3\x00" + b"x" * 200, "not a readable SQLite"),
    "bad.json": (b'[{"a": 1', "not valid JSON"),
    "scalar.json": (b"17", "holds no table"),
    "uneven.json": (b'{"a": [1, 2], "b": [1]}', "do not fit together"),
    "bad.jsonl": (b'{"a": 1, "b": 2}\n{"a": \n', "Line 2"),
    "empty_list.json": (b"[]", "holds no table"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_line(tmp_path, name):
    """The line names the file, says what is wrong, and holds no line break."""
    content, words = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert re.search(words, str(caught.value)), str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_offers_the_nearest_names(tmp_path):
    """A typing error in a path is answered with what is there."""
    (tmp_path / "titanic.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"Nearest: titanic\.csv"):
        read_table(tmp_path / "titanc.csv")
    with pytest.raises(InputError, match=r"Tables in that folder: titanic\.csv"):
        read_table(tmp_path / "something_else.parquet")
    with pytest.raises(InputError, match="nor its folder"):
        read_table(tmp_path / "no" / "titanic.csv")


def test_a_directory_lists_its_tables(tmp_path):
    """A folder is answered with the tables in it."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"is a directory.*t\.csv"):
        read_table(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path):
    """Permission denied is one line too."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    path.chmod(0)
    with pytest.raises(InputError, match="permission"):
        read_table(path)


def test_a_wrong_encoding_option_is_told(tmp_path):
    """An encoding that the user named and that does not fit."""
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\n1,é\n2,ü\n".encode("latin-1"))
    with pytest.raises(InputError, match="cannot be decoded as utf-8"):
        read_table(path, read={"encoding": "utf-8"})


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    """A file that unpacks to more than any table of its size."""
    monkeypatch.setattr(guard, "RATIO_FREE_BYTES", 1 << 20)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,1\n" * 2_000_000))
    with pytest.raises(InputError, match="unpack it yourself"):
        read_table(path)


def test_small_tables_to_predict_are_fine(tmp_path):
    """One row or one column is nothing to learn from, but something to predict."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\n1\n")
    assert read_table(path, role=SourceRole.PREDICT).frame.shape == (1, 1)


def test_ten_thousand_columns_are_read(tmp_path):
    """Wide tables work."""
    path = tmp_path / "t.csv"
    frame = pd.DataFrame(np.arange(30_000).reshape(3, 10_000), columns=[f"c{i}" for i in range(10_000)])
    frame.to_csv(path, index=False)
    assert read_table(path).frame.equals(frame)


def test_mixed_types_and_infinities_survive(tmp_path):
    """A column of numbers and words is text; infinity is a number."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,inf\nx,2\n3,-inf\n")
    frame = read_table(path).frame
    assert frame["a"].tolist() == ["1", "x", "3"]
    assert np.isinf(frame["b"]).sum() == 2


def test_an_empty_frame_is_told():
    """No columns, or no rows, in a DataFrame."""
    with pytest.raises(InputError, match="no columns"):
        read_table(pd.DataFrame(index=[1, 2]))
    with pytest.raises(InputError, match="no rows"):
        read_table(pd.DataFrame({"a": [], "b": []}))
