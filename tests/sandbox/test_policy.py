"""The policy: one file that says what holds."""

from pathlib import Path

import pytest

from open_autoglm.errors import SettingsError
from open_autoglm.sandbox.base import Limits
from open_autoglm.sandbox.policy import FILE, Departure, default_policy, departures, read_policy


def written(folder: Path, *, old: str = "", new: str = "") -> Path:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = folder / "policy.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_hash_is_of_what_it_says(tmp_path: Path) -> None:
    """A comment changes nothing, a limit does."""
    same = read_policy(written(tmp_path, old="# What code in", new="# In other words, what code in"))
    other = read_policy(written(tmp_path, old="processes: 256", new="processes: 255"))

    assert default_policy().digest == same.digest != other.digest


def test_limits_come_from_the_policy() -> None:
    """A job that asks for nothing else gets them."""
    limits = Limits(wall_seconds=1, memory_bytes=1)
    assert (limits.processes, limits.open_files) == (
        default_policy().limits.processes,
        default_policy().limits.open_files,
    )
    assert (limits.disk_bytes, limits.output_bytes) == (
        default_policy().limits.disk_bytes,
        default_policy().limits.output_bytes,
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("access: none", "access: everything", "network.access"),
        ("/usr, ", "usr, ", "is no absolute path"),
        ("/usr, ", "/usr/../root, ", "is no absolute path"),
        ("ld.so.cache, ", "../shadow, ", "is no bare name"),
        ("processes: 256", "processes: 0", "limits.processes"),
        ("limits:", "limit:", "wrong at limit"),
        ("schema_version: 1", "schema_version: 2", "schema_version"),
        ("schema_version: 1", "schema_version: [", "cannot be read"),
        ("answer: EPERM", "answer: EFRIENDLY", "answer"),
    ],
)
def test_a_wrong_policy_is_refused_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    """With the file and the place in it."""
    path = written(tmp_path, old=old, new=new)
    with pytest.raises(SettingsError) as caught:
        read_policy(path)

    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_policy_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Rather than replaced by another."""
    with pytest.raises(SettingsError, match="cannot be read"):
        read_policy(tmp_path / "no.yaml")


def test_a_file_says_only_what_differs(tmp_path: Path) -> None:
    """The rest is the default; each difference has its place, entries of lists by what there is more and less."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "limits: {processes: 9}\nfilesystem: {devices: ['null', fuse]}\n"
        "system_calls: {refused: [{calls: [ptrace], answer: EPERM, severity: high, why: x}]}\n"
    )
    found = {departure.place: departure for departure in departures(read_policy(path))}

    assert list(found) == ["filesystem.devices", "system_calls.refused", "limits.processes"]
    assert found["limits.processes"] == Departure(place="limits.processes", value="9", default="256")
    assert found["filesystem.devices"].more == ("fuse",)
    assert "urandom" in found["filesystem.devices"].fewer
    assert "bpf (ENOSYS, high)" in found["system_calls.refused"].fewer
    assert departures(default_policy()) == []


def test_limits_of_a_policy_hold_where_a_job_asks_for_none(tmp_path: Path) -> None:
    """What a job asks for by itself stays."""
    path = tmp_path / "mine.yaml"
    path.write_text("limits: {processes: 9, open_files: 99}")
    limits = Limits(wall_seconds=1, memory_bytes=1, open_files=77).under(read_policy(path))

    assert (limits.processes, limits.open_files, limits.disk_bytes) == (9, 77, default_policy().limits.disk_bytes)
