"""Plays `autoglm` for the tests of the evaluation runner: learns the mean, or the class shares, of the last column.

`run ... --behave X` makes it misbehave: crash, mumble (no JSON), hang, or predict_short.
"""

import csv
import json
import sys
import time
from collections import Counter
from pathlib import Path


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def run(words: list[str]) -> int:
    behaviour = option(words, "--behave") if "--behave" in words else ""
    if behaviour == "crash":
        sys.stderr.write("some progress\nerror: the column 'x' is gone\n")
        return 1
    if behaviour == "hang":
        time.sleep(60)
    header, *rows = rows_of(Path(option(words, "--data")))
    labels = [row[-1] for row in rows]
    directory = Path(option(words, "--out"))
    directory.mkdir(parents=True)
    model = {"prompt": words[0], "header": header, "words": words, "behave": behaviour, "labels": labels}
    (directory / "model.json").write_text(json.dumps(model))
    if behaviour == "mumble":
        sys.stdout.write("done!")
        return 0
    score = {"metric": "m", "cv_mean": 0.5, "holdout": 0.4, "holdout_low": 0.3, "holdout_high": 0.6}
    sys.stdout.write(json.dumps({"status": "delivered", "score": score, "baseline": {"dummy": 0.1, "linear": 0.2}}))
    return 0


def predict(words: list[str]) -> int:
    model = json.loads((Path(words[0]) / "model.json").read_text())
    _, *rows = rows_of(Path(words[1]))
    if model["behave"] == "predict_short":
        rows = rows[1:]
    counts = Counter(model["labels"])
    numeric = len(counts) > 5
    with Path(option(words, "-o")).open("w", newline="") as file:
        writer = csv.writer(file)
        if numeric:
            mean = sum(map(float, model["labels"])) / len(model["labels"])
            writer.writerows([["prediction"], *[[mean] for _ in rows]])
        else:
            shares = {label: count / len(model["labels"]) for label, count in sorted(counts.items())}
            best = max(shares, key=lambda label: shares[label])
            writer.writerow(["prediction", *[f"proba_{label}" for label in shares]])
            writer.writerows([best, *shares.values()] for _ in rows)
    return 0


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    sys.exit({"run": run, "predict": predict}[command](rest))
