"""Sessions that bring packages: a wish that cannot be had is the code's failure, and never the sandbox's."""

import importlib.metadata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sandbox.wheels import FolderFetch, wheel

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.backends.image import locked
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Job, Limits, Readiness
from open_autoglm.sandbox.contracts.conformance import Bench
from open_autoglm.sandbox.packages.provisioned import Packages, ProvisionedSession, installed_in
from open_autoglm.sandbox.packages.wheelhouse import Wheelhouses
from open_autoglm.sandbox.report import ExecutionReport, Status, failure_line
from open_autoglm.sandbox.scripted import ScriptedSession


@pytest.fixture
def houses(tmp_path: Path) -> Wheelhouses:
    wheel(tmp_path / "index", "wished")
    return Wheelhouses(tmp_path / "cache", installed={}, allowed=["wished"], fetch=FolderFetch(tmp_path / "index"))


@pytest.fixture
def beneath() -> Iterator[ScriptedSession]:
    return ScriptedSession(lambda job: ExecutionReport(status=Status.STATUS_OK))


def job(folder: Path, *requirements: str) -> Job:
    limits = Limits(wall_seconds=1, memory_bytes=1)
    return Job(
        execution_id="e", phase="p", call="fit", code={}, context={}, inputs={}, limits=limits, collect=folder / "out",
        requirements=requirements,
    )  # fmt: skip


def test_a_job_gets_the_packages_that_it_requires(
    houses: Wheelhouses, beneath: ScriptedSession, tmp_path: Path
) -> None:
    """The session beneath sees them resolved; the rest is handed on."""
    session = ProvisionedSession(session=beneath, wheelhouses=houses)
    session.run(job(tmp_path, "wished"))
    session.run(job(tmp_path))
    session.cancel()
    session.close()

    first, second = beneath.jobs
    assert first.wheelhouse is not None
    assert first.wheelhouse.pins == ("wished==1.0",)
    assert second.wheelhouse is None
    assert (beneath.cancelled, beneath.closed) == (1, True)


@pytest.mark.parametrize("wish", ["evil", "wished==2", "--option"])
def test_a_wish_that_cannot_be_had_is_a_report(
    wish: str, houses: Wheelhouses, beneath: ScriptedSession, tmp_path: Path
) -> None:
    """The strategist reads it as it reads an exception; nothing is run."""
    report = ProvisionedSession(session=beneath, wheelhouses=houses).run(job(tmp_path, wish))

    assert (report.status, report.execution_id) == (Status.STATUS_ERROR, "e")
    assert wish.partition("=")[0] in failure_line(report)
    assert not beneath.jobs
    assert (tmp_path / "out").is_dir()


def test_a_cache_that_cannot_be_written_is_the_machines_failure(
    beneath: ScriptedSession, houses: Wheelhouses, tmp_path: Path
) -> None:
    """The code can do nothing about it."""
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(SandboxError, match="cannot be kept"):
        ProvisionedSession(session=beneath, wheelhouses=houses).run(job(tmp_path, "wished"))


def test_what_is_installed_is_told_by_the_backend(tmp_path: Path) -> None:
    """An image holds less than this Python does."""
    about = Readiness(backend="b", ready=True, isolating=True, tier="t", reason="r")
    own, image = installed_in(about), installed_in(replace(about, details={"image": "i"}))

    assert own["pytest"] == importlib.metadata.version("pytest")
    assert {"pytest", "numpy"} <= set(own)
    assert len(image) == len(locked()) < len(own)
    assert image.get("pytest") is None
    assert own.get("no-such-package") is None
    made = Packages(cache=tmp_path).provide(ScriptedSession([]), about)
    assert made.wheelhouses.fulfil(["numpy", "Scikit_Learn"]) is None


def test_code_runs_with_a_package_that_it_wished_for(houses: Wheelhouses, tmp_path: Path) -> None:
    """From the wish to the import, in a process."""
    with closing(ProcessSandbox(imports=()).open(cpus=1)) as opened:
        bench = Bench(ProvisionedSession(session=opened, wheelhouses=houses), tmp_path)
        wishing = replace(bench.job("import wished; print(wished.version)"), requirements=["wished>=1"])
        report = bench.session.run(wishing)

    assert report.stdout.head == "1.0\n", report.stderr.head
    assert len(report.wheelhouse_sha256) == 64
