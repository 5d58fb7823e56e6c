"""The Python API with a scripted engine."""

import asyncio
from pathlib import Path

import pandas as pd
import pytest

import open_autoglm
from open_autoglm import errors
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import StopReason
from open_autoglm.agents.strategist import Question
from open_autoglm.events import EventKind
from open_autoglm.scripted_engine import ScriptedEngine, example_outcome, write_run
from open_autoglm.settings import KEYS


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """An engine whose run delivered."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for key in KEYS:
        monkeypatch.delenv(f"AUTOGLM_{key.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    run_dir = tmp_path / "autoglm-runs" / "one"
    outcome = example_outcome(run_dir)
    write_run(run_dir, outcome)
    (run_dir / "deliverable" / "solution.py").write_text("PARAMS = {}\n")
    return ScriptedEngine(ending=outcome, events=[(EventKind.RUN_STARTED, {"run_dir": str(run_dir)})])


def options_of(engine: ScriptedEngine) -> RunOptions:
    """Return the options that the engine was given last."""
    options = engine.requests[-1]
    assert isinstance(options, RunOptions)
    return options


def test_run_returns_what_was_delivered(engine: ScriptedEngine, tmp_path: Path) -> None:
    """Task, score, reason, code, report and an export."""
    result = open_autoglm.run("Predict y", data="t.csv", time="60s", engine=engine, quiet=True)
    assert result.task.target == "y"
    assert result.score.holdout == 0.87
    assert result.stop_reason is StopReason.BUDGET_SECONDS
    assert (result.cost.tokens, result.warnings, result.guesses) == (0, [], [])
    assert result.code == "PARAMS = {}\n"
    assert result.report_path == result.run_dir / "deliverable" / "report.html"
    assert list(result.leaderboard.columns)[:4] == ["attempt", "operator", "parents", "status"]
    assert result.best is None
    assert (result.export(tmp_path / "copy") / "solution.py").exists()
    with pytest.raises(errors.InputError, match="not an empty directory"):
        result.export(tmp_path / "copy")


def test_options_are_those_of_the_command_line(engine: ScriptedEngine) -> None:
    """Same names, same settings; nobody is asked unless told otherwise."""
    open_autoglm.run(
        "Predict y", ["a.csv", Path("b.csv")], holdout=0.3, read={"sep": ";"}, out="o", engine=engine, quiet=True
    )
    options = options_of(engine)
    assert options.data == [Path("a.csv"), Path("b.csv")]
    assert (options.holdout, options.read, options.out, options.yes) == (0.3, {"sep": ";"}, Path("o"), True)


def test_an_unknown_option_is_refused(engine: ScriptedEngine) -> None:
    """A misspelt `time` starts no run of ten minutes; what only `run` knows is nothing for `resume`."""
    misspelt = {"tiem": "5s", "engine": engine}
    with pytest.raises(errors.InputError, match=r"'tiem'.*'time'"):
        open_autoglm.run("Predict y", data="t.csv", **misspelt)  # type: ignore[arg-type]
    with pytest.raises(errors.InputError, match=r"'workers'.*attempts"):
        open_autoglm.resume("autoglm-runs/one", workers=2, engine=engine)
    assert engine.requests == []


def test_frames_travel_beside_the_options(engine: ScriptedEngine) -> None:
    """A DataFrame has a pseudo path, by which the engine finds it."""
    train, test = pd.DataFrame({"y": [1, 2]}), pd.DataFrame({"y": [3]})
    open_autoglm.run("Predict y", data=train, test=test, engine=engine, quiet=True)
    options = options_of(engine)
    assert [str(path) for path in options.data] == ["frame:train"]
    assert engine.frames["frame:train"] is train
    assert engine.frames[str(options.test)] is test
    open_autoglm.run("Predict y", data=[train, "b.csv", test], engine=engine, quiet=True)
    assert [str(path) for path in options_of(engine).data] == ["frame:train1", "b.csv", "frame:train3"]


def test_data_of_another_kind_is_refused(engine: ScriptedEngine) -> None:
    """The message says what is possible."""
    with pytest.raises(errors.InputError, match="dict"):
        open_autoglm.run("Predict y", data=[{"y": 1}], engine=engine)


def test_questions_are_errors_only_when_wished(engine: ScriptedEngine) -> None:
    """`yes=False` raises instead of guessing."""
    engine.questions = [Question(field="target", text="Which?", choices=("y",), reason="")]
    open_autoglm.run("Predict", data="t.csv", engine=engine, quiet=True)
    with pytest.raises(open_autoglm.AutoGLMError, match="Which"):
        open_autoglm.run("Predict", data="t.csv", yes=False, engine=engine, quiet=True)


def test_it_works_inside_a_running_loop(engine: ScriptedEngine) -> None:
    """As in a notebook."""

    async def cell() -> open_autoglm.RunResult:
        return open_autoglm.run("Predict y", data="t.csv", engine=engine, quiet=True)

    assert asyncio.run(cell()).outcome.status == "delivered"


def test_resume_gives_more(engine: ScriptedEngine) -> None:
    """Time is added; without any, the rest of the budget is used."""
    result = open_autoglm.resume("autoglm-runs/one", time="10m", engine=engine, quiet=True)
    open_autoglm.resume(result.run_dir, engine=engine, quiet=True)
    assert [budget and budget.seconds for budget in engine.budgets] == [600.0, None]


def test_no_model_is_said_when_it_is_asked_for(engine: ScriptedEngine, tmp_path: Path) -> None:
    """A failed run returns a result; its model raises."""
    run_dir = tmp_path / "autoglm-runs" / "one"
    engine.ending = example_outcome(run_dir, status="failed", stop_reason=StopReason.FAILED, deliverable=None)
    result = open_autoglm.run("Predict y", data="t.csv", engine=engine, quiet=True)
    with pytest.raises(errors.RunDirectoryError, match="delivered no model"):
        result.predict(pd.DataFrame())


def test_a_result_shows_itself_in_a_notebook(engine: ScriptedEngine, tmp_path: Path) -> None:
    """As HTML, with names from the data escaped."""
    run_dir = tmp_path / "autoglm-runs" / "one"
    task = example_outcome(run_dir).task.model_copy(update={"target": "<script>"})
    engine.ending = example_outcome(run_dir, task=task.model_dump())
    shown = open_autoglm.run("Predict y", data="t.csv", engine=engine, quiet=True)._repr_html_()
    assert "<table>" in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_load_finds_the_deliverable(engine: ScriptedEngine, tmp_path: Path) -> None:
    """By the run directory or by the deliverable itself; anything else is explained."""
    run_dir = tmp_path / "autoglm-runs" / "one"
    for folder, words in ((tmp_path / "nowhere", "no run directory"), (tmp_path, "neither"), (run_dir, "no model yet")):
        with pytest.raises(errors.RunDirectoryError, match=words):
            open_autoglm.load(folder)
    manifest = run_dir / "deliverable" / "manifest.json"
    manifest.write_text("{")
    assert open_autoglm.load(run_dir) == open_autoglm.load(str(run_dir / "deliverable"))
    with pytest.raises(errors.RunDirectoryError, match="damaged"):
        open_autoglm.load(run_dir).predict(pd.DataFrame({"x": [1]}))
