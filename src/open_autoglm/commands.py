"""What each command does, once its arguments are parsed. Returns exit statuses and raises AutoGLMError."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from open_autoglm.agents.outcome import Outcome
from open_autoglm.columns import aligned
from open_autoglm.dialogue import Dialogue, refuse_to_ask
from open_autoglm.engine import Engine, Hooks
from open_autoglm.errors import ApprovalNeeded, AutoGLMError, Interrupted, RunDirectoryError
from open_autoglm.events import Event, EventKind
from open_autoglm.front import Front, process_began
from open_autoglm.live import Watcher, view_for
from open_autoglm.merge import Given, budget_spec, merge_options, read_options
from open_autoglm.progress import Progress, recall
from open_autoglm.runs import as_records, as_table, check_removable, list_runs, remove_run, size_of
from open_autoglm.sandbox.supervision.folders import temporary
from open_autoglm.settings import KEYS, LoadedSettings, load_settings
from open_autoglm.show import look_at, view_as_record, view_as_text, why_nothing_worked
from open_autoglm.signals import stop_on_signals
from open_autoglm.summary import as_record, as_text
from open_autoglm.tools.export.words import size_text
from open_autoglm.tools.places import how_to_resume, short
from open_autoglm.tools.words import Words

if TYPE_CHECKING:
    from pydantic import JsonValue

    from open_autoglm.agents.budget import StopFlag
    from open_autoglm.agents.options import RunOptions
    from open_autoglm.tools.serving.predictor import Predictor


def run_command(
    front: Front, prompt: str, data: Sequence[Path], given: Mapping[str, object], *, as_json: bool, quiet: bool
) -> int:
    """Start a run and print how it ended."""
    options = merge_options(prompt, data, cast("Given", given), load_settings())
    if not quiet:
        _point_to_a_model(front, options)

    def start(engine: Engine, hooks: Hooks) -> Outcome:
        return engine.start(options, frames=None, hooks=hooks)

    return _watched(front, start, yes=options.yes, as_json=as_json, quiet=quiet)


def _point_to_a_model(front: Front, options: "RunOptions", port: int | None = None) -> None:
    """Tell who runs this for the first time of a server nearby that could write the code: nobody is asked unless named."""
    from open_autoglm.doctor import VLLM_PORT, listens  # noqa: PLC0415 - runs alone look around

    port = VLLM_PORT if port is None else port
    named = options.strategist != "auto" or options.base_url is not None
    if front.terminal.interactive and not named and not options.root.exists() and listens(port):
        front.terminal.tell(
            f"Something listens on 127.0.0.1:{port}, the port of vLLM; recipes write the code, since nothing names it. "
            "`autoglm doctor` says what it serves, --base-url has it write."
        )


def resume_command(front: Front, run_dir: Path, given: Mapping[str, object], *, as_json: bool, quiet: bool) -> int:
    """Go on with a run and print how it ended."""
    budget = budget_spec(cast("Given", given))
    folder = find_run(run_dir, load_settings())
    front.run_dir = folder
    more = None if budget == type(budget)() else budget

    def resume(engine: Engine, hooks: Hooks) -> Outcome:
        return engine.resume(folder, budget=more, hooks=hooks)

    return _watched(front, resume, yes=False, as_json=as_json, quiet=quiet, known=recall(folder))


class _Run(Protocol):
    def __call__(self, engine: Engine, hooks: Hooks) -> Outcome: ...


def _watched(front: Front, run: _Run, *, yes: bool, as_json: bool, quiet: bool, known: Progress | None = None) -> int:
    """Run while showing progress and heeding Ctrl-C, then print the outcome."""
    from open_autoglm.agents.budget import StopFlag  # noqa: PLC0415 - `show` and `runs` need it not

    stop = StopFlag()
    try:
        view = view_for(front.terminal, quiet=quiet)
        with Watcher(view, known=known) as watcher, stop_on_signals(stop, watcher.note):
            outcome = run(front.engine(), _hooks(front, watcher, stop, yes=yes))
    except AutoGLMError as error:
        _after_error(front, stop, as_json=as_json, told="autoglm resume" in str(error))
        raise
    if as_json:
        front.terminal.say_json(as_record(outcome))
    else:
        front.terminal.say(as_text(outcome))
    return _tell_ending(front, outcome)


def _hooks(front: Front, watcher: Watcher, stop: "StopFlag", *, yes: bool) -> Hooks:
    """Tell a run whom it may ask: nobody with `--yes`, a person at a terminal, else an error."""

    def remember_directory(event: Event) -> None:
        run_dir = event.data.get("run_dir")
        if event.kind in (EventKind.RUN_STARTED, EventKind.RUN_RESUMED) and run_dir:
            front.run_dir = Path(str(run_dir))

    listeners = (remember_directory, watcher.listen)
    plain = Hooks(listeners=listeners, stop=stop, began=process_began() if front.whole_process else None)
    if yes:
        return plain
    if not front.terminal.interactive:
        return replace(plain, ask=refuse_to_ask)
    dialogue = Dialogue(terminal=front.terminal, watcher=watcher, read=front.reader())
    return replace(plain, ask=dialogue.ask, confirm=dialogue.confirm)


def _after_error(front: Front, stop: "StopFlag", *, as_json: bool, told: bool) -> None:
    """Say what is left of a run that ended in an error: its outcome, if it wrote one, and (unless told) how to go on."""
    if front.run_dir is None or not (front.run_dir / "run.json").exists():
        return
    view = look_at(front.run_dir, attempts=False)
    if as_json and view.outcome is not None:
        front.terminal.say_json(as_record(view.outcome))
    if stop.requested and not told:
        front.terminal.tell(f"resume with: {how_to_resume(front.run_dir)}")


def _tell_ending(front: Front, outcome: Outcome) -> int:
    say = Words(language=outcome.task.language)
    if outcome.deliverable is None:
        front.terminal.tell(say("error: no model: {reason}.", reason=say(outcome.stop_reason.sentence)))
        _tell_why(front, outcome.run_dir)
    if outcome.status == "interrupted":
        front.terminal.tell(say("resume with: {command}", command=how_to_resume(outcome.run_dir)))
    return outcome.exit_code


def _tell_why(front: Front, run_dir: Path) -> None:
    """Say what most attempts failed of: without a model that is the one thing worth knowing."""
    if not (run_dir / "run.json").exists():
        return
    view = look_at(run_dir)
    if why := why_nothing_worked(view):
        command = f"autoglm show {shlex.quote(short(run_dir))}"
        front.terminal.tell(view.say("{why} `{command}` lists all.", why=why, command=command))


def find_run(named: Path, settings: LoadedSettings) -> Path:
    """Return the run directory that a path, or the id of a run below the settings' root, names."""
    below = settings.values.root / named
    return below if not named.exists() and len(named.parts) == 1 and below.is_dir() else named


def show_command(front: Front, run_dir: Path, *, prompts: bool = False, as_json: bool) -> int:
    """Print a run as it lies on disk, or what it told a language model."""
    view = look_at(find_run(run_dir, load_settings()), attempts=not prompts)
    if prompts:
        return _show_prompts(front, view.run_dir, as_json=as_json)
    if as_json:
        front.terminal.say_json(view_as_record(view))
    else:
        front.terminal.say(view_as_text(view))
    return RunDirectoryError.exit_code if view.status == "damaged" else 0


def _show_prompts(front: Front, run_dir: Path, *, as_json: bool) -> int:
    from open_autoglm.prompts import prompts_as_records, prompts_as_text  # noqa: PLC0415 - pandas, which `show` alone does without

    if as_json:
        front.terminal.say_json(prompts_as_records(run_dir))
    else:
        front.terminal.say(prompts_as_text(run_dir))
    return 0


def predict_command(
    front: Front,
    run_dir: Path,
    rows: Path,
    output: Path | None,
    *,
    keep: bool,
    read: Sequence[str] = (),
    sandbox: str | None = None,
) -> int:
    """Predict the rows of a file."""
    from open_autoglm.serving import open_predictor  # noqa: PLC0415 - pandas
    from open_autoglm.tools.data.read import require_file  # noqa: PLC0415 - as above

    settings = load_settings()
    require_file(rows)
    name, said = sandbox or settings.values.sandbox, read_options(read)

    def warn(text: str) -> None:
        front.terminal.tell(f"warning: {text}")

    with open_predictor(find_run(run_dir, settings), sandbox=name, warn=warn) as predictor:
        if output is not None:
            predictor.predict_file(rows, output, keep=keep, read=said)
        else:
            _predict_to_stdout(front, predictor, rows, keep=keep, read=said)
    return 0


def _predict_to_stdout(
    front: Front, predictor: "Predictor", rows: Path, *, keep: bool, read: Mapping[str, "JsonValue"]
) -> None:
    with temporary("predict") as folder:
        path = folder / "predictions.csv"
        predictor.predict_file(rows, path, keep=keep, read=read)
        front.terminal.say(path.read_text(encoding="utf-8").rstrip("\n"))


def runs_command(front: Front, root: Path | None, *, as_json: bool) -> int:
    """Print the table of runs."""
    folder = root or load_settings().values.root
    rows = list_runs(folder)
    if as_json:
        front.terminal.say_json(as_records(rows))
    else:
        front.terminal.say(as_table(rows, folder))
    return 0


def remove_command(front: Front, run_dir: Path, *, yes: bool) -> int:
    """Delete a run directory, after asking."""
    folder = find_run(run_dir, load_settings())
    check_removable(folder)
    if not yes:
        _ask_to_remove(front, folder)
    remove_run(folder)
    front.terminal.tell(f"Deleted {short(folder)}.")
    return 0


def _ask_to_remove(front: Front, folder: Path) -> None:
    size = size_text(size_of(folder))
    if not front.terminal.interactive:
        raise ApprovalNeeded(f"Delete {short(folder)} ({size})? Nobody is there to answer; use --yes.")
    try:
        answer = front.reader()(f"Delete {short(folder)} ({size}) for good? [y/N] ", ("yes", "no"))
    except (KeyboardInterrupt, EOFError):
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise Interrupted("Nothing was deleted.")


def policy_command(front: Front, *, as_json: bool) -> int:
    """Print the policy that sandboxes hold code to, with its hash."""
    from open_autoglm.sandbox.policy import FILE, default_policy  # noqa: PLC0415 - only this command shows it

    policy = default_policy()
    if as_json:
        front.terminal.say_json({"sha256": policy.digest, "policy": policy.model_dump(mode="json")})
    else:
        front.terminal.say(f"{FILE.read_text(encoding='utf-8').rstrip()}\n\n# sha256 {policy.digest}")
    return 0


def doctor_command(front: Front, *, base_url: str | None, as_json: bool) -> int:
    """Print the check-up."""
    from open_autoglm.doctor import examine  # noqa: PLC0415 - loads what the other commands need not
    from open_autoglm.glm_command import named_endpoint  # noqa: PLC0415 - as above

    values = load_settings().values
    checkup = examine(probe=front.probe(), endpoint=named_endpoint(values, base_url), root=values.root)
    if as_json:
        front.terminal.say_json(checkup.as_record())
    else:
        front.terminal.say(checkup.as_text())
    return checkup.exit_code


def config_command(front: Front, *, origin: bool) -> int:
    """Print the settings in force, one `key = value` a line; with `origin`, where each comes from."""
    settings = load_settings()
    record = settings.values.model_dump(mode="json")
    if settings.values.time is None and settings.values.attempts is None:
        from open_autoglm.agents.budget import DEFAULT_SECONDS  # noqa: PLC0415 - only this command needs it

        record["time"] = DEFAULT_SECONDS  # what holds where nothing limits a run
    rows = [(f"{key} = {json.dumps(record[key])}", f"# {settings.origins[key]}" if origin else "") for key in KEYS]
    front.terminal.say("\n".join(aligned(rows)))
    return 0
