"""Reading tables of unknown format, encoding, separator and header."""

import bz2
import gzip
import json
import lzma
import sqlite3
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.data.kinds import ColumnKind
from open_autoglm.tools.data.read import new_rows, read_table, sketch
from open_autoglm.tools.task import SourceRole

TEXT = "name,age,city\nZoë,31,Köln\nJosé,45,Málaga\nAnn,28,Bonn\nBob,33,Bern\n"
CHINESE = "姓名,年龄,评价\n张三,31,很好吃送餐很快\n李四,45,味道不好下次不来\n王五,28,还可以\n"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"])
def test_european_encodings_are_found(tmp_path, encoding):
    """Umlauts survive in whatever encoding they come, with or without a byte order mark."""
    frame = read_table(write(tmp_path / "t.csv", TEXT.encode(encoding))).frame
    assert frame.columns.tolist() == ["name", "age", "city"]
    assert frame["city"].tolist() == ["Köln", "Málaga", "Bonn", "Bern"]
    assert frame["age"].dtype == "int64"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "gbk", "utf-16"])
def test_chinese_encodings_are_found(tmp_path, encoding):
    """Chinese names and cells survive in UTF-8, UTF-16 and the GB encodings."""
    frame = read_table(write(tmp_path / "t.csv", CHINESE.encode(encoding))).frame
    assert frame.columns.tolist() == ["姓名", "年龄", "评价"]
    assert frame["姓名"].tolist() == ["张三", "李四", "王五"]


def test_bytes_that_are_not_utf8_after_a_long_ascii_beginning_are_decoded(tmp_path):
    """A file is not given up because its first megabyte told nothing of its encoding."""
    lines = ["a,b"] + ["1,plain"] * 200_000
    content = ("\n".join(lines) + "\n").encode() + "2,café\n".encode("latin-1")
    table = read_table(write(tmp_path / "t.csv", content))
    assert table.frame["b"].iloc[-1] == "café"


@pytest.mark.parametrize(("separator", "name"), [(",", "t.csv"), ("\t", "t.tsv"), (";", "t.csv"), ("|", "t.txt")])
def test_separators_are_found(tmp_path, separator, name):
    """Each common separator is found, also where other separators stand inside quoted values."""
    text = "a,b,c\n" + "".join(f'{i},"x, y; z|w",{i * 2}\n' for i in range(9))
    rows = [["a", "b", "c"], *([str(i), '"x, y; z|w"', str(i * 2)] for i in range(9))]
    text = "\n".join(separator.join(row) for row in rows)
    table = read_table(write(tmp_path / name, text))
    assert table.frame.shape == (9, 3)
    assert table.source.read["sep"] == separator


def test_decimal_commas_and_thousands_are_found(tmp_path):
    """A European export becomes numbers, and says so."""
    table = read_table(write(tmp_path / "t.csv", "a;b\n1,5;1.234,5\n2,5;2.000,0\n3;17,25\n"))
    assert table.frame["a"].tolist() == [1.5, 2.5, 3.0]
    assert table.frame["b"].tolist() == [1234.5, 2000.0, 17.25]
    assert any("decimal comma" in warning for warning in table.warnings)


def test_columns_aligned_by_spaces_are_found(tmp_path):
    """The layout of many scientific tables."""
    frame = read_table(write(tmp_path / "t.data", "x   y  z\n1.0  2  3\n4.5  5  6\n7.0  8  9\n")).frame
    assert frame.shape == (3, 3)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("0.1,2,'-1'\n0.2,3,'1'\n0.3,4,'-1'\n", ["0", "1", "2"]),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,virginica\n6.3,3.3,virginica\n", ["0", "1", "2"]),
        ("p,x,s\ne,x,s\np,y,t\ne,y,t\np,x,t\n", ["0", "1", "2"]),
        ("country,2001,2002\nfrance,1,2\nchile,3,4\npeine,5,6\n", ["country", "2001", "2002"]),
        ("0,1,2\n3,4,5\n6,7,8\n9,1,2\n", ["0", "1", "2"]),
        ("name,age\nann,3\nbob,4\n", ["name", "age"]),
        ("label,text\nham,hello there\nspam,win now\nham,see you\n", ["label", "text"]),
    ],
)
def test_a_missing_header_is_noticed(tmp_path, text, columns):
    """Rows like all others are data; words over numbers, or numbers that count up, are names."""
    table = read_table(write(tmp_path / "t.csv", text))
    assert table.frame.columns.tolist() == columns
    assert len(table.frame) == text.count("\n") - (table.source.read["header"] == 0)


def test_user_options_override_what_would_be_found_out(tmp_path):
    """`--read` values arrive as text and win."""
    path = write(tmp_path / "t.csv", "# made by x\n1;2;-\n3;4;5\n")
    table = read_table(path, read={"sep": "semicolon", "header": "none", "comment": "#", "na_values": "-,?"})
    assert table.frame.columns.tolist() == ["0", "1", "2"]
    assert table.frame["2"].isna().tolist() == [True, False]


def test_reading_again_with_the_recorded_options_gives_the_same(tmp_path):
    """`Source.read` is enough to read the file in the same way."""
    path = write(tmp_path / "t.csv", "1;x;0,5\n2;y;1,5\n3;x;2,5\n4;y;3,5\n".encode("utf-16"))
    table = read_table(path)
    assert read_table(path, read=table.source.read).frame.equals(table.frame)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ({"seperator": ";"}, "sep"),
        ({"encoding": "klingon"}, "utf-8"),
        ({"header": "-4"}, "rows"),
        ({"decimal": "abc"}, "one character"),
        ({"on_bad_lines": "guess"}, "skip"),
        ({"format": "word"}, "csv"),
    ],
)
def test_unknown_options_are_refused_with_the_possible_ones(tmp_path, read, words):
    """A typing error in an option is told with what is possible."""
    with pytest.raises(InputError, match=words):
        read_table(write(tmp_path / "t.csv", TEXT), read=read)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_recognised_by_content(tmp_path, compress):
    """Compression needs no particular file name."""
    table = read_table(write(tmp_path / "t", compress(TEXT.encode())))
    assert table.frame.shape == (4, 3)


def test_the_one_table_in_a_zip_is_read_and_several_are_listed(tmp_path):
    """A zip is as good as its table; with two of them the user chooses."""
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.md", "x")
        archive.writestr("data/one.csv", TEXT)
    assert read_table(path).frame.shape == (4, 3)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("two.csv", TEXT)
    with pytest.raises(InputError, match=r"two\.csv.*member="):
        read_table(path)
    assert read_table(path, read={"member": "two.csv"}).source.read["member"] == "two.csv"


def test_parquet_excel_and_json_give_the_same_table(tmp_path):
    """One table, five formats."""
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, None, 1.5]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    frame.to_json(tmp_path / "t.json", orient="records")
    frame.to_json(tmp_path / "c.json")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    for name in ("t.parquet", "t.xlsx", "t.json", "c.json", "t.jsonl"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name).frame, frame)


def test_a_sheet_can_be_named(tmp_path):
    """The first sheet is read, and the others are told."""
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_excel(book, sheet_name="first", index=False)
        pd.DataFrame({"c": [1, 2], "d": [3, 4]}).to_excel(book, sheet_name="second", index=False)
    table = read_table(tmp_path / "t.xlsx")
    assert (table.frame.columns.tolist(), table.source.read["sheet"]) == (["a", "b"], "first")
    assert "2 sheets" in table.warnings[0]
    assert read_table(tmp_path / "t.xlsx", read={"sheet": "second"}).frame.columns.tolist() == ["c", "d"]
    with pytest.raises(InputError, match="second"):
        read_table(tmp_path / "t.xlsx", read={"sheet": "secnd"})


def test_the_only_sqlite_table_is_read_and_several_are_listed(tmp_path):
    """A database is as good as its table; with two of them the user chooses."""
    path = tmp_path / "t.db"
    connection = sqlite3.connect(path)
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_sql('od"d', connection, index=False)
    assert read_table(path).frame.shape == (2, 2)
    pd.DataFrame({"c": [1, 2], "d": [3, 4]}).to_sql("other", connection, index=False)
    connection.close()
    with pytest.raises(InputError, match=r"other.*table="):
        read_table(path)
    assert read_table(path, read={"table": "other"}).frame.columns.tolist() == ["c", "d"]


def test_nested_json_becomes_the_same_text_each_time(tmp_path):
    """Lists and objects in cells are written as JSON with sorted keys."""
    path = write(
        tmp_path / "t.json", json.dumps([{"a": 1, "b": {"y": 1, "x": [2]}}, {"a": 2, "b": {"x": [2], "y": 1}}])
    )
    assert read_table(path).frame["b"].tolist() == ['{"x": [2], "y": 1}'] * 2


def test_frames_get_plain_names_and_a_plain_index():
    """A user's frame may have numbers, duplicates, tuples or nothing as names."""
    frame = pd.DataFrame([[1, 2, 3, 4]] * 3, columns=["a", "a", 7, ""], index=[5, 5, 5])
    table = read_table(frame)
    assert table.frame.columns.tolist() == ["a", "a.1", "7", "Unnamed: 3"]
    assert table.frame.index.tolist() == [0, 1, 2]
    assert "Duplicated" in table.warnings[0]
    assert frame.columns.tolist() == ["a", "a", 7, ""]


def test_duplicated_names_in_a_file_are_numbered_with_a_warning(tmp_path):
    """Nothing is lost where two columns have one name."""
    table = read_table(write(tmp_path / "t.csv", "a,b,a\n1,2,3\n4,5,6\n"))
    assert table.frame.columns.tolist() == ["a", "b", "a.1"]
    assert "duplicated" in table.warnings[0]


def test_row_names_without_a_column_name_become_a_column(tmp_path):
    """As R writes tables; and a separator at each line's end is no column."""
    named = read_table(write(tmp_path / "r.csv", "a,b\nr1,1,2\nr2,3,4\n")).frame
    assert named.columns.tolist() == ["row name", "a", "b"]
    trailing = read_table(write(tmp_path / "t.csv", "a,b\n1,2,\n3,4,\n")).frame
    assert (trailing.columns.tolist(), trailing["b"].tolist()) == (["a", "b"], [2, 4])


def test_new_rows_are_read_as_the_training_table_was(tmp_path):
    """A headerless file in another encoding is read again by what was recorded, without its target."""
    train = read_table(write(tmp_path / "train.csv", "1;x;0,5;a\n2;y;1,5;b\n3;x;2,5;a\n4;y;3,5;b\n"))
    table = new_rows(write(tmp_path / "new.csv", "7;x;0,25\n"), train.source)
    assert table.frame.to_dict("list") == {"0": [7], "1": ["x"], "2": [0.25]}
    assert table.source.role is SourceRole.PREDICT


@pytest.mark.parametrize(("text", "reason"), [("a;b\n1;2\n3;4\n", "separator"), ("a,b\n1,é\n3,中文\n", "encoding")])
def test_new_rows_written_otherwise_are_sniffed_again_with_a_warning(tmp_path, text, reason):
    """Another separator or encoding than in training is noticed."""
    train = read_table(write(tmp_path / "train.csv", "a,b\n1,é\n3,ü\n".encode("latin-1")))
    table = new_rows(write(tmp_path / "new.csv", text), train.source)
    assert table.frame.shape == (2, 2)
    assert reason in table.warnings[-1]
    assert table.frame["b"].tolist() in ([2, 4], ["é", "中文"])


def test_what_is_said_about_new_rows_holds(tmp_path):
    """The user's options win; what numbers mean stays as in training."""
    train = read_table(write(tmp_path / "train.csv", "a;b\n1;0,5\n3;1,5\n"))
    new = write(tmp_path / "new.csv", "a|b\n1|2,5\n3|4,5|6\n")
    frame = new_rows(new, train.source, read={"sep": "|", "on_bad_lines": "skip"}).frame
    assert frame.to_dict("list") == {"a": [1], "b": [2.5]}


def test_new_rows_of_another_format_are_read_by_their_own(tmp_path):
    """Trained on CSV, asked for Parquet or a frame."""
    train = read_table(write(tmp_path / "train.csv", "a;b\n1;2\n3;4\n"))
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    frame.to_parquet(tmp_path / "new.parquet")
    assert new_rows(tmp_path / "new.parquet", train.source).frame.equals(frame)
    assert new_rows(frame, train.source).frame.equals(frame)


def test_a_sketch_tells_kinds_levels_and_gaps():
    """What understanding needs to know of a table."""
    frame = pd.DataFrame({"a": [1, 2, 1, 1], "b": ["x", None, "y", "x"], "c": [1.5, 2.5, 3.5, 4.5]})
    found = sketch(frame, "t.csv")
    assert (found.name, found.rows, [c.name for c in found.columns]) == ("t.csv", 4, ["a", "b", "c"])
    a, b, _ = found.columns
    assert (a.levels, a.distinct, type(a.levels[0])) == ((1, 2), 2, int)
    assert (b.levels, b.missing_fraction, b.examples, b.kind) == (("x", "y"), 0.25, ("x", "y"), ColumnKind.CATEGORICAL)
