"""How long a user waits: for `autoglm --help`, and for the first valid scored model on titanic.

The help is measured beside an empty Python and `pip --version` on the same machine. The first model counts from the start of the
command to the first attempt with a complete score in events.jsonl; the run is then asked to finish.
"""

import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import TITANIC, TITANIC_PROMPT, Figure, arguments, autoglm, page, publish, run, scratch

from open_autoglm.events import read_events

HELP_SECONDS, FIRST_MODEL_SECONDS = 0.25, 8.0
BUDGET_SECONDS = 60


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=15, help="starts of each command")
    parser.add_argument("--runs", type=int, default=3, help="runs on titanic")
    given = parser.parse_args()
    python = _median([sys.executable, "-c", "pass"], given.repeats)
    pip = _median([sys.executable, "-m", "pip", "--version"], given.repeats)
    ours = _median([autoglm(), "--help"], given.repeats)
    firsts = [_first_model() for _ in range(given.runs)]
    figures = [
        Figure(what="`autoglm --help`", value=ours, target=HELP_SECONDS, note=f"{ours / python:.1f} x an empty Python, {ours / pip:.2f} x pip"),
        Figure(what="`python -c pass`", value=python),
        Figure(what="`pip --version`", value=pip, note=f"{pip / python:.1f} x an empty Python"),
        Figure(what="first scored model on titanic", value=statistics.median(firsts), target=FIRST_MODEL_SECONDS, note=_spread(firsts)),
    ]  # fmt: skip
    publish(
        page("Start-up", figures, f"Medians of {given.repeats} starts and {given.runs} runs."),
        "startup",
        write=given.write,
    )


def _median(words: list[str], repeats: int) -> float:
    run(*words)  # files come from the disk once
    return statistics.median(run(*words).seconds for _ in range(repeats))


def _first_model() -> float:
    """Return the seconds from the start of the command to its first attempt with a complete score."""
    with scratch() as folder:
        out = folder / "run"
        words = [
            autoglm(),
            "run",
            TITANIC_PROMPT,
            "--data",
            str(TITANIC),
            "--time",
            f"{BUDGET_SECONDS}s",
            "--yes",
            "--quiet",
        ]
        began = time.time()
        process = subprocess.Popen([*words, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while process.poll() is None and _first_score(out) is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)  # a first one: finish with the best so far
            process.wait(timeout=2 * BUDGET_SECONDS)
        finally:
            process.kill()
        scored = _first_score(out)
        if scored is None:
            sys.exit(f"No model within {BUDGET_SECONDS} s: is anything else running here?")
        return scored - began


def _first_score(out: Path) -> float | None:
    for event in read_events(out / "events.jsonl"):
        data = event["data"]
        if event["event"] == "attempt.finished" and isinstance(data, dict) and data.get("mean") is not None:
            return float(str(event["time"]))
    return None


def _spread(seconds: list[float]) -> str:
    return f"{min(seconds):.1f} to {max(seconds):.1f} s"


if __name__ == "__main__":
    main()
