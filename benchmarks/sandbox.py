"""How long code waits for its sandbox, beside the usual ways to run generated code, all in turn within one run.

Program A is `import pandas, sklearn; print(1)`. Cold is from nothing to A's output; warm is one more execution in what is up, in a fresh
process each time (but for the rows of kernels, where state is kept). Warm executions follow each other without a pause. The comparison: a
plain subprocess; `docker run` of our own image; a local Jupyter kernel; the pattern of AIDE's interpreter (`interpreter_pattern.py`).
Then what the walls promise: how soon everything is dead after a deadline and after `Session.cancel()`, and whether eight sessions on the
machine get equal shares and see nothing of each other.
"""

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import ROOT, Figure, arguments, page, publish, scratch
from dying import Tree, program

from open_autoglm.sandbox.backends.bubblewrap import BubblewrapSandbox
from open_autoglm.sandbox.backends.docker import PYTHON, DockerSandbox
from open_autoglm.sandbox.backends.jupyter import JupyterSandbox
from open_autoglm.sandbox.backends.process import ProcessSandbox
from open_autoglm.sandbox.base import Job, Kernel, Limits, Sandbox, Session
from open_autoglm.sandbox.launch import Seclusion
from open_autoglm.sandbox.report import ExecutionReport, failure_line, is_ok

A = "import pandas, sklearn; print(1)"
SCRIPT = "import sys\nopen(sys.argv[3], 'w').close()\n"
"""Writes the file that the call `script` promises: a little more than A."""
BURST = 6
SUBPROCESS, DOCKER_RUN, AIDE, KERNEL = "plain subprocess", "`docker run`", "AIDE's pattern", "local Jupyter kernel"
AIDE_PANDAS = f"{AIDE}, its agent holding pandas"
PROCESS, BUBBLEWRAP, DOCKER, SINGLE = "process (fork alone)", "bubblewrap", "docker", "docker, a container each"
SCORED = "jupyter, a kernel each"
OUR_KERNEL = "cells of our kernel in {}"
DEADLINE_SECONDS = 0.5
SHARE_SECONDS = 6.0
SESSIONS, START_SECONDS = 8, 4.0


@dataclass(slots=True)
class Way:
    """One way to run A."""

    cold: Callable[[], Callable[[], object] | None]
    """From nothing to A's output; returns how what is up is ended, which is not measured."""
    warm: Callable[[], None] | None = None
    """Once more in what is up; None where there is nothing to keep."""
    cold_seconds: list[float] = field(default_factory=list)
    rested_seconds: list[float] = field(default_factory=list)
    """Warm, after a pause."""
    warm_seconds: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds in which each way has its turn")
    parser.add_argument("--kills", type=int, default=20, help="deadlines and cancellations in each backend")
    given = parser.parse_args()
    ours = {name: sandbox for name, sandbox in _sandboxes().items() if sandbox.probe().ready}
    with scratch() as folder, ExitStack() as stack:
        runner = Runner(folder)
        ways = {
            **_usual(stack, docker=DOCKER in ours and shutil.which("docker") is not None),
            **{name: _own(stack, runner, ours[name]) for name in ours},
        }
        for name in ours.keys() & {BUBBLEWRAP, DOCKER}:
            ways[OUR_KERNEL.format(name)] = _own_kernel(stack, ours[name])
        for _ in range(given.rounds):
            for way in ways.values():
                _turn(way)
        figures = [*_times(ways), *_ratios(ways)]
        for name in (BUBBLEWRAP, DOCKER):
            if name in ours:
                figures += _endings(name, ours[name], runner, given.kills)
                figures += _shares(name, ours[name], runner)
    publish(page("Sandbox", figures, *_notes(given.rounds, ours)), "sandbox", write=given.write)


def _sandboxes() -> dict[str, Sandbox]:
    return {
        PROCESS: ProcessSandbox(),
        BUBBLEWRAP: BubblewrapSandbox(),
        DOCKER: DockerSandbox(seclusion=Seclusion.NAMESPACES),
        SINGLE: DockerSandbox(seclusion=Seclusion.SINGLE_USE),
        SCORED: JupyterSandbox(),
    }


def _turn(way: Way) -> None:
    started = time.perf_counter()
    end = way.cold()
    way.cold_seconds.append(time.perf_counter() - started)
    if end is not None:
        end()
    if way.warm is not None:
        time.sleep(0.3)
        way.rested_seconds.append(_timed(way.warm))
        way.warm_seconds += [_timed(way.warm) for _ in range(BURST)]


def _timed(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


# --- the usual ways ------------------------------------------------------------------------------------------------


def _usual(stack: ExitStack, *, docker: bool) -> dict[str, Way]:
    ways = {SUBPROCESS: Way(lambda: _run(sys.executable, "-c", A))}
    if docker:
        image = str(DockerSandbox().probe().details["image"])
        hard = ("docker", "run", "--rm", "--network", "none", "--entrypoint", PYTHON, image)
        ways[DOCKER_RUN] = Way(lambda: _run(*hard, "-c", A))
    for name, imports in ((AIDE, ()), (AIDE_PANDAS, ("pandas",))):
        agent = stack.enter_context(_agent(imports))
        ways[name] = Way(lambda agent=agent: agent(reset=True))  # type: ignore[misc]
    kernel = stack.enter_context(_kernel())
    ways[KERNEL] = Way(_cold_kernel, lambda: _cell(kernel))
    return ways


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n", done


@contextmanager
def _agent(imports: Sequence[str]) -> Iterator[Callable[..., None]]:
    words = [sys.executable, str(Path(__file__).with_name("interpreter_pattern.py")), *imports]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asks, answers = process.stdin, process.stdout
        assert asks is not None
        assert answers is not None

        def ask(*, reset: bool) -> None:
            asks.write(json.dumps({"code": A, "reset": reset}) + "\n")
            asks.flush()
            assert json.loads(answers.readline())["said"].startswith("1")

        yield ask
        asks.close()


@contextmanager
def _kernel() -> Iterator[Any]:
    from jupyter_client.manager import start_new_kernel  # noqa: PLC0415 - a second of imports that only this row needs

    manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _cold_kernel() -> Callable[[], object]:
    stack = ExitStack()
    _cell(stack.enter_context(_kernel()))
    return stack.close


def _cell(client: Any) -> None:
    reply = client.execute_interactive(A, output_hook=lambda _: None, timeout=60)
    assert reply["content"]["status"] == "ok", reply


# --- ours ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Runner:
    """Runs programs in sessions, each with a folder of its own."""

    folder: Path

    def run(self, session: Session, code: str, **limits: float) -> ExecutionReport:
        """Run one, whatever comes of it."""
        name = uuid.uuid4().hex
        values = {"wall_seconds": 60.0, "memory_bytes": 2 << 30, **limits}
        return session.run(
            Job(
                execution_id=name, phase="benchmark", call="script", code={"solution.py": SCRIPT + code}, context={}, inputs={},
                limits=Limits(**values), collect=self.folder / name,  # type: ignore[arg-type]  # counts are given as ints
            )
        )  # fmt: skip

    def good(self, session: Session, code: str) -> ExecutionReport:
        """Run one that has to end well."""
        report = self.run(session, code)
        if not is_ok(report):
            raise SystemExit(failure_line(report))
        return report


def _own(stack: ExitStack, runner: Runner, sandbox: Sandbox) -> Way:
    session = stack.enter_context(closing(sandbox.open()))
    for _ in range(2):  # the first may come before all is imported
        runner.good(session, A)

    def cold() -> Callable[[], object]:
        other = sandbox.open()
        runner.good(other, A)
        return other.close

    return Way(cold, lambda: _check(runner.good(session, A)))


def _own_kernel(stack: ExitStack, sandbox: Any) -> Way:
    def start(stack: ExitStack) -> Kernel:
        kernel: Kernel = stack.enter_context(closing(sandbox.open())).kernel()
        stack.callback(kernel.close)
        return kernel

    def cold() -> Callable[[], object]:
        inner = ExitStack()
        _own_cell(start(inner))
        return inner.close

    kernel = start(stack)
    _own_cell(kernel)
    return Way(cold, lambda: _own_cell(kernel))


def _own_cell(kernel: Kernel) -> None:
    result = kernel.execute(A)
    assert [output.text for output in result.claimed_outputs] == ["1\n"], result


def _check(report: ExecutionReport) -> None:
    assert report.stdout.head == "1\n", report


# --- figures ----------------------------------------------------------------------------------------------------------


def _times(ways: dict[str, Way]) -> Iterator[Figure]:
    for name, way in ways.items():
        yield _figure(f"A, cold: {name}", way.cold_seconds)
    for name, way in ways.items():
        if way.warm is not None:
            after = f"after a pause {1000 * statistics.median(way.rested_seconds):.1f} ms"
            yield _figure(f"A, warm: {name}", way.warm_seconds, after)


def _figure(what: str, seconds: Sequence[float], note: str = "", target: float | None = None) -> Figure:
    spread = f"{1000 * min(seconds):.1f} to {1000 * max(seconds):.1f} ms, {len(seconds)} times"
    return Figure(
        what=what, value=1000 * statistics.median(seconds), unit="ms", target=target,
        note=f"{spread}; {note}" if note else spread,
    )  # fmt: skip


def _ratios(ways: dict[str, Way]) -> Iterator[Figure]:
    """Yield what was aimed at: shares of the usual ways, and what a cold start costs beyond a plain subprocess."""
    cold = {name: statistics.median(way.cold_seconds) for name, way in ways.items()}
    warm = {name: statistics.median(way.warm_seconds) for name, way in ways.items() if way.warm is not None}
    for name, target in ((PROCESS, 1 / 50), (BUBBLEWRAP, 1 / 20), (DOCKER, 1 / 20)):
        if name in ways:
            share = warm[name] / cold[AIDE]
            note = f"1/{1 / share:.0f}; of the one whose agent holds pandas 1/{cold[AIDE_PANDAS] / warm[name]:.0f}"
            yield Figure(what=f"warm {name}, share of {AIDE}", value=share, unit="", target=target, note=note)
    for name in (BUBBLEWRAP, DOCKER):
        if name in ways:
            share = warm[OUR_KERNEL.format(name)] / warm[KERNEL]
            yield Figure(what=f"warm {OUR_KERNEL.format(name)}, over a {KERNEL}", value=share, unit="x", target=2.0)
    if SINGLE in ways and DOCKER_RUN in ways:
        share = warm[SINGLE] / cold[DOCKER_RUN]
        yield Figure(what=f"warm {SINGLE}, share of {DOCKER_RUN}", value=share, unit="", target=1.0)
    for name, target in ((BUBBLEWRAP, 60.0), (DOCKER, 250.0)):
        if name in ways:
            more = 1000 * (cold[name] - cold[SUBPROCESS])
            yield Figure(what=f"cold {name}, beyond a {SUBPROCESS}", value=more, unit="ms", target=target)


def _notes(rounds: int, ours: dict[str, Sandbox]) -> list[str]:
    missing = [name for name in _sandboxes() if name not in ours]
    tiers = ", ".join(f"{name}: {sandbox.probe().tier}" for name, sandbox in ours.items())
    notes = [
        f"Medians; {rounds} rounds in which all ways had their turn, one cold start and {BURST + 1} warm executions each. Tiers: {tiers}.",
        f"Shares: the warm execution over one run of {AIDE} on A, which forks a fresh child of its agent each time. Where its state is kept "
        "between runs, A costs it less than a millisecond, as in a kernel.",
        f"Dead: from the deadline, or the call of `cancel`, to the death of the last of {Tree.SIZE} processes, seen by handles on each; among "
        "them sessions of their own that ignore signals, one of them at work.",
    ]
    return notes + ([f"Not ready on this machine: {', '.join(missing)}."] if missing else [])


# --- endings and shares -------------------------------------------------------------------------------------------------


def _endings(name: str, sandbox: Sandbox, runner: Runner, count: int) -> Iterator[Figure]:
    with closing(sandbox.open()) as session:
        for _ in range(2):  # as above
            runner.good(session, A)
        late = [_killed(session, runner) for _ in range(count)]
        slow = [_cancelled(session, runner) for _ in range(count)]
    yield _late(f"{name}: all dead after the deadline", late, 50.0)
    yield _late(f"{name}: all dead after `cancel`, which has returned", slow, 100.0)


def _killed(session: Session, runner: Runner) -> float:
    """Return the seconds from the deadline until all was dead."""
    for seconds in (DEADLINE_SECONDS, 4 * DEADLINE_SECONDS, 16 * DEADLINE_SECONDS):
        tag = uuid.uuid4().hex[:12]
        with Tree(tag) as tree:
            report = runner.run(session, program(tag), wall_seconds=seconds)
            dead_at = tree.dead_at()
            if dead_at is not None:
                return dead_at - report.started_at - seconds
    raise SystemExit("The tree of processes does not come up: is anything else running here?")


def _cancelled(session: Session, runner: Runner) -> float:
    """Return the seconds until all was dead and the call had returned."""
    tag = uuid.uuid4().hex[:12]
    with Tree(tag) as tree:
        thread = threading.Thread(target=runner.run, args=(session, program(tag)))
        thread.start()
        tree.wait_until_up()
        started = time.time()
        session.cancel()
        returned = time.time()
        thread.join()
        return max(returned, tree.dead_at() or returned) - started


def _late(what: str, seconds: Sequence[float], target: float) -> Figure:
    ordered = sorted(seconds)
    late = 1000 * ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    note = f"95th percentile of {len(ordered)}; median {1000 * statistics.median(ordered):.1f} ms"
    return Figure(what=what, value=late, unit="ms", target=target, note=note)


def _shares(name: str, sandbox: Sandbox, runner: Runner) -> Iterator[Figure]:
    """Have eight sessions count at the same time, and look whether one sees the mark of another."""
    with ExitStack() as stack, ThreadPoolExecutor(SESSIONS) as pool:
        sessions = [stack.enter_context(closing(sandbox.open(cpus=1))) for _ in range(SESSIONS)]
        for _ in range(2):  # as above
            list(pool.map(lambda session: runner.good(session, "pass"), sessions))
        begin = time.time() + START_SECONDS
        code = (ROOT / "benchmarks" / "counting.py").read_text(encoding="utf-8")
        codes = [f"NUMBER, BEGIN, SECONDS = {i}, {begin}, {SHARE_SECONDS}\n{code}" for i in range(SESSIONS)]
        reports = list(pool.map(runner.good, sessions, codes))
    told = [json.loads(report.stdout.head) for report in reports]
    counts = [answer["count"] for answer in told]
    crossed = sum(answer["number"] != i or answer["seen"] != [i] for i, answer in enumerate(told))
    note = f"{SESSIONS} sessions counting for {SHARE_SECONDS:g} s"
    yield Figure(what=f"{name}: most over least work", value=max(counts) / min(counts), unit="", target=1.25, note=note)
    yield Figure(what=f"{name}: sessions that saw another", value=float(crossed), unit="", target=0.0)


if __name__ == "__main__":
    main()
