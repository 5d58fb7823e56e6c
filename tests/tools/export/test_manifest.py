"""Files that changed are found, and model files that can run code are told from those that cannot."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from open_autoglm.errors import InputError
from open_autoglm.tools.export.manifest import FileEntry, files_with_code, hash_tree, load_manifest, verify


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.npy").write_bytes(npy(np.zeros(3)))
    (tmp_path / "solution.py").write_text("x = 1\n")
    (tmp_path / "manifest.json").write_text("{}")
    return tmp_path


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def test_every_file_but_the_manifest_is_hashed(folder: Path) -> None:
    """Names are relative POSIX paths in sorted order."""
    assert list(hash_tree(folder)) == ["model/weights.npy", "solution.py"]


def test_untouched_files_pass(folder: Path) -> None:
    """What was written is accepted; files that came later are not looked at."""
    files = hash_tree(folder)
    (folder / "notes.txt").write_text("mine")
    verify(folder, files)


@pytest.mark.parametrize("text", ["x = 2\n", "x = 1\n\n", ""])
def test_a_changed_file_is_named(folder: Path, text: str) -> None:
    """Same length, longer or empty: the message names the file."""
    files = hash_tree(folder)
    (folder / "solution.py").write_text(text)
    with pytest.raises(InputError, match=r"'solution\.py'"):
        verify(folder, files)


def test_a_missing_file_is_named(folder: Path) -> None:
    """A file that is gone is told from one that differs."""
    files = hash_tree(folder)
    (folder / "model" / "weights.npy").unlink()
    with pytest.raises(InputError, match="incomplete"):
        verify(folder, files)


def test_a_name_that_leads_out_is_refused(folder: Path) -> None:
    """A manifest cannot make us read a file elsewhere."""
    with pytest.raises(InputError, match="missing"):
        verify(folder, {"../../etc/passwd": FileEntry(sha256="0", size_bytes=1)})


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format_version": 2}'])
def test_a_broken_manifest_is_one_line(folder: Path, content: str) -> None:
    """Damage ends in one line that says what to do."""
    (folder / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="autoglm resume") as caught:
        load_manifest(folder)
    assert "\n" not in str(caught.value)


def test_no_manifest_is_no_model(tmp_path: Path) -> None:
    """Any other folder is refused by name."""
    with pytest.raises(InputError, match=r"manifest\.json is missing"):
        load_manifest(tmp_path)


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(("name", "content", "holds"), [
    ("model.joblib", b"anything", True),
    ("model.txt", b"tree\nversion=v4\n", False),
    ("model.txt", pickle.dumps({"a": 1}), True),
    ("model.json", b"{}", False),
    ("a.npy", npy(np.zeros(2)), False),
    ("a.npy", npy(np.array([{}], dtype=object)), True),
    ("a.npz", zipped("a.npy", npy(np.zeros(2))), False),
    ("a.npz", zipped("a.npy", npy(np.array([{}], dtype=object))), True),
    ("a.skops", zipped("schema.json", b"{}"), False),
    ("a.skops", zipped("data.pkl", pickle.dumps(1)), True),
    ("a.npz", b"PK\x03\x04 cut short", True),
    ("net.safetensors", b"\x08\0\0\0\0\0\0\0{}", False),
    ("net.pt", zipped("data.pkl", b""), True),
])  # fmt: skip
def test_files_that_can_run_code(tmp_path: Path, name: str, content: bytes, *, holds: bool) -> None:
    """The name alone does not decide: a pickle under a plain name is found."""
    (tmp_path / name).write_bytes(content)
    assert bool(list(files_with_code(tmp_path))) is holds
