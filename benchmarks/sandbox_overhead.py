"""What one execution costs beyond its own work, beside starting Python anew.

    python benchmarks/sandbox_overhead.py [--runs 40]

Overhead is the time `Session.run` takes minus what the runtime itself says it spent on import, read, call and write
(target: below 60 ms on two free cores). The table goes to stdout; nothing is asserted.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from open_autoglm.sandbox.base import Job, Limits, Sandbox
from open_autoglm.sandbox.bubblewrap import BubblewrapLauncher, BubblewrapSandbox, programs
from open_autoglm.sandbox.launch import Seclusion
from open_autoglm.sandbox.process import ProcessSandbox
from open_autoglm.sandbox.report import failure_line, is_ok

SOLUTION = "PARAMS = {}\ndef fit(train, ctx): return 1\ndef predict(model, rows, ctx): return rows['x']\n"
COLD = "import pandas, sklearn.ensemble, sklearn.linear_model, sklearn.pipeline"
LIMITS = Limits(wall_seconds=60, memory_bytes=2 << 30)


def overheads(sandbox: Sandbox, folder: Path, runs: int) -> tuple[float, float, list[float]]:
    """Return the seconds of opening, of the first execution, and the overhead of each later one."""
    train = folder / "train.parquet"
    pd.DataFrame({"x": range(100), "y": range(100)}).to_parquet(train)
    started = time.perf_counter()
    session = sandbox.open()
    opened = time.perf_counter() - started
    took: list[float] = []
    for number in range(runs + 1):
        job = Job(
            execution_id=str(number), phase="fit", call="fit", code={"solution.py": SOLUTION},
            context={"task": {"target": "y", "task_type": "regression"}}, inputs={"train": train}, limits=LIMITS,
            collect=folder / sandbox.name / str(number),
        )  # fmt: skip
        started = time.perf_counter()
        report = session.run(job)
        took.append(time.perf_counter() - started - sum(report.claimed_seconds.values()))
        if not is_ok(report):
            raise SystemExit(failure_line(report))
    session.close()
    return opened, took[0], took[1:]


def cold_starts(runs: int) -> list[float]:
    """Return the seconds that a new Python takes to import what solutions import."""
    took = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", COLD], check=True)
        took.append(time.perf_counter() - started)
    return took


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs
    kinds: dict[str, Sandbox] = {"process": ProcessSandbox()}
    if BubblewrapSandbox().probe().ready:
        kinds["bubblewrap, namespaces per execution"] = BubblewrapSandbox()
        single = BubblewrapLauncher(programs()[0], Seclusion.SINGLE_USE)
        kinds["bubblewrap, one per execution"] = BubblewrapSandbox(launcher=single)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {runs} executions each, milliseconds\n")
    print(f"{'':38}{'open':>8}{'first':>8}{'median':>8}{'p95':>8}")
    for name, sandbox in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            count = min(runs, 8) if "one per" in name else runs
            opened, first, later = overheads(sandbox, Path(folder), count)
        print_row(name, [opened, first, statistics.median(later), sorted(later)[int(0.95 * (len(later) - 1))]])
    cold = cold_starts(5)
    print_row("a new python with pandas and sklearn", [float("nan"), cold[0], statistics.median(cold), max(cold)])


def print_row(name: str, seconds: list[float]) -> None:
    """Print one line of milliseconds."""
    print(f"{name:38}" + "".join(f"{'' if math.isnan(value) else f'{1000 * value:.1f}':>8}" for value in seconds))


if __name__ == "__main__":
    main()
