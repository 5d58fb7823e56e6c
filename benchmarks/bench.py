"""What the benchmarks share: the installed command, tables made from a seed, and a table of figures beside their targets."""

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
TITANIC = ROOT / "examples" / "titanic.csv"
LOAD_BEFORE = os.getloadavg()[0]
TITANIC_PROMPT = "Predict which passengers survived, optimise AUC"


# --- the command under test --------------------------------------------------------------------------------------


def autoglm() -> str:
    """Return the path of the installed command: the one beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("autoglm")
    found = str(beside) if beside.exists() else shutil.which("autoglm")
    return found or sys.exit("There is no command autoglm: install the package first (make dev).")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One command that ran to its end."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    began: float
    """Seconds since the epoch."""


def run(*words: str | Path) -> Ran:
    """Run a command and measure its wall time."""
    began, start = time.time(), time.perf_counter()
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    return Ran(
        code=done.returncode, stdout=done.stdout, stderr=done.stderr, seconds=time.perf_counter() - start, began=began
    )


def run_autoglm(prompt: str, data: Path, seconds: int, out: Path, *options: str) -> Ran:
    """Run the main job as a user would, unattended."""
    return run(
        autoglm(), "run", prompt, "--data", data, "--time", f"{seconds}s", "--yes", "--json", "--out", out, *options
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="autoglm-bench-") as folder:
        yield Path(folder)


# --- tables made from a seed ---------------------------------------------------------------------------------------


def adult_sized(path: Path, *, rows: int = 32_000) -> Path:
    """Write a table like a census: 14 columns beside the target `income`, 8 of them categories, some cells missing."""
    random = np.random.default_rng(0)
    numbers = {f"amount_{i}": np.round(random.lognormal(3, 1, rows), 1) for i in range(6)}
    codes = {f"group_{i}": random.integers(0, levels, rows) for i, levels in enumerate([2, 5, 7, 9, 15, 16, 42, 6])}
    logit = np.log1p(numbers["amount_0"]) - 3 + 0.8 * (codes["group_2"] % 3 == 0) + 0.02 * (codes["group_6"] % 11) ** 2
    logit += 0.6 * (codes["group_0"] == 1) * np.log1p(numbers["amount_1"]) - 2.2 + random.normal(0, 1, rows)
    frame = pd.DataFrame({**numbers, **{name: "level " + pd.Series(code).astype(str) for name, code in codes.items()}})
    for name in ("amount_2", "group_3", "group_4"):
        frame[name] = frame[name].mask(random.random(rows) < 0.05)
    frame["income"] = np.where(logit > 0, ">50K", "<=50K")
    frame.to_csv(path, index=False)
    return path


def large(path: Path, *, rows: int = 100_000) -> Path:
    """Write 20 columns beside the target `price`, which depends on products and thresholds that no line follows."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({f"x{i}": random.normal(size=rows).round(4) for i in range(16)})
    for i in range(4):
        frame[f"kind{i}"] = random.choice(list("abcdefgh"[: 3 + i]), rows)
    price = (
        3 * frame["x0"]
        + 4 * frame["x1"] * frame["x2"]
        + 5 * np.abs(frame["x3"])
        + 3 * (frame["x4"] > 0.5) * frame["x5"]
    )
    price += 4 * (frame["kind0"] == "a") * frame["x6"] + random.normal(0, 1, rows)
    frame["price"] = price.round(4)
    frame.to_csv(path, index=False)
    return path


# --- figures beside their targets ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number."""

    what: str
    value: float
    unit: str = "s"
    target: float | None = None
    """The value should be at most this; None where it is only reported."""
    note: str = ""

    @property
    def line(self) -> str:
        """The figure as a row of a Markdown table."""
        wanted, verdict = "", ""
        if self.target is not None:
            wanted = f"<= {_number(self.target)} {self.unit}"
            verdict = "met" if self.value <= self.target else "MISSED"
        return f"| {self.what} | {_number(self.value)} {self.unit} | {wanted} | {verdict} | {self.note} |"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def page(title: str, figures: Sequence[Figure], *notes: str) -> str:
    """Return the figures as a Markdown page that says what was run, where, when and on which commit."""
    lines = [f"# {title}", "", provenance(), "", "| what | measured | target | | |", "|---|---|---|---|---|"]
    lines += [figure.line for figure in figures]
    return "\n".join([*lines, *(f"\n{note}" for note in notes), ""])


def provenance() -> str:
    """Say by which command, of which commit, on which machine and when something was measured."""
    script, *rest = sys.argv
    words = [Path(script).resolve().relative_to(ROOT).as_posix(), *(_public(word) for word in rest)]
    load = f"load average before: {LOAD_BEFORE:.1f}"
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {load}"
    return f"`python {shlex.join(words)}` on commit {commit()}, {machine}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def _public(word: str) -> str:
    """Leave out where on this machine a folder lies."""
    return Path(word).name if Path(word).is_absolute() else word


def commit() -> str:
    """Return the commit of the working tree, with a mark where it has changes."""
    told = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+changes", "--abbrev=10"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return told.stdout.strip() or "unknown"


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return the parser that all benchmarks have in common."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="also write docs/results/<name>.md")
    return parser


def publish(text: str, name: str, *, write: bool) -> None:
    """Print a page, and with `write` keep it as docs/results/<name>.md."""
    print(text)
    if write:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
