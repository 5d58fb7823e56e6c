"""What every backend promises of packages that were resolved for a job, as tests that it inherits."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from open_autoglm.sandbox.base import Wheelhouse
from open_autoglm.sandbox.contracts.conformance import Bench, Contract


class PackagesContract(Contract):
    """Packages are there for the job that wishes for them, read-only, behind everything that is installed."""

    @pytest.fixture
    def wheelhouse(self, tmp_path: Path) -> Wheelhouse:
        """Return packages of three lines, one with the name of a module that is there anyway."""
        folder = tmp_path / "packages"
        (folder / "wished").mkdir(parents=True)
        (folder / "wished" / "__init__.py").write_text("from wished.inner import answer\n")
        (folder / "wished" / "inner.py").write_text("answer = 42\n")
        (folder / "json.py").write_text("raise SystemExit('a package took the place of one that was there')\n")
        return Wheelhouse(path=folder, sha256=hashlib.sha256(b"made here").hexdigest(), pins=("wished==1.0",))

    def test_packages_are_there_for_the_job_that_wishes_for_them(self, bench: Bench, wheelhouse: Wheelhouse) -> None:
        """Also for processes that it starts; what is installed comes first, and nothing can be changed for the next."""
        code = """
import json, wished
print(wished.answer, subprocess.run([sys.executable, '-c', 'import wished; print(wished.answer)'], capture_output=True, text=True).stdout)
for path in (pathlib.Path(wished.__file__), pathlib.Path(wished.__file__).parent / 'new'):
    try: path.write_text('answer = 43')
    except OSError: pass
"""
        job = bench.job(code)
        report = bench.session.run(replace(job, wheelhouse=wheelhouse))
        again = bench.session.run(replace(bench.job("import wished; print(wished.answer)"), wheelhouse=wheelhouse))

        assert report.stdout.head == "42 42\n\n", report.stderr.head
        assert report.wheelhouse_sha256 == wheelhouse.sha256
        assert again.stdout.head == "42\n"
        assert (wheelhouse.path / "wished" / "inner.py").read_text() == "answer = 42\n"

    def test_packages_are_not_there_for_another_job(self, bench: Bench, wheelhouse: Wheelhouse) -> None:
        """Nor are they counted as the same job."""
        job = bench.job("import importlib.util; print(importlib.util.find_spec('wished'))")
        with_them = bench.session.run(replace(job, wheelhouse=wheelhouse, collect=job.collect.with_name("with")))
        without = bench.session.run(job)

        assert "wished" in with_them.stdout.head
        assert without.stdout.head == "None\n"
        assert not without.wheelhouse_sha256
        assert with_them.job_sha256 != without.job_sha256
