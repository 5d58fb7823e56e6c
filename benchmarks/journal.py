"""Whether a long run stays light: `autoglm show` after 10,000 attempts, and memory as the journal grows.

Makes run directories with 1,000 and 10,000 attempts of five folds through the journal itself, and asks of it between two attempts
what a worker asks; no code is executed. Peak memory is that of the whole process, as the kernel counts it.
"""

import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from bench import Figure, arguments, autoglm, page, publish, scratch

from open_autoglm.agents.attempts import Attempt, AttemptStatus, Execution
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.options import RunOptions
from open_autoglm.agents.strategist import Operator
from open_autoglm.agents.workspace import Workspace
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.tools.task import MetricSpec, TaskSpec, TaskType

FEW, MANY, FOLDS = 1_000, 10_000, 5
SHOW_SECONDS, FLAT = 1.0, 1.1
"""Memory is called flat where ten times the attempts take at most a tenth more."""
FILL = "--fill"
WATCH = """
import os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small process in between: a child's peak is counted from the size of the process that forked it."""
ASKS_EVERY = 20
ASKED = "asked.txt"
CODE = "def fit(train, ctx):\n    return {number}\n\n\ndef predict(model, rows, ctx):\n    return model\n"


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="starts of `show`")
    given = parser.parse_args()
    with scratch() as folder:
        writing = {
            count: _measured([sys.executable, __file__, FILL, str(folder / str(count)), str(count)])
            for count in (FEW, MANY)
        }
        shown = {
            count: [_measured([autoglm(), "show", str(folder / str(count))]) for _ in range(given.repeats)]
            for count in (FEW, MANY)
        }
        asked = {count: float((folder / str(count) / ASKED).read_text(encoding="utf-8")) for count in (FEW, MANY)}
        size = (folder / str(MANY) / "journal.sqlite").stat().st_size
    seconds = {count: statistics.median(took for took, _ in runs) for count, runs in shown.items()}
    memory = {count: statistics.median(peak for _, peak in runs) for count, runs in shown.items()}
    figures = [
        Figure(what=f"`autoglm show`, {MANY:,} attempts", value=seconds[MANY], target=SHOW_SECONDS, note=f"{seconds[FEW]:.2f} s with {FEW:,}"),
        Figure(what=f"peak memory of a writing process, {MANY:,} against {FEW:,}", value=writing[MANY][1] / writing[FEW][1], unit="x", target=FLAT, note=f"{writing[FEW][1]:.0f} MB, {writing[MANY][1]:.0f} MB"),
        Figure(what=f"peak memory of `show`, {MANY:,} against {FEW:,}", value=memory[MANY] / memory[FEW], unit="x", note=f"{memory[FEW]:.0f} MB, {memory[MANY]:.0f} MB"),
        Figure(what=f"what a worker asks of the journal between two attempts, {MANY:,}", value=1000 * asked[MANY], unit="ms", note=f"{1000 * asked[FEW]:.3g} ms with {FEW:,}"),
        Figure(what=f"size of the journal, {MANY:,} attempts", value=size / 1e6, unit="MB"),
    ]  # fmt: skip
    publish(page("A long journal", figures), "journal", write=given.write)


def _measured(words: list[str]) -> tuple[float, float]:
    """Run a command; return its wall seconds and its peak memory in MB."""
    told = subprocess.run([sys.executable, "-S", "-c", WATCH, *words], capture_output=True, text=True, check=True)
    seconds, kilobytes = told.stdout.split()
    return float(seconds), float(kilobytes) / 1024


def fill(root: Path, count: int) -> None:
    """Write a run directory with `count` scored attempts, as one worker would leave it."""
    workspace = Workspace.create(RunOptions(prompt="Predict y", data=[Path("data.csv")], out=root))
    workspace.save_task(
        TaskSpec(prompt="Predict y", task_type=TaskType.BINARY, target="y", metric=MetricSpec(name="roc_auc"))
    )
    journal = Journal(root / "journal.sqlite")
    for number in range(count):
        attempt = journal.reserve(worker=0, operator=Operator.DRAFT, slot=number, parents=(), seed=number)
        code = CODE.format(number=number // 20)  # most attempts are trials of code that is already there
        journal.save_bundle(attempt.id, CodeBundle(files={"solution.py": code}, author=Author.RECIPES, title="Made"))
        _execute(journal, attempt)
        scores = [0.5 + 0.4 * (number * 7919 % 1000) / 1000] * FOLDS
        closed = replace(
            journal.attempt(attempt.id), status=AttemptStatus.SCORED, mean=scores[0], standard_error=0.01,
            detail={"fold_scores": list(scores), "fit_seconds": 0.5}, lesson="A line of what was learned.",
        )  # fmt: skip
        journal.update(closed)
        if number % ASKS_EVERY == 0:
            _ask(journal)
    (root / ASKED).write_text(str(_seconds_to_ask(journal)), encoding="utf-8")
    journal.close()


def _execute(journal: Journal, attempt: Attempt) -> None:
    report = ExecutionReport(status=Status.STATUS_OK, wall_seconds=0.5)
    report.stdout.head = "epoch\n" * 100
    for fold in range(FOLDS):
        for phase in ("fold.fit", "fold.predict"):
            outputs = {"predictions.npy": f"objects/{attempt.id}-{phase}-{fold}"}
            journal.record(
                Execution(
                    attempt=attempt.id, phase=phase, fold=fold, report=report, ok=True, score=0.7, outputs=outputs
                )
            )


def _ask(journal: Journal) -> None:
    """Ask what a worker asks between two attempts."""
    best = journal.best_attempts(greater_is_better=True, count=20)
    journal.picks()
    journal.counts()
    journal.since(best[0].id)
    journal.recent_attempts(200)


def _seconds_to_ask(journal: Journal) -> float:
    start = time.perf_counter()
    for _ in range(ASKS_EVERY):
        _ask(journal)
    return (time.perf_counter() - start) / ASKS_EVERY


if __name__ == "__main__":
    if sys.argv[1:2] == [FILL]:
        fill(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
