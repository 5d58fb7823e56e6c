"""Time and memory of looking at big tables: `python benchmarks/profile_speed.py [rows columns]...`.

Each table is made and measured in a process of its own: memory is the largest the process ever held while profiling and
splitting, less what the table itself took to make.
"""

import argparse
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from open_autoglm.tools.data.profile import profile_table
from open_autoglm.tools.data.read import sketch
from open_autoglm.tools.data.split import plan_split
from open_autoglm.tools.task import MetricSpec, TaskSpec, TaskType

DEFAULT = [(10_000, 30), (100_000, 30), (1_000_000, 30), (1_000, 10_000)]
THREADS = "2"


def make_table(rows: int, columns: int) -> pd.DataFrame:
    """Make a table of numbers with gaps, whole numbers, categories, ids, dates and texts, a third of them text."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(2_000)])
    made: dict[str, object] = {}
    for i in range(columns - 1):
        match i % 6:
            case 0 | 1:
                values = rng.normal(size=rows)
                values[rng.random(rows) < 0.1] = np.nan
                made[f"number{i}"] = values
            case 2:
                made[f"count{i}"] = rng.integers(0, 100, rows)
            case 3:
                made[f"level{i}"] = pd.Series(words[rng.integers(0, 20, rows)], dtype="str")
            case 4:
                made[f"code{i}"] = pd.Series(words[rng.integers(0, 2_000, rows)], dtype="str")
            case _:
                made[f"whole{i}"] = rng.integers(0, 10**9, rows)
    if columns > 10:
        made["when"] = pd.Series(
            pd.date_range("2001-01-01", periods=rows, freq="min").strftime("%Y-%m-%d %H:%M"), dtype="str"
        )
        made["name"] = pd.Series([f"row-{i:07d}" for i in range(rows)], dtype="str")
        for name in list(made)[:2]:
            del made[name]
    made["target"] = rng.integers(0, 3, rows)
    return pd.DataFrame(made)


def measure(rows: int, columns: int) -> None:
    """Print one line: seconds of each step and the memory on top of the table's."""
    frame = make_table(rows, columns)
    task = TaskSpec(prompt="", task_type=TaskType.MULTICLASS, target="target", metric=MetricSpec(name="log_loss"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for step in (lambda: sketch(frame, "made"), lambda: profile_table(frame, task), lambda: plan_split(frame, task)):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table_mb = frame.memory_usage(deep=True).sum() / 2**20
    times = "".join(f"{s:>10.2f}" for s in seconds)
    print(
        f"{rows:>10,}{columns:>9,}{times}{table_mb:>10.0f}{(peak - before) / 1024:>10.0f}{peak / 1024:>10.0f}",
        flush=True,
    )


def main() -> None:
    """Measure the given sizes, or the default ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, help="rows columns, in pairs")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        measure(*given.sizes)
        return
    print(
        f"{'rows':>10}{'columns':>9}{'sketch s':>10}{'profile s':>10}{'split s':>10}{'table MB':>10}{'added MB':>10}{'peak MB':>10}"
    )
    sizes = list(zip(given.sizes[::2], given.sizes[1::2], strict=True)) or DEFAULT
    environment = {**os.environ, "OMP_NUM_THREADS": THREADS, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    for rows, columns in sizes:
        subprocess.run([sys.executable, __file__, "--one", str(rows), str(columns)], check=True, env=environment)


if __name__ == "__main__":
    main()
