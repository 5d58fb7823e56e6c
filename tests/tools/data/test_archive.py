"""Archives: tables come out of them, and nothing else ever does."""

import gzip
import io
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.data import archive, guard
from open_autoglm.tools.data.container import unpack_several
from open_autoglm.tools.data.read import read_table, tables_given

TEXT = b"a,b\n1,2\n3,4\n"
Fill = Callable[[tarfile.TarFile], None]


def zipped(path: Path, *members: str | zipfile.ZipInfo, data: bytes = TEXT) -> Path:
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for member in members:
            made.writestr(member, data)
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = len(TEXT), **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def taped(path: Path, *members: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as made:  # type: ignore[call-overload]  # any of the modes
        for member in members:
            made.addfile(member, io.BytesIO(TEXT))
    return path


def refused(path: Path) -> str:
    folder = path.parent / "out"
    with pytest.raises(InputError) as caught:
        unpack_several(path, folder)
    assert not folder.exists()
    return str(caught.value)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_several_tables_of_a_tar_are_unpacked(mode: str, tmp_path: Path) -> None:
    """Whatever it is compressed with, and without what systems put in beside them."""
    folder = entry("./data", tarfile.DIRTYPE, 0)
    names = ("./data/train.csv", "data/test.csv", "readme.md", "data/._train.csv")
    path = taped(tmp_path / "t", entry(".", tarfile.DIRTYPE, 0), folder, *map(entry, names), mode=mode)

    tables = unpack_several(path, tmp_path / "out")

    assert tables == [tmp_path / "out/data/test.csv", tmp_path / "out/data/train.csv"]
    assert [table.read_bytes() for table in tables] == [TEXT, TEXT]
    assert sorted(p.name for p in (tmp_path / "out").rglob("*")) == ["data", "test.csv", "train.csv"]


def test_several_tables_of_a_zip_are_unpacked(tmp_path: Path) -> None:
    """A table that is compressed once more is one, too; names with the other slash are in folders."""
    path = zipped(tmp_path / "t.zip", "train.csv", "in/", "in\\", "in\\test.csv", "__MACOSX/x.csv", "notes.pdf")
    with zipfile.ZipFile(path, "a") as made:
        made.write(zipped(tmp_path / "inner.zip", "more.csv"), "more.csv.zip")

    tables = unpack_several(path, tmp_path / "out")

    assert tables is not None
    assert [str(table.relative_to(tmp_path / "out")) for table in tables] == [
        "in/test.csv",
        "more.csv.zip",
        "train.csv",
    ]
    assert read_table(tables[1]).frame.equals(pd.DataFrame({"a": [1, 3], "b": [2, 4]}))


def test_the_one_table_in_a_tar_is_read_and_several_are_listed(tmp_path: Path) -> None:
    """A tar is as good as its table; with two of them the user chooses, or gives them all."""
    one = taped(tmp_path / "one.tar.gz", entry("readme.md"), entry("x/t.csv"), mode="w:gz")
    assert read_table(one).frame.shape == (2, 2)
    assert tables_given(one, tmp_path / "out", member=False) == [one]

    two = taped(tmp_path / "two.tar", entry("t.csv"), entry("u.csv"))
    with pytest.raises(InputError, match=r"2 tables: 't\.csv', 'u\.csv'.*member="):
        read_table(two)
    assert read_table(two, read={"member": "u.csv"}).source.read["member"] == "u.csv"
    assert tables_given(two, tmp_path / "out", member=True) == [two]
    with pytest.raises(InputError, match=r"holds no file 'v\.csv'"):
        read_table(two, read={"member": "v.csv"})


def test_a_parquet_file_in_a_tar_is_read(tmp_path: Path) -> None:
    """What only opens by path is copied out."""
    content = pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_parquet()
    with tarfile.open(tmp_path / "t.tgz", "w:gz") as made:
        made.addfile(entry("t.parquet", size=len(content)), io.BytesIO(content))

    assert read_table(tmp_path / "t.tgz").source.format == "parquet"


def test_what_was_unpacked_is_not_unpacked_again(tmp_path: Path) -> None:
    """A run that goes on finds its tables, whatever became of the archive; a half of them is made anew."""
    path = zipped(tmp_path / "t.zip", "a.csv", "b.csv")
    (tmp_path / ".out.draft").mkdir()
    (tmp_path / ".out.draft" / "half.csv").touch()
    first = tables_given(path, tmp_path / "out", member=False)
    path.unlink()

    assert (
        tables_given(path, tmp_path / "out", member=False) == first == [tmp_path / "out/a.csv", tmp_path / "out/b.csv"]
    )
    assert not (tmp_path / ".out.draft").exists()


LINK = zipfile.ZipInfo("link.csv")
LINK.external_attr = 0o120777 << 16
DEVICE = zipfile.ZipInfo("device.csv")
DEVICE.external_attr = 0o020666 << 16


@pytest.mark.parametrize(
    ("members", "told"),
    [
        (["../t.csv"], "leads out"),
        (["a/../../t.csv"], "leads out"),
        (["/etc/t.csv"], "leads out"),
        (["C:\\t.csv"], "leads out"),
        (["..\\t.csv"], "leads out"),
        (["a//t.csv"], "leads out"),
        (["a\x1b[2J.csv"], "cannot be shown"),
        (["gpj\u202e.csv"], "cannot be shown"),
        (["a" * 256], "too long"),
        (["a/" * 21 + "t.csv"], "too long"),
        (["t.csv", "t.csv"], "twice"),
        (["t.csv", "T.csv"], "another spelling"),
        (["\u00e9.csv", "e\u0301.csv"], "another spelling"),
        (["t.csv", "t.csv/u.csv"], "another spelling"),
        (["t.csv/u.csv", "t.csv"], "another spelling"),
        (["t.csv", "t.csv/"], "another spelling"),
        ([LINK], "a link or a device"),
        ([DEVICE], "a link or a device"),
    ],
)
def test_a_zip_with_such_a_member_is_refused(members: list[str | zipfile.ZipInfo], told: str, tmp_path: Path) -> None:
    """As a whole: nothing of it is written, and the user is told what to do."""
    message = refused(zipped(tmp_path / "t.zip", "first.csv", "second.csv", *members))
    assert told in message
    assert "unpack it yourself" in message


@pytest.mark.parametrize(
    "member",
    [
        entry("l.csv", tarfile.SYMTYPE, 0, linkname="/etc/passwd"),
        entry("l.csv", tarfile.LNKTYPE, 0, linkname="a.csv"),
        entry("d.csv", tarfile.CHRTYPE, 0),
        entry("d.csv", tarfile.BLKTYPE, 0),
        entry("p.csv", tarfile.FIFOTYPE, 0),
        entry("s.csv", tarfile.GNUTYPE_SPARSE, 0),
        entry("s.csv", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99"}),
        entry("../a.csv"),
        entry("/a.csv"),
        entry("a.csv"),
        entry("A.csv"),
    ],
)
def test_a_tar_with_such_a_member_is_refused(member: tarfile.TarInfo, tmp_path: Path) -> None:
    """Links of both kinds, devices, pipes, holes, ways out, and names that cover one another."""
    with tarfile.open(tmp_path / "t.tar", "w", format=tarfile.PAX_FORMAT) as made:
        for info in (entry("a.csv"), entry("b.csv"), member):
            made.addfile(info, io.BytesIO(b"1\n0\n9\n".ljust(512, b"\0")))
    assert "t.tar" in refused(tmp_path / "t.tar")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    """Its flag is enough."""
    path = zipped(tmp_path / "t.zip", "a.csv", "b.csv")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    assert "encrypted" in refused(path)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small they are."""
    monkeypatch.setattr(archive, "MAX_MEMBERS", 20)
    names = [f"{number}.csv" for number in range(21)]

    assert "more than 20 files" in refused(zipped(tmp_path / "t.zip", *names))
    assert "more than 20 files" in refused(taped(tmp_path / "t.tar", *map(entry, names)))


def test_a_list_of_contents_that_fills_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size stands at the end of a zip, in one of two places."""
    monkeypatch.setattr(archive, "LISTING_BYTES", 200)
    assert "list of contents" in refused(zipped(tmp_path / "t.zip", *[f"{number}.csv" for number in range(9)]))

    record = b"PK\x06\x06" + bytes(36) + struct.pack("<Q", 1 << 40) + bytes(8)
    end = b"PK\x05\x06" + bytes(8) + struct.pack("<L", 0xFFFFFFFF) + bytes(6)
    (tmp_path / "large.zip").write_bytes(b"PK\x03\x04" + record + end)
    assert "1,099,511,627,776 bytes" in refused(tmp_path / "large.zip")
    (tmp_path / "none.zip").write_bytes(b"PK\x03\x04" + end)
    assert "list of contents" in refused(tmp_path / "none.zip")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_is_refused_while_it_grows(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what comes out of all files together, not by what an archive says of itself."""
    monkeypatch.setattr(guard, "RATIO_FREE_BYTES", 1 << 20)
    zeros = b"0\n" * 400_000
    if kind == "zip":
        path = zipped(tmp_path / "t.zip", "a.csv", "b.csv", data=zeros)
    else:
        path = tmp_path / "t.tar.gz"
        with tarfile.open(path, "w:gz") as made:
            for name in ("a.csv", "b.csv"):
                made.addfile(entry(name, size=len(zeros)), io.BytesIO(zeros))

    assert "grows past 1 MiB" in refused(path)


def test_a_bomb_in_an_archive_is_refused_when_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive within an archive is opened for its one table, under the same limits, and no deeper."""
    monkeypatch.setattr(guard, "RATIO_FREE_BYTES", 1 << 20)
    inner = zipped(tmp_path / "inner.zip", "t.csv", data=b"a,b\n" + b"1,1\n" * 500_000)
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as made:
        made.write(inner, "bomb.csv.zip")
        made.writestr("u.csv", TEXT)
    tables = unpack_several(tmp_path / "t.zip", tmp_path / "out")
    assert tables is not None
    with pytest.raises(InputError, match="grows past"):
        read_table(tables[0])

    deeper = zipped(tmp_path / "deeper.zip", "inner.zip", data=inner.read_bytes())
    with pytest.raises(InputError):
        read_table(deeper)


def test_headers_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tar may put as much as it likes before a file."""
    monkeypatch.setattr(archive, "HEADER_BYTES", 300_000)
    for size, fine in ((90_000, True), (900_000, False)):
        path = taped(tmp_path / "t.tar", entry("a.csv"), entry("b.csv", pax_headers={"comment": "x" * size}))
        if fine:
            assert unpack_several(path, tmp_path / "fine") is not None
        else:
            assert "bytes of headers" in refused(path)


@pytest.mark.parametrize("kept", [40, 600, 1600, 2300])
def test_a_tar_that_is_cut_short_is_told(kept: int, tmp_path: Path) -> None:
    """Wherever it was cut, in one line."""
    path = taped(tmp_path / "t.tar", entry("a.csv"), entry("b.csv"), mode="w")
    (tmp_path / "t.tar.gz").write_bytes(gzip.compress(path.read_bytes()[:kept].ljust(512, b"x"))[: 10 + kept])
    with pytest.raises(InputError):
        read_table(tmp_path / "t.tar.gz")


@pytest.mark.parametrize("kept", [700, 1400])
def test_a_tar_that_ends_within_a_file_is_told(kept: int, tmp_path: Path) -> None:
    """In what is read, and in what is passed over on the way to it."""
    content = b"a,b\n" + b"1,2\n" * 100
    with tarfile.open(tmp_path / "t.tar", "w") as made:
        for name in ("a.txt.old", "b.csv"):
            made.addfile(entry(name, size=len(content)), io.BytesIO(content))
    (tmp_path / "t.tar").write_bytes((tmp_path / "t.tar").read_bytes()[:kept])
    with pytest.raises(InputError, match="not a readable tar file"):
        read_table(tmp_path / "t.tar")


def test_what_only_looks_like_a_tar_is_told(tmp_path: Path) -> None:
    """The mark is in its place, and nothing else."""
    (tmp_path / "t.tar").write_bytes(b"x" * 257 + b"ustar" + b"x" * 2000)
    with pytest.raises(InputError, match="not a readable tar file"):
        read_table(tmp_path / "t.tar")


def test_a_zip_whose_contents_are_not_what_it_lists_is_told(tmp_path: Path) -> None:
    """A member cannot be opened, or its bytes are other ones."""
    path = zipped(tmp_path / "t.zip", "a.csv", "b.csv")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"a.csv", b"x.csv", 1))
    assert "cannot be decompressed" in refused(path)

    at = content.index(b"b.csv") + 6
    path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
    assert "cannot be decompressed" in refused(path)


def test_a_file_that_left_an_archive_meanwhile_is_told(tmp_path: Path) -> None:
    """Somebody wrote another one in its place."""
    path = zipped(tmp_path / "t.zip", "a.csv")
    with pytest.raises(InputError, match="any more"), archive.opened(path, "zip", "b.csv"):
        pass
