"""Handing a job to the inside, and leaving nothing of it."""

from pathlib import Path

import pytest

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import Job, Limits
from open_autoglm.sandbox.supervision import exchange
from open_autoglm.sandbox.supervision.exchange import Exchange


def job(folder: Path, inputs: dict[str, Path] | None = None, code: dict[str, str] | None = None) -> Job:
    limits = Limits(wall_seconds=1, memory_bytes=1 << 20)
    return Job(
        execution_id="e", phase="fit", call="fit", code=code or {}, context={}, inputs=inputs or {}, limits=limits,
        collect=folder / "collect",
    )  # fmt: skip


@pytest.mark.parametrize("copy_inputs", [True, False])
def test_folders_are_handed_over_whole(tmp_path: Path, copy_inputs: bool) -> None:  # noqa: FBT001 - a parameter
    """And hashed by names and contents; private files are copied, so that others can read them."""
    model = tmp_path / "model"
    (model / "inner").mkdir(parents=True)
    (model / "inner" / "a").write_text("A")
    (model / "b").write_text("B")
    (model / "b").chmod(0o600)
    (tmp_path / "base").mkdir()
    handed = Exchange(tmp_path / "base", copy_inputs=copy_inputs)
    first = handed.fill(job(tmp_path, {"model": model}))
    (model / "inner" / "a").write_text("changed")
    second = handed.fill(job(tmp_path, {"model": model}))

    inside = handed.job / "in" / "model"
    assert ((inside / "inner" / "a").read_text(), (inside / "b").read_text()) == ("changed", "B")
    assert (inside / "b").stat().st_mode & 0o777 == 0o644
    assert (inside / "inner" / "a").samefile(model / "inner" / "a") is not copy_inputs
    assert first != second


def test_what_cannot_be_linked_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file system, or a file of another user."""

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(exchange.os, "link", refuse)
    source = tmp_path / "x"
    source.write_text("X")
    source.chmod(0o644)
    (tmp_path / "base").mkdir()
    Exchange(tmp_path / "base", copy_inputs=False).fill(job(tmp_path, {"x": source}))

    assert (tmp_path / "base" / "job" / "in" / "x").read_text() == "X"


def test_names_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    """Of inputs and of code; and folders that hold links."""
    handed = Exchange(tmp_path / "base", copy_inputs=True)
    (tmp_path / "base").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "l").symlink_to("/etc/passwd")
    for inputs, code, message in (
        ({"../x": tmp_path}, {}, "Input name"),
        ({"x": tmp_path / "linked"}, {}, "no plain file"),
        ({}, {"../x.py": ""}, "relative path"),
        ({}, {"/x.py": ""}, "relative path"),
        ({}, {"x.py": "", "x.py/y.py": ""}, "could not be laid out"),
    ):
        with pytest.raises(SandboxError, match=message):
            handed.fill(job(tmp_path, inputs, code))  # type: ignore[arg-type]  # empty dicts have no type


def test_an_unchanged_input_is_hashed_once(tmp_path: Path) -> None:
    """Training tables are large and used by every fold."""
    source = tmp_path / "x"
    source.write_text("1")
    (tmp_path / "base").mkdir()
    handed = Exchange(tmp_path / "base", copy_inputs=False)

    assert handed.fill(job(tmp_path, {"x": source})) == handed.fill(job(tmp_path, {"x": source}))
    assert len(handed._hashes) == 1
