"""Runs the installed product on every set of a suite, predicts the set's own test rows, and prints one table.

    python benchmarks/datasets.py SUITE_DIR --time 60s --sets titanic,diamonds --out docs/results/tables.md

SUITE_DIR holds a folder per set with its file and a meta.json (see open_autoglm.evals.suite). Results are also kept as lines of JSON
beside the page, so that `--against` can compare a later version with them, set by set.
"""

import argparse
import sys
from pathlib import Path

from bench import autoglm, provenance

from open_autoglm.durations import parse_duration
from open_autoglm.errors import AutoGLMError
from open_autoglm.evals.compare import by_set, paired
from open_autoglm.evals.report import NOTE, comparison, problems, sources, summary, table
from open_autoglm.evals.results import FoldResult, load_results, save_results
from open_autoglm.evals.runner import Setting, run_suite
from open_autoglm.evals.suite import Suite, load_suite
from open_autoglm.sandbox.supervision.folders import temporary


def main() -> None:
    """Measure, print, and write what `--out` names."""
    given = _arguments()
    suite = load_suite(given.suite).pick([name for name in given.sets.split(",") if name])
    setting = Setting(
        command=(autoglm(),), seconds=round(parse_duration(given.time)), language=given.language,
        tell_read=given.tell_read, options=tuple(given.option),
    )  # fmt: skip
    for item in suite.sets:
        if item.task_type is None:
            print(f"left out: {item.name} ({item.meta.task}): this version does not do it", file=sys.stderr)
    results: list[FoldResult] = []
    with temporary("benchmark") as scratch:
        work = given.keep or scratch
        for result in run_suite(suite, setting, work, first_fold_only=given.first_fold):
            results.append(result)
            print(
                f"{result.name} fold {result.fold}: {result.score} in {result.seconds:.0f} s {result.problem}",
                file=sys.stderr,
            )
            if given.out:
                save_results(results, given.out.with_suffix(".jsonl"))
    text = _page(suite, results, given.against)
    print(text)
    if given.out:
        given.out.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", type=Path, help="folder of the suite")
    parser.add_argument("--time", default="60s", help="budget of each run")
    parser.add_argument("--sets", default="", help="names, with commas; default: all")
    parser.add_argument(
        "--first-fold", action="store_true", help="one fold of each set, also where its definition has five"
    )
    parser.add_argument("--language", default="en", choices=["en", "zh"])
    parser.add_argument(
        "--tell-read", action="store_true", help="pass on how a file is read, instead of having it found out"
    )
    parser.add_argument("--option", action="append", default=[], help="a further word for `autoglm run` (repeatable)")
    parser.add_argument("--keep", type=Path, help="folder for the run directories; default: they are deleted")
    parser.add_argument("--against", type=Path, help="results (.jsonl) to compare with")
    parser.add_argument("--out", type=Path, help="page to write; lines of JSON go beside it")
    return parser.parse_args()


def _page(suite: Suite, results: list[FoldResult], against: Path | None) -> str:
    parts = ["# Data sets", provenance(), table(results), summary(results)]
    if against:
        parts.append(f"Against {against.name}: {comparison(paired(by_set(results), by_set(load_results(against))))}")
    if any(result.problem for result in results):
        parts.append("What went wrong:\n\n" + problems(results))
    ran = {result.name for result in results}
    parts += [NOTE, "The sets:\n\n" + sources([item for item in suite.sets if item.name in ran])]
    return "\n\n".join([*parts, ""])


if __name__ == "__main__":
    try:
        main()
    except AutoGLMError as error:
        sys.exit(f"error: {error}")
