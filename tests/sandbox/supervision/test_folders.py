"""Folders for temporary files: who owns them, what goes with them, and what must not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.contracts.demand import demand
from open_autoglm.sandbox.supervision import folders
from open_autoglm.sandbox.supervision.folders import OWNER, make_folder, mounts_in, owner_of, remove, sweep, temporary
from open_autoglm.sandbox.supervision.owner import owner

MOUNTED = """
import sys
from pathlib import Path
from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.inside import namespaces as inside
from open_autoglm.sandbox.supervision.folders import remove
folder, real = map(Path, sys.argv[1:])
if inside._libc.unshare(inside.NEW_USER | inside.NEW_MOUNT):
    sys.exit("refused")
inside._mount("none", "/", None, inside.RECURSIVE | inside.PRIVATE)
inside._mount(str(real), str(folder / "in it"), None, inside.BIND)
try:
    remove(folder)
except SandboxError as error:
    print(error)
"""


def test_what_a_killed_host_left_is_swept(tmp_path: Path) -> None:
    """Folders of living processes, and of other names, stay."""
    gone = owner().rpartition("/")[0] + "/0"
    for name, whose in (
        ("autoglm-a", owner()),
        ("autoglm-b", gone),
        ("other-c", gone),
        ("autoglm-d", "x"),
        ("autoglm-e", ""),
    ):
        (tmp_path / name / "job").mkdir(parents=True)
        (tmp_path / name / OWNER).write_text(whose)
    (tmp_path / "autoglm-f").mkdir()  # one that is just being made

    swept = sweep(tmp_path)

    assert swept == [tmp_path / "autoglm-b"]
    left = sorted(p.name.removeprefix("autoglm-") for p in tmp_path.iterdir())
    assert left == ["a", "d", "e", "f", "other-c"]


def test_the_name_of_a_sessions_folder_says_nothing_of_its_process() -> None:
    """Code inside can read where its mounts come from."""
    folder = make_folder("test")
    assert folder.name.startswith("autoglm-test-")
    assert str(os.getpid()) not in folder.name.removeprefix("autoglm-test-")
    assert owner_of(folder) == owner()
    remove(folder)


def test_a_folder_for_a_while_goes_in_the_end(tmp_path: Path) -> None:
    """Also after an error; it is its owner's until then, and swept where that one was killed."""

    def fail() -> None:
        with temporary("test", parent=tmp_path) as folder:
            (folder / "closed").mkdir(mode=0)
            assert (owner_of(folder), sweep(tmp_path)) == (owner(), [])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_trees_too_deep_for_paths_are_removed(tmp_path: Path) -> None:
    """By a program that knows how."""
    top = tmp_path / "top"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d" * 9, dir_fd=here)
        inner = os.open("d" * 9, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    remove(top)

    assert not top.exists()


def test_what_does_not_go_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session must not be used with what another execution left."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(folders.shutil, "rmtree", refuse)
    monkeypatch.setattr(folders.subprocess, "run", lambda *_, **__: None)
    with pytest.raises(SandboxError, match="could not be emptied"):
        remove(tmp_path)


@pytest.mark.slow
def test_what_is_mounted_in_a_folder_is_not_touched(tmp_path: Path) -> None:
    """A bind mount of the same file system is the real thing; nothing is removed, and the message says where it is."""
    real, folder = tmp_path / "real", tmp_path / "folder"
    for path in (real, folder / "in it"):
        path.mkdir(parents=True)
        (path / "precious").touch()
    ran = subprocess.run(
        [sys.executable, "-c", MOUNTED, str(folder), str(real)], capture_output=True, text=True, check=False
    )
    demand(there=ran.stderr != "refused\n", reason="this machine makes no namespaces")

    assert f"something is mounted at {str(folder / 'in it')!r}" in ran.stdout, ran.stderr
    assert (real / "precious").exists()
    assert (folder / "in it" / "precious").exists()
    remove(folder)
    assert (real / "precious").exists()


def test_mounts_are_told_by_their_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the folder and below it, in names with blanks, too; not beside it, and not where it is only what is mounted elsewhere."""
    folder = tmp_path / "my folder"
    (folder / "kept").mkdir(parents=True)
    told = str(folder).replace(" ", "\\040")
    places = [told, f"{told}/a", f"{told}/a\\011b/c", f"{told}er", str(tmp_path)]
    lines = [f"36 35 98:0 / {place} rw,noatime - ext4 /dev/root rw" for place in places]
    table = tmp_path / "mountinfo"
    table.write_text("\n".join([*lines, f"36 35 98:0 {told} /mnt rw - ext4 /dev/root rw"]))
    monkeypatch.setattr(folders, "_MOUNTS", table)

    assert mounts_in(folder) == [str(folder), f"{folder}/a", f"{folder}/a\tb/c"]
    with pytest.raises(SandboxError, match="Unmount it: umount"):
        remove(folder)
    assert (folder / "kept").exists()
    monkeypatch.setattr(folders, "_MOUNTS", tmp_path / "nowhere")
    assert mounts_in(folder) == []
    monkeypatch.setattr(Path, "is_mount", lambda _: True)
    assert mounts_in(folder) == [str(folder)]
