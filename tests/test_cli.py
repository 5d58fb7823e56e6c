"""The command line with a scripted engine: what is printed where, and the exit status."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from open_autoglm import errors
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.outcome import Outcome, StopReason
from open_autoglm.cli import main
from open_autoglm.engine import Hooks
from open_autoglm.events import EventKind, Json
from open_autoglm.front import Front
from open_autoglm.scripted_engine import ScriptedEngine, example_outcome, write_run
from open_autoglm.settings import KEYS
from open_autoglm.terminal import Terminal

RUN = ["run", "Predict y", "--data", "t.csv"]


@dataclass
class Shell:
    """Types commands, and keeps what they print."""

    engine: ScriptedEngine
    out: str = ""
    err: str = ""
    front: Front | None = None

    def __call__(self, *tokens: str) -> int:
        out, err = io.StringIO(), io.StringIO()
        self.front = Front(terminal=Terminal(out, err, io.StringIO()), engine=lambda: self.engine)
        status = main(tokens, front=self.front)
        self.out, self.err = out.getvalue(), err.getvalue()
        return status

    @property
    def options(self) -> RunOptions:
        request = self.engine.requests[-1]
        assert isinstance(request, RunOptions)
        return request


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run in an empty working directory, and no settings from outside."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for key in KEYS:
        monkeypatch.delenv(f"AUTOGLM_{key.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "autoglm-runs" / "one"
    write_run(folder, example_outcome(folder))
    return folder


@pytest.fixture
def shell(run_dir: Path) -> Shell:
    """A shell whose engine announces its run directory and delivers."""
    started: tuple[EventKind, dict[str, Json]] = (
        EventKind.RUN_STARTED,
        {"run_dir": str(run_dir), "seconds": 60.0, "attempts": None},
    )
    return Shell(ScriptedEngine(ending=example_outcome(run_dir), events=[started]))


def test_run_prints_the_summary_on_stdout(shell: Shell) -> None:
    """Score with interval and baselines, where the deliverable is, and the next commands."""
    assert shell(*RUN) == 0
    for words in (
        "0.8700",
        "0.8200 to 0.9100",
        "guessing 0.5000",
        "linear model 0.8400",
        "autoglm-runs/one/deliverable",
    ):
        assert words in shell.out
    assert "autoglm predict autoglm-runs/one new.csv" in shell.out
    assert "error" not in shell.err


def test_json_prints_exactly_one_object(shell: Shell) -> None:
    """With `--json` stdout is one document with the promised keys."""
    assert shell(*RUN, "--json", "--quiet") == 0
    assert set(json.loads(shell.out)) == {
        "run_id", "run_dir", "status", "stop_reason", "task", "score", "baseline", "best_attempt", "attempts", "seconds",
        "cost", "writer", "deliverable", "guesses", "warnings",
    }  # fmt: skip
    assert shell.err == ""


def test_every_option_arrives(shell: Shell) -> None:
    """Each option of the command ends in the field it is for."""
    status = shell(
        *RUN, "u.csv", "--data", "v.csv", "--test", "e.csv", "--target", "y", "--metric", "f1", "--target-score", "0.9",
        "--time", "1h30m", "--attempts", "5", "--max-tokens", "7", "--max-cost", "1.5", "--strategist", "recipes", "--base-url", "http://127.0.0.1:8000/v1/", "--model", "glm",
        "--search", "uct", "--sandbox", "bubblewrap", "--holdout", "0.3", "--no-refit", "--read", "sep=;", "--read", "header=0", "--out", "o",
        "--workers", "2", "--seed", "3", "--share", "schema", "--yes",
    )  # fmt: skip
    options = shell.options
    assert status == 0
    assert [str(path) for path in options.data] == ["t.csv", "u.csv", "v.csv"]
    assert options.model_dump(mode="json", exclude={"data", "defaults", "root", "cache", "lessons", "allowed_packages"}) == {
        "prompt": "Predict y", "test": "e.csv", "target": "y", "metric": "f1", "target_score": 0.9, "strategist": "recipes", "search": "uct",
        "base_url": "http://127.0.0.1:8000/v1", "model": "glm", "prices": None,
        "budget": {"seconds": 5400.0, "attempts": 5, "tokens": 7, "money": 1.5}, "sandbox": "bubblewrap", "policy": None, "runtime": None, "holdout": 0.3,
        "refit": False, "read": {"sep": ";", "header": 0}, "out": "o", "workers": 2, "seed": 3, "share": "schema", "yes": True,
    }  # fmt: skip


def test_the_prompt_may_come_last(shell: Shell) -> None:
    """`--data` takes several files, and yet leaves the sentence behind it alone."""
    assert shell("run", "--data", "t.csv", "Predict y, use f1.") == 0
    assert (shell.options.prompt, [str(path) for path in shell.options.data]) == ("Predict y, use f1.", ["t.csv"])


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["runn"], 'Did you mean "run"'),
        (["run"], "Say what to predict"),
        (["run", " ", "--data", "t.csv"], "prompt is empty"),
        (["run", "Predict y"], "--data FILE"),
        ([*RUN, "--workers", "two"], "--workers"),
        ([*RUN, "--tiem", "5"], "--tiem"),
        ([*RUN, "--time", "0"], "--time"),
        ([*RUN, "--holdout", "half"], "half"),
        ([*RUN, "--sandbox", "paper"], "bubblewrap"),
        (["show"], "RUN_DIR"),
        (["show", "nowhere"], "nowhere"),
        (["show", "."], "run.json"),
        (["predict", "autoglm-runs/one", "new.csv"], "new.csv"),
        (["completion", "cobol"], "bash"),
        (["sandbox", "build", "--index", "http://elsewhere"], "--gpu"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(shell: Shell, tokens: Sequence[str], words: str) -> None:
    """No traceback, nothing on stdout."""
    assert shell(*tokens) == 2
    assert words in shell.err
    assert shell.err.count("\n") == 1
    assert shell.out == ""


@pytest.mark.parametrize(
    "error",
    [
        errors.AutoGLMError, errors.InputError, errors.BudgetSpent, errors.SandboxUnavailable, errors.TransientError,
        errors.ApprovalNeeded, errors.SettingsError, errors.Interrupted,
    ],
)  # fmt: skip
def test_each_error_has_its_exit_code(shell: Shell, error: type[errors.AutoGLMError]) -> None:
    """Every error is `error: ...` in one line and ends with its own status."""
    shell.engine.ending = error("It went\nwrong.")
    assert shell(*RUN, "--quiet") == error.exit_code
    assert shell.err == "error: It went wrong.\n"


def test_json_after_an_error_is_the_outcome_or_nothing(shell: Shell, run_dir: Path) -> None:
    """Where the run left an outcome it is printed, else stdout stays empty."""
    shell.engine.ending = errors.BudgetSpent("Too late.")
    assert shell(*RUN, "--json") == 53
    assert json.loads(shell.out)["run_id"] == example_outcome(run_dir).run_id
    (run_dir / "result.json").unlink()
    assert shell(*RUN, "--json") == 53
    assert shell.out == ""


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"unmet": ["target score 0.9"]}, 3),
        ({"status": "failed", "stop_reason": StopReason.FAILED, "deliverable": None}, 1),
        ({"status": "failed", "stop_reason": StopReason.BUDGET_SECONDS, "deliverable": None}, 53),
        ({"status": "interrupted", "stop_reason": StopReason.INTERRUPTED, "deliverable": None}, 130),
    ],
)
def test_each_ending_has_its_exit_code(shell: Shell, run_dir: Path, changes: dict[str, object], status: int) -> None:
    """A model but a wish not met, no model, no time, interrupted."""
    shell.engine.ending = example_outcome(run_dir, **changes)
    assert shell(*RUN, "--quiet") == status
    assert ("error: no model" in shell.err) == (status != 3)
    assert ("resume with: autoglm resume autoglm-runs/one" in shell.err) == (status == 130)


def test_an_unexpected_exception_is_one_line_and_a_file(shell: Shell, run_dir: Path) -> None:
    """The trace goes to a file in the run directory, whose path is printed with the command to go on."""
    shell.engine.ending = ZeroDivisionError("surprise")
    assert shell(*RUN, "--quiet") == 1
    lines = shell.err.splitlines()
    assert lines[0] == "internal error: ZeroDivisionError: surprise"
    assert "resume with: autoglm resume" in lines[2]
    (trace,) = run_dir.glob("autoglm-traceback-*.txt")
    assert str(trace) in lines[1]
    assert "ZeroDivisionError: surprise" in trace.read_text()


def test_a_question_without_a_terminal_needs_approval(shell: Shell) -> None:
    """Nobody is there: exit 77, with the question and how to answer it beforehand."""
    from open_autoglm.agents.strategist import Question  # noqa: PLC0415 - pandas, for this test only

    question = Question(field="target", text="Which column?", choices=("y", "z"), reason="it is last")
    shell.engine.questions = [question]
    assert shell(*RUN, "--quiet") == 77
    for words in ("Which column?", "--target", "--yes", "'y'"):
        assert words in shell.err
    assert shell(*RUN, "--quiet", "--yes") == 0


def test_ctrl_c_asks_for_the_best_so_far_and_twice_stops(shell: Shell, run_dir: Path) -> None:
    """First SIGINT requests, the second aborts; both say so, and the command to resume is printed."""
    seen: list[tuple[bool, bool]] = []

    def press(hooks: Hooks) -> None:
        assert hooks.stop is not None
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            wait_until(lambda: hooks.stop is not None and hooks.stop.requested and (hooks.stop.aborted or not seen))
            seen.append((hooks.stop.requested, hooks.stop.aborted))

    shell.engine.while_running = press
    shell.engine.ending = errors.Interrupted("Stopped.")
    before = signal.getsignal(signal.SIGINT)
    assert shell(*RUN, "--quiet") == 130
    assert seen == [(True, False), (True, True)]
    assert "finishing with the best so far" in shell.err
    assert "resume with: autoglm resume autoglm-runs/one" in shell.err
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_stops_at_once(shell: Shell) -> None:
    """SIGTERM is like the second Ctrl-C."""

    def terminate(hooks: Hooks) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: hooks.stop is not None and hooks.stop.aborted)

    shell.engine.while_running = terminate
    shell.engine.ending = errors.Interrupted("Stopped.")
    assert shell(*RUN, "--quiet") == 130


def wait_until(condition: Callable[[], bool]) -> None:
    """Give another thread its turn, ten seconds at the most."""
    import threading  # noqa: PLC0415

    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


def test_progress_without_a_terminal_names_the_run_directory(shell: Shell, run_dir: Path) -> None:
    """Piped progress says where the run lies once it is understood; stdout has none of it."""
    shell.engine.events = [
        *shell.engine.events,
        (EventKind.STAGE_STARTED, {"stage": "confirm"}),
        (EventKind.TASK_UNDERSTOOD, {"task_type": "binary", "target": "y"}),
    ]
    shell(*RUN)
    assert "run directory autoglm-runs/one" in shell.err
    assert "run directory" not in shell.out


def test_resume_passes_the_budget_on(shell: Shell, run_dir: Path) -> None:
    """More time arrives as seconds; without options nothing is changed."""
    assert shell("resume", "autoglm-runs/one", "--time", "10m") == 0
    assert shell("resume", "one") == 0
    assert [budget and budget.seconds for budget in shell.engine.budgets] == [600.0, None]
    assert shell.engine.requests[-1] == Path("autoglm-runs/one")


def test_settings_errors_are_exit_78(shell: Shell, run_dir: Path) -> None:
    """A bad file is named before anything starts."""
    Path("autoglm.toml").write_text("wrkers = 2\n")
    assert shell(*RUN) == 78
    assert "'wrkers'" in shell.err
    assert shell.engine.requests == []


def test_config_show_tells_origins(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value, and where it comes from."""
    monkeypatch.setenv("AUTOGLM_SEED", "4")
    assert shell("config", "show", "--origin") == 0
    assert "environment (AUTOGLM_SEED)" in next(line for line in shell.out.splitlines() if line.startswith("seed = 4"))
    assert shell("config", "show") == 0
    assert "#" not in shell.out
    assert "time = 600.0" in shell.out


def test_help_names_every_sandbox(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """And who says which of them are ready."""
    assert shell("run", "--help") == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "auto, docker, jupyter, bubblewrap, landlock, process" in said
    assert "`autoglm doctor` says which are" in said


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_scripts_know_the_commands(shell: Shell, name: str) -> None:
    """The script of each shell names the commands."""
    assert shell("completion", name) == 0
    assert "predict" in shell.out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the version of the package."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip().count(".") == 2


def test_help_imports_nothing_heavy() -> None:
    """`autoglm --help` stays instant: the libraries that take long are not loaded."""
    script = (
        "import sys; from open_autoglm.cli import main; main(['run', '--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"pandas", "numpy", "pydantic", "langgraph", "sklearn", "matplotlib", "optuna", "prompt_toolkit", "docker"}
    assert heavy.isdisjoint(done.stderr.split())
    assert "--target-score" in done.stdout


def test_a_closed_stdout_is_no_error(run_dir: Path) -> None:
    """A closed descriptor and a reader that has gone: nobody wants the result, and nothing is said."""
    command = f"{sys.executable} -m open_autoglm runs"
    for shell_line in (f"{command} >&-", f"{command} | true"):
        done = subprocess.run(["bash", "-c", shell_line], capture_output=True, text=True, check=True)
        assert done.stderr == ""
    assert "autoglm-runs/one" in subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout


def test_a_full_stdout_is_an_error(run_dir: Path) -> None:
    """Somebody wants the result and does not get it: one line, and the exit code that says to try again."""
    command = f"{sys.executable} -m open_autoglm runs >/dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (75, 1)
    assert "No space left" in done.stderr


def test_text_that_the_terminal_cannot_show_is_replaced(shell: Shell, run_dir: Path) -> None:
    """A Latin-1 terminal gets question marks, and JSON escapes; never a traceback."""
    task = example_outcome(run_dir).task.model_copy(update={"target": "生还"})
    shell.engine.ending = example_outcome(run_dir, task=task.model_dump())
    for flags, expected in (([], b"??"), (["--json"], rb"\u751f\u8fd8")):
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="latin-1", write_through=True)
        assert (
            main(
                [*RUN, *flags, "--quiet"],
                front=Front(terminal=Terminal(out, io.StringIO()), engine=lambda: shell.engine),
            )
            == 0
        )
        assert expected in raw.getvalue()
        assert b"?" not in raw.getvalue().replace(expected, b"")


def test_plus_minus_survives_ascii(shell: Shell) -> None:
    """An ASCII terminal gets +/-."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    main([*RUN, "--quiet"], front=Front(terminal=Terminal(out, io.StringIO()), engine=lambda: shell.engine))
    assert b"0.8600 +/- 0.0100" in raw.getvalue()


@pytest.mark.parametrize(
    ("refitted", "words"), [(True, "fitted again on all rows"), (False, "the one that was scored")]
)
def test_the_summary_says_which_model_ships(shell: Shell, run_dir: Path, refitted: bool, words: str) -> None:  # noqa: FBT001
    """The score belongs to the scored model; whether that one ships is read from the manifest."""
    (run_dir / "deliverable" / "manifest.json").write_text(json.dumps({"refitted": refitted}))
    shell(*RUN, "--quiet")
    assert words in shell.out


def test_the_scripted_engine_fails_loudly(shell: Shell) -> None:
    """A script without an ending is an error of the test."""
    shell.engine.ending = None
    assert shell(*RUN, "--quiet") == errors.ScriptExhausted.exit_code
    assert isinstance(example_outcome(Path()), Outcome)


def test_windows_is_told_where_to_run_it() -> None:
    """One line and the status of an environment that will not do, before anything is imported that is not there."""
    err = io.StringIO()
    front = Front(terminal=Terminal(io.StringIO(), err, io.StringIO()))

    assert main(["doctor"], front=front, platform="win32") == errors.SandboxUnavailable.exit_code
    assert "WSL 2" in err.getvalue()
