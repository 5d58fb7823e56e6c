"""Taking over what untrusted code left: bounds, odd names, and whose fault a failure is."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.supervision import artefacts
from open_autoglm.sandbox.supervision.artefacts import Collection, collect


@pytest.fixture
def root(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    folder = tmp_path / "out"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    yield folder, descriptor
    os.close(descriptor)


def reasons(found: Collection) -> dict[str, str]:
    return {refused.path: refused.reason for refused in found.refused}


def test_names_numbers_and_bytes_are_bounded(
    root: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is beyond a bound is listed with the reason, and nothing of it comes over."""
    folder, descriptor = root
    for name in ("a", "b", "c", "n" * 201):
        (folder / name).write_text("1234")
    monkeypatch.setattr(artefacts, "MAX_FILES", 2)
    few = collect(descriptor, tmp_path / "few", max_bytes=100)
    little = collect(descriptor, tmp_path / "little", max_bytes=5)
    monkeypatch.setattr(artefacts, "MAX_ENTRIES", 3)
    short = collect(descriptor, tmp_path / "short", max_bytes=100)

    assert [a.path for a in few.artefacts] == ["a", "b"]
    assert reasons(few) == {"c": "more than 2 files", "n" * 201: "the name is longer than 200 bytes"}
    assert reasons(little)["b"] == "more than 5 bytes in all"
    assert reasons(short)["/"] == "more than 3 entries: the rest was not looked at"


def test_what_changes_while_it_is_read_stays_behind(
    root: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another file under the name, or none."""
    folder, descriptor = root
    (folder / "gone").touch()
    (folder / "swapped").touch()
    (folder / "other").touch()
    look = os.stat

    def swap(path: str, **options: int) -> os.stat_result:
        about = look(path, **options)  # type: ignore[arg-type]  # as it was called
        if path == "gone":
            (folder / path).unlink()
        elif path == "swapped":
            (folder / "other").rename(folder / path)
        return about

    monkeypatch.setattr(artefacts.os, "stat", swap)
    found = collect(descriptor, tmp_path / "taken", max_bytes=100)
    monkeypatch.undo()

    assert reasons(found)["gone"] == "cannot be read: No such file or directory"
    assert reasons(found)["swapped"] == "changed while it was read"


def test_a_full_disk_of_the_host_is_not_the_codes_fault(root: tuple[Path, int], tmp_path: Path) -> None:
    """It raises: a report that merely lacks artefacts would blame the solution."""
    folder, descriptor = root
    (folder / "model").write_bytes(b"1" * 5_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(SandboxError, match="could not be stored: File too large"):
            collect(descriptor, tmp_path / "taken", max_bytes=1 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_path_is_no_longer_than_a_report_can_hold(root: tuple[Path, int], tmp_path: Path) -> None:
    """Thousands of the longest would fill the journal."""
    folder, descriptor = root
    deep = folder / ("a" * 200) / ("b" * 198)
    deep.mkdir(parents=True)
    (deep / "c").touch()
    (deep.parent / "fits").touch()

    found = collect(descriptor, tmp_path / "taken", max_bytes=100)

    assert [artefact.path for artefact in found.artefacts] == [f"{'a' * 200}/fits"]
    assert list(reasons(found).values()) == ["the path is longer than 400 bytes"]
