"""The deliverable: usable from the first rename on, complete where there is time, never half a file."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from open_autoglm.errors import SandboxError
from open_autoglm.sandbox.base import Job, Session
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.scripted import ScriptedSession
from open_autoglm.tools.export.delivery import Delivery, deliver_model, deliver_rest, export
from open_autoglm.tools.export.manifest import load_manifest, verify

Deliver = Callable[..., Delivery]
PLENTY = 1e9
MODEL = {"solution.py", "runtime.py", "predict.py", "model/means.json", "manifest.json"}
NEW = pd.DataFrame({"id": ["n1", "n2"], "x": [0, 5], "word": ["a", "b"]})


class Broken:
    """A session of a sandbox that is gone."""

    def run(self, job: Job) -> ExecutionReport:
        raise SandboxError("the sandbox is gone")

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is open."""


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_the_model_comes_first_and_whole(deliver: Deliver) -> None:
    """One rename brings code, model, predict.py and a manifest that verifies."""
    folder = deliver_model(deliver())
    assert names(folder) == MODEL
    manifest = load_manifest(folder)
    verify(folder, manifest.files)
    assert set(manifest.files) == MODEL - {"manifest.json"}
    assert (manifest.author, manifest.loading_runs_code, manifest.refitted) == ("recipes", False, True)
    assert manifest.input.source.uri == "train.csv"


def test_everything_is_there_when_there_is_time(deliver: Deliver, warm_session: Session, tmp_path: Path) -> None:
    """All parts but the notebook (which has a test of its own), the predictions of new rows included."""
    result = export(deliver(new_rows=NEW), warm_session, lambda: PLENTY)
    assert set(result.files) == names(result.directory)
    assert set(result.files) == MODEL | {
        "predictions.csv",
        "report.html",
        "requirements.lock",
        "MODEL_CARD.md",
        "README.md",
    }
    assert (result.left_out, result.warnings) == ((), ())
    verify(result.directory, load_manifest(result.directory).files)
    assert pd.read_csv(result.directory / "predictions.csv")["prediction"].tolist() == [0, 1]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_short_of_time_the_rest_is_listed(deliver: Deliver, warm_session: Session, tmp_path: Path) -> None:
    """With no time at all there is still a model; what was left out stands in the manifest."""
    result = export(deliver(new_rows=NEW, training_table=tmp_path / "staged.parquet"), warm_session, lambda: 0.0)
    assert names(result.directory) == MODEL
    left = " ".join(load_manifest(result.directory).left_out)
    for part in ("predictions.csv", "report.html", "requirements.lock", "notebook.ipynb", "MODEL_CARD.md"):
        assert part in left
        assert part in result.warnings[0]
    assert "autoglm resume" in result.warnings[0]


def test_the_read_me_names_only_what_is_there(deliver: Deliver, warm_session: Session, tmp_path: Path) -> None:
    """No notebook, no word of it."""
    result = export(deliver(training_table=tmp_path / "staged.parquet"), warm_session, lambda: 2.0)
    text = (result.directory / "README.md").read_text(encoding="utf-8")
    assert "report.html" in text
    assert "MODEL_CARD.md" in text
    assert "notebook.ipynb" not in text


def test_how_to_use_the_folder_comes_before_how_it_was_found(deliver: Deliver, warm_session: Session) -> None:
    """A second is enough for the versions and the pages of text, whatever becomes of the report."""
    clock = iter([1.0, 0.5, 0.2, 0.1])
    result = export(deliver(), warm_session, lambda: next(clock))
    assert {"requirements.lock", "README.md", "MODEL_CARD.md"} <= set(result.files)
    assert "report.html" in result.left_out[0]


def test_the_report_lists_what_came_after_it(deliver: Deliver, warm_session: Session, tmp_path: Path) -> None:
    """Time for the report and not for the notebook: the report says so."""
    result = export(deliver(training_table=tmp_path / "staged.parquet"), warm_session, lambda: 2.0)
    assert "notebook.ipynb" in (result.directory / "report.html").read_text(encoding="utf-8")


def test_a_notebook_that_takes_too_long_is_late_and_no_failure(deliver: Deliver, tmp_path: Path) -> None:
    """It was tried in the time that was left; more time would make it."""
    session = ScriptedSession([ExecutionReport(status=Status.STATUS_TIMEOUT, detail="still running")])
    result = export(
        deliver(training_table=tmp_path / "staged.parquet", pace=0.5, fit_seconds=0.1), session, lambda: 4.0
    )
    assert [job.phase for job in session.jobs] == ["notebook"]
    assert "notebook.ipynb (no time left" in result.left_out[0]
    assert "--time" in result.warnings[0]


def test_a_lost_sandbox_costs_only_what_needs_it(deliver: Deliver) -> None:
    """The report and the cards need no sandbox; the rest is listed with its reason."""
    result = export(deliver(new_rows=NEW), Broken(), lambda: PLENTY)
    assert "the sandbox is gone" in result.left_out[0]
    assert {"report.html", "MODEL_CARD.md"} <= set(result.files)
    assert "predictions.csv" not in result.files


def test_an_older_deliverable_is_replaced(deliver: Deliver) -> None:
    """Files of the older one do not stay; what a killed export left behind goes."""
    folder = deliver_model(deliver())
    (folder / "old.txt").write_text("old")
    (folder.parent / ".deliverable-new-killed").mkdir()
    assert names(deliver_model(deliver(seed=8))) == MODEL
    assert load_manifest(folder).seed == 8
    assert [p.name for p in folder.parent.iterdir() if p.name.startswith(".")] == []


def test_killed_between_the_two_renames_the_older_one_comes_back(deliver: Deliver) -> None:
    """The next export finds the older deliverable aside, and nothing is lost even if it is killed at once."""
    folder = deliver_model(deliver())
    folder.rename(folder.with_name(".deliverable-old"))
    broken = deliver(model=folder / "no-such-model")
    with pytest.raises(OSError, match="no-such-model"):
        deliver_model(broken)
    assert names(folder) == MODEL


def test_without_refit_the_scored_model_ships(deliver: Deliver) -> None:
    """The same folder twice means that the shipped model was scored."""
    delivery = deliver()
    assert deliver(scored_model=delivery.model).refitted is False


def test_a_second_pass_adds_what_was_left_out(deliver: Deliver, warm_session: Session) -> None:
    """More time later: the manifest covers the new files."""
    delivery = deliver()
    export(delivery, warm_session, lambda: 0.0)
    result = deliver_rest(delivery, warm_session, lambda: PLENTY)
    assert result.left_out == ()
    assert "report.html" in load_manifest(result.directory).files


@pytest.mark.slow
def test_the_notebook_was_executed(deliver: Deliver, warm_session: Session, tmp_path: Path) -> None:
    """Every code cell ran to its end, and the same export gives the same notebook."""
    result = export(deliver(training_table=tmp_path / "staged.parquet"), warm_session, lambda: PLENTY)
    assert result.left_out == ()
    notebook = json.loads((result.directory / "notebook.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not [
        o for cell in code for o in cell["outputs"] if o["output_type"] == "error" or "text/html" in o.get("data", {})
    ]
    assert "log loss" in str(code[-2]["outputs"])
