"""A made suite of three small sets, and a program that plays the product."""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from open_autoglm.evals.suite import DataSet, Suite, load_suite

FAKE = (sys.executable, "-S", str(Path(__file__).with_name("fake_autoglm.py")))

WriteSet = Callable[..., DataSet]


@pytest.fixture
def command() -> tuple[str, ...]:
    return FAKE


@pytest.fixture
def write_set(tmp_path: Path) -> WriteSet:
    """Write one set into the suite folder and return it as loaded."""

    def write(name: str, text: str, *, rows: int, file: str = "data.csv", **changes: Any) -> DataSet:
        folder = tmp_path / "suite" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(text.encode(changes.get("read", {}).get("encoding", "utf-8")))
        meta: dict[str, Any] = {
            "name": name,
            "task": "binary",
            "target": "y",
            "positive": "yes",
            "metric": "roc_auc",
            "rows": rows,
            "split": {"kind": "hash5"},
            "prompt_en": f"Predict y in {file}.",
            "prompt_zh": "请预测 y。",
            "reference_scores": {"constant": 0.5, "linear": 0.75},
            "baseline": "constant",
            "best_reference": "linear",
            "files": [{"file": file, "bytes": 1, "sha256": hashlib.sha256((folder / file).read_bytes()).hexdigest()}],
            "source": [{"repo": "made/up", "commit": "0123456789abcdef", "path": file}],
            "traits": ["made"],
            **changes,
        }
        (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        return next(item for item in load_suite(tmp_path / "suite").sets if item.name == name)

    return write


@pytest.fixture
def suite(write_set: WriteSet, tmp_path: Path) -> Suite:
    """Two sets that can be measured and one that cannot."""
    votes = "".join(f"{i},{'a b' if i % 2 else 'c,d'!r},{'yes' if i % 3 == 0 else 'no'}\n" for i in range(60))
    write_set("votes", "id,x,y\n" + votes.replace("'", '"'), rows=60, metric="accuracy")
    prices = "".join(f"{i},{i * 1.5}\n" for i in range(50))
    write_set(
        "prices", "n,y\n" + prices, rows=50, task="regression", metric="mae", positive=None,
        split={"kind": "hash5", "test_folds": [0, 1]}, reference_scores={"constant": 20.0, "linear": 1.0},
    )  # fmt: skip
    write_set("loads", "t,y\n1,2\n", rows=1, task="forecast", metric="mase", split={"kind": "rolling_origin"})
    return load_suite(tmp_path / "suite")
