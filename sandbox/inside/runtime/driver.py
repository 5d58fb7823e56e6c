"""Inside the sandbox: does one job. Imported by the fork server before anything untrusted is, called once per process.

What it writes to `claims` is what the executed process says about itself: the host believes none of it.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import runpy
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

MESSAGE_CHARACTERS = 8_000
FRAMES = 20
SMALL_BYTES = 8 << 20
NO_SOCKETS = "AUTOGLM_NO_SOCKETS"
"""A variable that is set where none can be made."""
FIRST_OF_KERNEL = 4
"""The lowest descriptor that is not one of the job's own: standard streams and claims."""


@dataclass
class Place:
    """Where things lie for one job."""

    code: Path
    inputs: Path
    out: Path
    work: Path
    wires: Mapping[str, Any] | None = None
    """Of a Jupyter kernel that this process becomes: `key`, and `descriptors` of five listening sockets (see `kernel_app`)."""

    @classmethod
    def of(cls, paths: Mapping[str, Path], wires: Mapping[str, Any] | None, descriptors: int) -> Place:
        """Return the place where a session lays things; of so many descriptors, those of a kernel are the last."""
        listening = {**wires, "descriptors": range(FIRST_OF_KERNEL, descriptors)} if wires else None
        return cls(paths["job"] / "code", paths["job"] / "in", paths["out"], paths["work"], listening)


@dataclass
class Claims:
    """Tells the host, one JSON object a line."""

    descriptor: int
    started: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)

    def say(self, **claim: Any) -> None:
        """Write one line; a host that does not listen any more is no reason to fail."""
        line = json.dumps(claim, ensure_ascii=True, default=str).encode() + b"\n"
        try:
            os.write(self.descriptor, line)
        except OSError:
            return

    def progress(self, step: float, value: float) -> None:
        """Pass on a progress point of the solution."""
        self.say(progress=[step, value, time.monotonic() - self.started])

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Measure a step, also one that fails."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - start


def run(call: str, context: Mapping[str, Any], place: Place, claims: Claims) -> int:
    """Do the job, in a Jupyter kernel where there are wires for one, and return the exit code of the process."""
    job = partial(_do, call, context, place, claims)
    if place.wires is None or call == "kernel":
        return job()
    return int(importlib.import_module("kernel_app").once(place.wires, job, FIRST_OF_KERNEL))


def _do(call: str, context: Mapping[str, Any], place: Place, claims: Claims) -> int:
    try:
        CALLS[call](context, place, claims)
        code = 0
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException as error:  # noqa: BLE001 - the process ends here: what it ended with goes to the report and to stderr
        traceback.print_exception(error, limit=-FRAMES)
        claims.say(exception=describe(error, place.code))
        code = 1
    claims.say(seconds=claims.seconds)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the solution closed it
            continue
    return code


def describe(error: BaseException, code: Path) -> dict[str, Any]:
    """Return type, message and the frames that lie in the bundle's own files, outermost first."""
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(code):
            name = Path(frame.filename).relative_to(code).as_posix()
            frames.append({"file": name, "line": frame.lineno, "function": frame.name, "source": frame.line or ""})
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(code):
        name = Path(error.filename).relative_to(code).as_posix()
        frames.append({"file": name, "line": error.lineno or 0, "function": "", "source": (error.text or "").strip()})
    try:
        message = str(error)
    except BaseException as second:  # noqa: BLE001 - the solution's own exception class may do anything when asked for its text
        message = f"(the exception's text could not be made: {type(second).__name__})"
    return {"type": type(error).__name__, "message": message[:MESSAGE_CHARACTERS], "frames": frames[-FRAMES:]}


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)  # noqa: T201 - as Python itself does for sys.exit("text")
    return 1


def _fit(context: Mapping[str, Any], place: Place, claims: Claims) -> None:
    solution = _solution(claims)
    ctx = _context(context, solution, place, claims)
    with claims.timed("read"):
        train = _table(place.inputs / "train")
    with claims.timed("call"):
        model = solution.fit(train, ctx)
    with claims.timed("write"):
        folder = place.out / "model"
        folder.mkdir()
        if hasattr(solution, "save"):
            solution.save(model, folder)
        else:
            importlib.import_module("joblib").dump(model, folder / "model.joblib")
    if (place.inputs / "check").exists():
        _check(solution, model, ctx, place, claims)


def _check(solution: ModuleType, model: Any, ctx: Any, place: Place, claims: Claims) -> None:
    """Predict the check rows with the model as it is right after its fit."""
    import numpy as np  # noqa: PLC0415 - imported by the fork server, except where it is missing

    with claims.timed("check"):
        rows = _table(place.inputs / "check")
        answers = importlib.import_module("runtime").to_matrix(solution.predict(model, rows, ctx), ctx.task, len(rows))
        np.save(place.out / "check.npy", np.ascontiguousarray(answers), allow_pickle=False)


def _predict(context: Mapping[str, Any], place: Place, claims: Claims) -> None:
    import numpy as np  # noqa: PLC0415 - imported by the fork server, except where it is missing

    solution = _solution(claims)
    ctx = _context(context, solution, place, claims)
    runtime = importlib.import_module("runtime")
    with claims.timed("read"):
        rows = _table(place.inputs / "rows")
        model = _load(solution, place.inputs / "model")
    answers = []
    with claims.timed("call"):
        for numbers in context.get("batches") or [None]:
            batch = rows if numbers is None else rows.iloc[numbers].reset_index(drop=True)
            answers.append(runtime.to_matrix(solution.predict(model, batch, ctx), ctx.task, len(batch)))
    with claims.timed("write"):
        np.save(place.out / "predictions.npy", np.ascontiguousarray(np.concatenate(answers)), allow_pickle=False)


def _table(path: Path) -> Any:
    """Read a staged table: from one file, without the search for more of its kind that `pandas.read_parquet` begins.

    Starting threads takes longer than they save on a small one.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - imported by the fork server, except where it is missing

    threads = path.stat().st_size > SMALL_BYTES
    return pq.ParquetFile(path).read(use_threads=threads).to_pandas(use_threads=threads)


def _load(solution: ModuleType, folder: Path) -> Any:
    if hasattr(solution, "load"):
        return solution.load(folder)
    return importlib.import_module("joblib").load(folder / "model.joblib")


def _script(context: Mapping[str, Any], place: Place, claims: Claims) -> None:
    names = ["train.csv", "new.csv"]
    sys.argv = ["solution.py", *(str(place.inputs / name) for name in names), str(place.out / "out.csv")]
    _seed(int(context.get("seed") or 0))
    with claims.timed("call"):
        runpy.run_path(str(place.code / "solution.py"), run_name="__main__")


def _notebook(_: Mapping[str, Any], place: Place, claims: Claims) -> None:
    with claims.timed("import"):
        nbformat = importlib.import_module("nbformat")
        failure = importlib.import_module("nbclient.exceptions").CellExecutionError
        execute = _by_a_kernel if NO_SOCKETS not in os.environ else _in_this_process
    with claims.timed("read"):
        notebook = nbformat.read(place.inputs / "notebook", as_version=4)
        for source in (place.code, place.inputs):
            for path in source.iterdir():
                if not (place.work / path.name).exists():
                    (place.work / path.name).symlink_to(path)
    try:
        execute(notebook, place, claims)
    except failure as error:
        raise failure("", error.ename, error.evalue) from None  # its own text begins with the whole cell
    finally:
        with claims.timed("write"):
            nbformat.write(notebook, place.out / "notebook.ipynb")


def _by_a_kernel(notebook: Any, place: Place, claims: Claims) -> None:
    """Execute a notebook as Jupyter does."""
    with claims.timed("import"):
        nbclient = importlib.import_module("nbclient")
        managers = importlib.import_module("jupyter_client.manager")
    # Unix sockets: a kernel needs no network, and nobody else on this machine can reach it. Their paths are short
    # on purpose, since a socket's path may have 107 characters at most.
    manager = managers.AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{place.work}/k")
    manager.kernel_spec.argv[0] = sys.executable
    cells = _Stopwatch()
    client = nbclient.NotebookClient(
        notebook,
        km=manager,
        timeout=None,
        resources={"metadata": {"path": str(place.work)}},
        record_timing=False,
        on_cell_execute=cells.start,
        on_cell_executed=cells.stop,
    )
    try:
        client.execute()
    finally:
        claims.seconds["call"] = cells.seconds  # starting and ending the kernel is not the code's doing


def _in_this_process(notebook: Any, place: Place, claims: Claims) -> None:
    """Execute a notebook where no kernel can listen."""
    with claims.timed("import"):
        sys.path.insert(0, str(Path(__file__).parent))
        notebook_app = importlib.import_module("notebook_app")  # not before, since it imports IPython
        sys.path[0] = str(place.work)
    with claims.timed("call"):
        notebook_app.execute(notebook)


@dataclass
class _Stopwatch:
    """Adds up the seconds between starts and stops."""

    seconds: float = 0.0
    started: float = 0.0

    def start(self, **_: Any) -> None:
        """Begin, as a hook of a notebook client."""
        self.started = time.monotonic()

    def stop(self, **_: Any) -> None:
        """End what was begun, as a hook of a notebook client."""
        self.seconds += time.monotonic() - self.started


def _kernel(_: Mapping[str, Any], place: Place, claims: Claims) -> None:
    with claims.timed("call"):
        importlib.import_module("kernel_app").serve(place.wires, (place.code, place.inputs), place.work)


def _nothing(context: Mapping[str, Any], place: Place, claims: Claims) -> None:
    """Show that a process can be started and watched here."""


CALLS: dict[str, Callable[[Mapping[str, Any], Place, Claims], None]] = {
    "fit": _fit,
    "predict": _predict,
    "script": _script,
    "notebook": _notebook,
    "kernel": _kernel,
    "nothing": _nothing,
}


def _solution(claims: Claims) -> ModuleType:
    with claims.timed("import"):
        return importlib.import_module("solution")


def _context(context: Mapping[str, Any], solution: ModuleType, place: Place, claims: Claims) -> Any:
    runtime = importlib.import_module("runtime")
    seed = int(context.get("seed") or 0)
    _seed(seed)
    return runtime.Context(
        task=runtime.Task.of(context["task"]),
        params={**getattr(solution, "PARAMS", {}), **(context.get("params") or {})},
        seed=seed,
        n_jobs=int(context.get("n_jobs") or 1),
        device=str(context.get("device") or "cpu"),
        deadline=claims.started + float(context.get("seconds") or "inf"),
        work_dir=place.work,
        files=_if_there(place.inputs / "files"),
        checkpoints=_if_there(place.inputs / "checkpoints"),
        on_report=claims.progress,
    )


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None


def _seed(seed: int) -> None:
    """Seed the global generators too: code that forgets to pass a seed is still repeatable."""
    random.seed(seed)
    if "numpy" in sys.modules:  # imported by the fork server, but where a profile leaves it out
        sys.modules["numpy"].random.seed(seed % 2**32)
