"""`autoglm`: the command line. Parses arguments, hands over to `open_autoglm.commands`, turns errors into exit codes.

Nothing heavy is imported before a command needs it, so that `autoglm --help` answers at once.
"""

import gc
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from open_autoglm.cli_options import (
    NO_BUDGET,
    NO_WISHES,
    BaseUrl,
    Budget,
    Given,
    Json,
    Quiet,
    Read,
    RunDir,
    SandboxName,
    Wishes,
)
from open_autoglm.errors import AutoGLMError, InputError, TransientError
from open_autoglm.front import Front
from open_autoglm.glm_cli import glm_app
from open_autoglm.ground import require_ground
from open_autoglm.terminal import Terminal, hold_descriptors

USAGE = 2


def _version() -> str:
    import open_autoglm  # noqa: PLC0415 - the number is looked up only when it is asked for

    return open_autoglm.__version__


app = App(
    name="autoglm",
    help="A sentence and data in, a verified machine-learning model out.",
    help_epilogue="Exit codes: 0 model delivered, 1 failed, 2 bad usage or input, 3 a wish not met, 53 budget spent "
    "without a model, 54 no sandbox, 75 try again, 77 needs an answer, 78 settings, 130 interrupted.",
    version=_version,
    default_parameter=Parameter(negative="", show_default=False),
    help_format="plaintext",
)
runs_app = App(name="runs", help="List the runs below the working directory, or delete one.")
config_app = App(name="config", help="Look at the settings.")
app.command(runs_app)
app.command(config_app)
eval_app = App(name="eval", help="Measure how well this installation holds what it promises.")
app.command(eval_app)
sandbox_app = App(
    name="sandbox", help="Images and containers in which written code runs (Docker), and sealed kernels for Jupyter."
)
app.command(sandbox_app)
app.command(glm_app)


@app.command(usage="Usage: autoglm run PROMPT --data FILE... [OPTIONS]\n")
def run(
    prompt: Annotated[str, Parameter(help="What to predict, in plain words: English or Chinese.")] = "",
    /,
    *,
    data: Annotated[
        tuple[Path, ...],
        Parameter(consume_multiple=True, help="Training data: CSV, TSV, Parquet, JSON, Excel, SQLite."),
    ] = (),
    budget: Budget = NO_BUDGET,
    wishes: Wishes = NO_WISHES,
    as_json: Json = False,
    quiet: Quiet = False,
    front: Given,
) -> int:
    """Find, verify and deliver a model for a task said in words."""
    from open_autoglm.commands import run_command  # noqa: PLC0415 - see the module's docstring

    prompt, files = _prompt_after_data(prompt, data)
    given = {**vars(budget), **vars(wishes)}
    return run_command(front, prompt, files, given, as_json=as_json, quiet=quiet)


_FILE_SUFFIXES = {
    ".csv", ".tsv", ".txt", ".gz", ".bz2", ".xz", ".zip", ".tar", ".tgz", ".parquet", ".json", ".jsonl", ".xlsx", ".xls", ".db", ".sqlite",
}  # fmt: skip


def _prompt_after_data(prompt: str, data: tuple[Path, ...]) -> tuple[str, tuple[Path, ...]]:
    """Find the prompt behind `--data FILE`, which takes all words that follow it."""
    if not prompt and len(data) > 1 and not data[-1].exists() and data[-1].suffix.lower() not in _FILE_SUFFIXES:
        return str(data[-1]), data[:-1]
    if not prompt:
        raise InputError("Say what to predict: autoglm run 'Predict churn' --data churn.csv")
    if not data:
        raise InputError("Name the data: --data FILE, such as: autoglm run 'Predict churn' --data churn.csv")
    return prompt, data


@app.command
def resume(
    run_dir: RunDir, /, *, budget: Budget = NO_BUDGET, as_json: Json = False, quiet: Quiet = False, front: Given
) -> int:
    """Go on with a run after a crash, an interruption, or with more budget after its end."""
    from open_autoglm.commands import resume_command  # noqa: PLC0415 - see the module's docstring

    return resume_command(front, run_dir, vars(budget), as_json=as_json, quiet=quiet)


@app.command
def show(
    run_dir: RunDir,
    /,
    *,
    prompts: Annotated[bool, Parameter(help="What a language model was told, and what it answered.")] = False,
    as_json: Json = False,
    front: Given,
) -> int:
    """Show a run: task, scores, leaderboard, where the deliverable is."""
    from open_autoglm.commands import show_command  # noqa: PLC0415 - see the module's docstring

    return show_command(front, run_dir, prompts=prompts, as_json=as_json)


@app.command
def predict(
    run_dir: RunDir,
    rows: Annotated[Path, Parameter(help="File with the rows to predict.")],
    /,
    *,
    output: Annotated[Path | None, Parameter(("--output", "-o"), help="CSV file to write; default: stdout.")] = None,
    keep: Annotated[bool, Parameter(help="Keep all input columns beside the predictions.")] = False,
    read: Read = (),
    sandbox: Annotated[SandboxName | None, Parameter(help="Where the model is loaded.")] = None,
    front: Given,
) -> int:
    """Predict new rows with a delivered model, one row out for each row in."""
    from open_autoglm.commands import predict_command  # noqa: PLC0415 - see the module's docstring

    return predict_command(front, run_dir, rows, output, keep=keep, read=read, sandbox=sandbox)


@runs_app.default
def runs(
    *,
    root: Annotated[Path | None, Parameter(help="Folder with the runs; default ./autoglm-runs.")] = None,
    as_json: Json = False,
    front: Given,
) -> int:
    """List the runs, latest first."""
    from open_autoglm.commands import runs_command  # noqa: PLC0415 - see the module's docstring

    return runs_command(front, root, as_json=as_json)


@runs_app.command
def rm(run_dir: RunDir, /, *, yes: Annotated[bool, Parameter(help="Do not ask.")] = False, front: Given) -> int:
    """Delete a run directory with everything in it."""
    from open_autoglm.commands import remove_command  # noqa: PLC0415 - see the module's docstring

    return remove_command(front, run_dir, yes=yes)


@app.command
def doctor(
    *,
    policy: Annotated[bool, Parameter(help="Print what code in a sandbox may do, and nothing else.")] = False,
    base_url: BaseUrl = None,
    as_json: Json = False,
    front: Given,
) -> int:
    """Check what works on this machine, and say how to mend what does not."""
    from open_autoglm.commands import doctor_command, policy_command  # noqa: PLC0415 - see the module's docstring

    return (
        policy_command(front, as_json=as_json) if policy else doctor_command(front, base_url=base_url, as_json=as_json)
    )


@sandbox_app.command(name="build")
def sandbox_build(
    *,
    base: Annotated[
        str | None, Parameter(help="Image with the same Python to build on; default python:3.x-slim.")
    ] = None,
    debootstrap: Annotated[
        bool, Parameter(help="Make the base from Debian's packages: no registry; needs root.")
    ] = False,
    gpu: Annotated[bool, Parameter(help="Build the image for GPUs, on top of the other one.")] = False,
    index: Annotated[
        str | None, Parameter(help="With --gpu: package index with PyTorch for your CUDA; default pip's own.")
    ] = None,
    front: Given,
) -> int:
    """Build the image for Docker, with the versions of the libraries that are installed here."""
    from open_autoglm.sandbox_command import build_command  # noqa: PLC0415 - see the module's docstring

    return build_command(front, base, debootstrap=debootstrap, gpu=gpu, index=index)


@sandbox_app.command(name="list")
def sandbox_list(*, as_json: Json = False, front: Given) -> int:
    """List images and containers."""
    from open_autoglm.sandbox_command import list_command  # noqa: PLC0415 - see the module's docstring

    return list_command(front, as_json=as_json)


@sandbox_app.command(name="prune")
def sandbox_prune(*, front: Given) -> int:
    """Remove what crashed runs left behind, and images that no longer fit."""
    from open_autoglm.sandbox_command import prune_command  # noqa: PLC0415 - see the module's docstring

    return prune_command(front)


@sandbox_app.command(name="shell")
def sandbox_shell(
    *, gpu: Annotated[bool, Parameter(help="In the image for GPUs; without a GPU.")] = False, front: Given
) -> int:
    """Open a shell in the image, without network or rights."""
    from open_autoglm.sandbox_command import shell_command  # noqa: PLC0415 - see the module's docstring

    shell_command(front, gpu=gpu)


@sandbox_app.command(name="kernels")
def sandbox_kernels(*, front: Given) -> int:
    """Offer sealed kernels in Jupyter; `jupyter kernelspec remove NAME` takes one away."""
    from open_autoglm.sandbox_command import kernels_command  # noqa: PLC0415 - see the module's docstring

    return kernels_command(front)


@config_app.command(name="show")
def config_show(
    *, origin: Annotated[bool, Parameter(help="Say where each value comes from.")] = False, front: Given
) -> int:
    """Show the settings in force."""
    from open_autoglm.commands import config_command  # noqa: PLC0415 - see the module's docstring

    return config_command(front, origin=origin)


@eval_app.command(name="run")
def eval_run(
    suite: Annotated[Literal["sandbox"], Parameter(help="Which suite: sandbox runs hostile and innocent programs.")],
    /,
    *,
    backend: Annotated[
        tuple[str, ...],
        Parameter(help="Only this sandbox (repeatable); default all that are ready; `all`: every way of each."),
    ] = (),
    only: Annotated[tuple[str, ...], Parameter(help="Only this program of the suite (repeatable).")] = (),
    quick: Annotated[bool, Parameter(help="Only the half of the programs that takes little time.")] = False,
    out: Annotated[
        Path | None, Parameter(help="Also store the result in this file: JSON, or a page (.md) beside it.")
    ] = None,
    as_json: Json = False,
    front: Given,
) -> int:
    """Run a suite and print a table; exit status 1 where something did not hold."""
    from open_autoglm.eval_command import eval_command  # noqa: PLC0415 - see the module's docstring

    return eval_command(front, suite, backends=backend, only=only, quick=quick, out=out, as_json=as_json)


@app.command
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="For which shell.")], /, *, front: Given
) -> int:
    """Print a completion script for a shell: `source <(autoglm completion bash)`."""
    front.terminal.say(app.generate_completion(shell=shell))
    return 0


def main(argv: Sequence[str] | None = None, *, front: Front | None = None, platform: str = sys.platform) -> int:
    """Run one command. Returns the process's exit status, and prints errors as one line on stderr."""
    hold_descriptors()
    front = front or Front(whole_process=argv is None)
    tokens = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _guarded(tokens, front, platform)
        lost = front.terminal.lost
        if lost is None:
            return status
        front.terminal.tell(f"error: the result could not be printed: {lost.strerror}. Print it again elsewhere.")
        return status or TransientError.exit_code
    finally:
        front.terminal.close()
        if front.whole_process:
            gc.freeze()  # else Python looks for cycles in all that pandas and LangGraph made before it ends: half a second


def _guarded(tokens: list[str], front: Front, platform: str) -> int:
    try:
        require_ground(platform)
        command, bound, wanted = app.parse_args(tokens, exit_on_error=False, print_error=False)
        result: Any = command(*bound.args, **bound.kwargs, **dict.fromkeys(wanted, front))
    except CycloptsError as error:
        return _usage_error(error, front.terminal)
    except AutoGLMError as error:
        front.terminal.tell(f"error: {_one_line(str(error))}")
        return error.exit_code
    except KeyboardInterrupt:
        front.terminal.tell("Interrupted.")
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: told in one line, kept in full in a file
        return _internal_error(error, front)
    return result if isinstance(result, int) else 0


def _usage_error(error: CycloptsError, terminal: Terminal) -> int:
    error.verbose = False
    command = " ".join(["autoglm", *(error.command_chain or ())])
    text = _one_line(str(error)).replace("unable to convert", "cannot read").replace(" into float", " as a number")
    terminal.tell(f"error: {text.replace(' into int', ' as a whole number')} (see {command} --help)")
    return USAGE


def _internal_error(error: Exception, front: Front) -> int:
    front.terminal.tell(f"internal error: {type(error).__name__}: {_one_line(str(error))}")
    text = "".join(traceback.format_exception(error))
    for folder in (front.run_dir, Path(tempfile.gettempdir())):
        if folder is None:
            continue
        path = folder / f"autoglm-traceback-{time.strftime('%Y%m%d-%H%M%S')}.txt"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        front.terminal.tell(f"The trace is in {path}; please report it.")
        break
    if front.run_dir is not None:
        from open_autoglm.tools.places import how_to_resume  # noqa: PLC0415 - see the module's docstring

        front.terminal.tell(f"resume with: {how_to_resume(front.run_dir)}")
    return 1


def _one_line(text: str) -> str:
    return " ".join(text.split())
