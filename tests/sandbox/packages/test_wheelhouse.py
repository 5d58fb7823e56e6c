"""Wheelhouses: resolved outside, kept by content, and unpacked without running or believing anything."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.sandbox.wheels import FolderFetch, wheel

from open_autoglm.sandbox.base import Wheelhouse
from open_autoglm.sandbox.packages import wheelhouse as subject
from open_autoglm.sandbox.packages.wheelhouse import Wheelhouses, pip_fetch
from open_autoglm.sandbox.packages.wishes import WishRefused

INSTALLED = {"numpy": "2.4.6"}


def houses(tmp_path: Path, **more: object) -> tuple[Wheelhouses, FolderFetch]:
    fetch = FolderFetch(tmp_path / "index")
    allowed = ["wished", "other", "circle"]
    return Wheelhouses(tmp_path / "cache", installed=INSTALLED, allowed=allowed, fetch=fetch), fetch


def fulfilled(made: Wheelhouses, *wishes: str) -> Wheelhouse:
    found = made.fulfil(wishes)
    assert found is not None
    return found


def test_what_is_installed_needs_no_wheelhouse(tmp_path: Path) -> None:
    """Nothing is fetched, and no cache is made."""
    made, fetch = houses(tmp_path)

    assert made.fulfil([]) is None
    assert made.fulfil(["numpy>=2"]) is None
    assert not fetch.asked
    assert not (tmp_path / "cache").exists()


def test_what_a_package_needs_comes_along(tmp_path: Path) -> None:
    """But for what is installed, and for what only an extra or another system needs."""
    wheel(
        tmp_path / "index",
        "wished",
        needs=["needed[fast]>=1", "numpy", "absent; extra == 'dev'", "winapi; os_name == 'nt'"],
    )
    wheel(tmp_path / "index", "needed", "1.1", needs=["quick; extra == 'fast'"])
    wheel(tmp_path / "index", "quick")
    made, _ = houses(tmp_path)

    found = fulfilled(made, "wished")

    assert found.pins == ("needed==1.1", "quick==1.0", "wished==1.0")
    assert {path.name for path in found.path.glob("*.py")} == {"needed.py", "quick.py", "wished.py"}
    code = f"import sys; sys.path.append({str(found.path)!r}); import wished, needed; print(needed.version, wished.__cached__)"
    printed = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("1.1 ")
    assert (found.path / "__pycache__").is_dir()
    assert all(path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644) for path in found.path.rglob("*"))
    assert str(tmp_path).encode() not in b"".join(path.read_bytes() for path in found.path.rglob("*.pyc"))


def test_a_wish_is_fulfilled_once(tmp_path: Path) -> None:
    """Afterwards it needs no index; equal content is kept once, whatever wish led to it."""
    wheel(tmp_path / "index", "wished")
    made, fetch = houses(tmp_path)
    first = fulfilled(made, "wished")
    again = fulfilled(made, "Wished ")
    assert (again, fetch.asked) == (first, ["wished"])
    assert made.fulfil(["wished"]) is first

    other = fulfilled(made, "wished>=1.0")
    assert (other, len(fetch.asked)) == (first, 2)
    assert len(list((tmp_path / "cache" / "wheelhouses").iterdir())) == 1
    assert not list((tmp_path / "cache").glob("autoglm-draft-*"))


def test_what_vanished_from_the_cache_is_made_again(tmp_path: Path) -> None:
    """Somebody cleaned up."""
    wheel(tmp_path / "index", "wished")
    made, _ = houses(tmp_path)
    first = fulfilled(made, "wished")
    made, _ = houses(tmp_path)
    (first.path.parent / "lock.json").unlink()
    for path in sorted(first.path.parent.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    first.path.parent.rmdir()

    assert fulfilled(made, "wished") == first
    assert first.path.is_dir()


def test_another_version_is_taken_where_somebody_asks_for_it(tmp_path: Path) -> None:
    """The newest at first; what a later one needs narrows it down."""
    wheel(tmp_path / "index", "wished", needs=["other<2"])
    for version in ("1.5", "2.0"):
        wheel(tmp_path / "index", "other", version)
    made, fetch = houses(tmp_path)

    assert fulfilled(made, "other", "wished").pins == ("other==1.5", "wished==1.0")
    assert fetch.asked == ["other", "wished", "other<2"]


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        (["numpy<2"], "wished needs numpy<2, and the sandbox holds numpy 2.4.6"),
        (["gone"], "there is no gone"),
        (["other @ http://elsewhere/other.whl"], "from an address of its own"),
        (["not a requirement"], "no wheel that can be read"),
    ],
)
def test_what_cannot_be_had_is_told(needs: list[str], told: str, tmp_path: Path) -> None:
    """With the package that asks for it."""
    wheel(tmp_path / "index", "wished", needs=needs)
    made, _ = houses(tmp_path)
    with pytest.raises(WishRefused, match=told):
        made.fulfil(["wished"])
    assert not list((tmp_path / "cache").iterdir())


def test_names_on_no_list_are_not_even_looked_for(tmp_path: Path) -> None:
    """The list is asked first."""
    made, fetch = houses(tmp_path)
    with pytest.raises(WishRefused, match="not among those"):
        made.fulfil(["evil"])
    assert not fetch.asked


def test_a_fetch_that_brings_something_else_is_told(tmp_path: Path) -> None:
    """Else the same would be asked for again and again."""
    path = wheel(tmp_path / "index", "other")

    def wrong(lines: object, folder: Path) -> None:
        (folder / path.name).write_bytes(path.read_bytes())

    made = Wheelhouses(tmp_path / "cache", installed={}, allowed=["wished"], fetch=wrong)
    with pytest.raises(WishRefused, match="No version of wished fits"):
        made.fulfil(["wished"])


def test_needs_without_end_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that needs more and more of them."""
    monkeypatch.setattr(subject, "MAX_WHEELS", 2)
    wheel(tmp_path / "index", "wished", needs=["a", "b", "c"])
    made, _ = houses(tmp_path)
    with pytest.raises(WishRefused, match="more than 2 packages"):
        made.fulfil(["wished"])


@pytest.mark.parametrize("name", ["../out.py", "/tmp/out.py", "a\\..\\out.py"])
def test_a_wheel_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    """Nothing of it is kept."""
    wheel(tmp_path / "index", "wished", files={name: ""})
    made, _ = houses(tmp_path)
    with pytest.raises(WishRefused, match="which no wheel may"):
        made.fulfil(["wished"])
    assert not list((tmp_path / "cache").iterdir())


def test_a_damaged_wheel_is_told(tmp_path: Path) -> None:
    """What is in it is not what its list says."""
    path = wheel(tmp_path / "index", "wished", files={"wished.py": "answer = 42"})
    path.write_bytes(path.read_bytes().replace(b"answer = 42", b"answer = 43"))
    with pytest.raises(WishRefused, match="cannot be unpacked"):
        houses(tmp_path)[0].fulfil(["wished"])
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("damage", ["", "[]", "{"])
def test_notes_of_the_cache_that_are_damaged_are_written_anew(damage: str, tmp_path: Path) -> None:
    """A full disk, say."""
    wheel(tmp_path / "index", "wished")
    first = fulfilled(houses(tmp_path)[0], "wished")
    for note in (*(tmp_path / "cache" / "wishes").iterdir(), first.path.parent / "lock.json"):
        before = note.read_text()
        note.write_text(damage)
        assert fulfilled(houses(tmp_path)[0], "wished") == first
        assert note.read_text() == before
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_links_in_a_wheel_are_refused(tmp_path: Path) -> None:
    """They would be read from outside."""
    path = wheel(tmp_path / "index", "wished")
    link = zipfile.ZipInfo("link.py")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as made:
        made.writestr(link, "/etc/passwd")
    with pytest.raises(WishRefused, match=r"'link\.py'"):
        houses(tmp_path)[0].fulfil(["wished"])


def test_only_modules_are_taken_from_a_wheel(tmp_path: Path) -> None:
    """No scripts and no files for other places."""
    data = "wished-1.0.data"
    files = {
        f"{data}/purelib/wished.py": "",
        f"{data}/platlib/fast.py": "",
        f"{data}/scripts/run": "",
        f"{data}/data/etc/x": "",
        "pkg/": "",
        "own.data": "",
    }
    wheel(tmp_path / "index", "wished", files=files)
    made, _ = houses(tmp_path)

    found = fulfilled(made, "wished")

    names = {path.name for path in found.path.iterdir()}
    assert names == {"wished.py", "fast.py", "wished-1.0.dist-info", "own.data", "__pycache__"}


def test_two_packages_may_bring_the_same_file_but_not_different_ones(tmp_path: Path) -> None:
    """Namespace packages share their first file."""
    wheel(tmp_path / "index", "wished", files={"space/__init__.py": ""}, needs=["other"])
    wheel(tmp_path / "index", "other", files={"space/__init__.py": ""})
    made, _ = houses(tmp_path)
    assert fulfilled(made, "wished").pins == ("other==1.0", "wished==1.0")

    wheel(tmp_path / "index", "other", "1.1", files={"space/__init__.py": "x = 1"})
    with pytest.raises(WishRefused, match="both bring"):
        made.fulfil(["wished>=1.0"])


def test_a_wheel_that_grows_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what comes out of it."""
    monkeypatch.setattr(subject, "MAX_BYTES", 1000)
    wheel(tmp_path / "index", "wished", files={"wished.py": "#" * 2000})
    with pytest.raises(WishRefused, match="takes more than"):
        houses(tmp_path)[0].fulfil(["wished"])


def test_who_is_slower_takes_what_is_there(tmp_path: Path) -> None:
    """Two processes make the same wheelhouse; a place that cannot be written is told."""
    (tmp_path / "draft").mkdir()
    (tmp_path / "place" / "x").mkdir(parents=True)
    subject._settle(tmp_path / "draft", tmp_path / "place")
    with pytest.raises(FileNotFoundError):
        subject._settle(tmp_path / "draft", tmp_path / "no" / "place")


@pytest.mark.slow
def test_pip_fetches_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the settings that pip has: here no index, and a folder of wheels."""
    wheel(tmp_path / "index", "wished", needs=["other"])
    wheel(tmp_path / "index", "other")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    made = Wheelhouses(tmp_path / "cache", installed={}, allowed=["wished"])

    assert fulfilled(made, "wished").pins == ("other==1.0", "wished==1.0")


@pytest.mark.slow
def test_where_no_index_answers_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it takes too long to say no."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "wheels").mkdir()
    with pytest.raises(WishRefused, match=r"wished.*PIP_INDEX_URL.*PIP_FIND_LINKS"):
        pip_fetch(["wished"], tmp_path / "wheels")
    monkeypatch.setattr(subject, "FETCH_SECONDS", 0.01)
    with pytest.raises(WishRefused, match="no answer within"):
        pip_fetch(["wished"], tmp_path / "wheels")
    assert not list((tmp_path / "wheels").iterdir())
