"""Predict new rows with the model in this folder.

    python predict.py new.csv -o out.csv [--keep] [--trust]

Without -o the predictions for new.csv go to new-predictions.csv in the working directory.

Stands alone: it needs the files beside it and the packages of requirements.lock. One line comes out per line that goes in,
in the same order: the columns that name rows, `prediction`, and for a classification the probability of every class.
"""

import argparse
import hashlib
import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from runtime import Context, Task, read_table, to_frame, to_matrix

FOLDER = Path(__file__).resolve().parent
MOST_MISSING = 0.5
"""Share of the expected columns without which a table is taken for the wrong one."""


class Refused(Exception):
    """What was asked cannot be done; the message says what to do instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(description="Predict new rows with the model in this folder.")
    parser.add_argument("rows", help="table of new rows: .csv as in training, .parquet, .json, .jsonl or .xlsx")
    parser.add_argument(
        "-o",
        "--output",
        "--out",
        dest="out",
        help="where the predictions go (default: NAME-predictions.csv for NAME.csv)",
    )
    parser.add_argument("--keep", action="store_true", help="pass all input columns through")
    parser.add_argument("--trust", action="store_true", help="load a model whose files can run code, or were changed")
    options = parser.parse_args(arguments)
    try:
        manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
        check_model(manifest, trust=options.trust)
        table = predict_table(read_rows(Path(options.rows), manifest), manifest, keep=options.keep)
        out = Path(options.out or f"{Path(options.rows).stem}-predictions.csv")
        write(table, out)
    except (Refused, OSError) as error:
        say(f"error: {error}")
        return 2
    say(f"{len(table)} predictions in {out}")
    return 0


def say(text: str) -> None:
    """Write a line for people; the predictions go to a file."""
    sys.stderr.write(f"{text}\n")


def check_model(manifest: Mapping[str, Any], *, trust: bool) -> None:
    """Refuse a model that was changed since it was delivered, or whose files can run code that nobody read."""
    if trust:
        return
    for name, entry in manifest["files"].items():
        path = FOLDER / name
        if name.startswith("model/") and (
            not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]
        ):
            raise Refused(
                f"{name} is not the file that was delivered. Restore it, or add --trust if you changed it yourself."
            )
    if manifest["loading_runs_code"] and manifest["author"] != "recipes":
        raise Refused(
            "loading this model runs code from its files, and that code was written by a language model or came from a file. "
            "Read solution.py, then add --trust; `autoglm predict` runs it in a sandbox instead."
        )


def read_rows(path: Path, manifest: Mapping[str, Any]) -> pd.DataFrame:
    """Read new rows with the options that the training table was read with."""
    source = manifest["input"]["source"]
    read = {key: value for key, value in source["read"].items() if source["format"] == "csv" and key != "member"}
    if not path.is_file():
        raise Refused(f"there is no file {str(path)!r}.")
    suffix = path.suffix.lower()
    try:
        if suffix in {".json", ".jsonl", ".ndjson"}:
            text = path.read_text(encoding="utf-8")
            frame = pd.DataFrame(
                json.loads(text)
                if suffix == ".json"
                else [json.loads(line) for line in text.splitlines() if line.strip()]
            )
        elif suffix in {".xlsx", ".xls"}:
            frame = pd.read_excel(path, sheet_name=source["read"].get("sheet", 0) if source["format"] == "excel" else 0)
        else:
            frame = read_table(path, {"low_memory": False, **read})
    except (ValueError, UnicodeError) as error:
        raise Refused(f"{str(path)!r} cannot be read as a table: {error}") from error
    frame.columns = [str(name) for name in frame.columns]
    if frame.empty:
        raise Refused(f"{str(path)!r} has no rows to predict.")
    return frame


def fit_columns(frame: pd.DataFrame, expected: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the columns that the model knows, in its order and types; a missing one is filled with missing values."""
    features = [column["name"] for column in expected if column["feature"]]
    missing = [name for name in features if name not in frame.columns]
    if len(missing) > MOST_MISSING * len(features):
        names = ", ".join(missing[:5])
        raise Refused(f"this table lacks {len(missing)} of the {len(features)} columns that the model needs: {names}.")
    if missing:
        say(f"warning: not in the table, taken as missing: {', '.join(missing[:20])}")
    empty = pd.Series(float("nan"), index=frame.index)
    columns = {c["name"]: as_trained(frame.get(c["name"], empty), c["dtype"]) for c in expected}
    return pd.DataFrame(columns, index=frame.index)


def as_trained(values: pd.Series, dtype: str) -> pd.Series:
    """Give a column the type it had in training, where it came with another: a gap turned whole numbers into fractions, say."""
    text = isinstance(values.dtype, pd.StringDtype) or values.dtype == object
    if values.isna().all():
        empty = {"string": "str", "boolean": "object", "datetime": "datetime64[us]", "timedelta": "timedelta64[us]"}
        return pd.Series([None] * len(values), index=values.index, dtype=empty.get(dtype, "float64"))
    if dtype == "string" and not isinstance(values.dtype, pd.StringDtype):
        return as_text(values)
    if dtype in {"integer", "number"} and text:
        return pd.to_numeric(values.astype("str").str.strip(), errors="coerce").astype("float64")
    if dtype in {"integer", "number"} and values.dtype == bool:
        return values.astype("int64")
    if dtype == "boolean" and values.dtype != bool:
        words = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
        found = values.astype("str").str.strip().str.lower().map(words).astype(object)
        return found.astype(bool) if found.notna().all() else found.where(found.notna(), None)
    if dtype == "datetime" and text:
        return pd.to_datetime(values, errors="coerce", format="ISO8601")
    return values


def as_text(values: pd.Series) -> pd.Series:
    """Write numbers as a file has them: whole ones without `.0`, also where a gap made them fractions."""
    present = values.dropna()
    if values.dtype.kind == "f" and (present % 1 == 0).all() and present.abs().max() < 2**53:
        return values.map(lambda value: str(int(value)), na_action="ignore").astype("str")
    return values.astype("str").where(values.notna())


def predict_table(frame: pd.DataFrame, manifest: Mapping[str, Any], *, keep: bool) -> pd.DataFrame:
    """Return one row per row of the frame, in order."""
    solution = importlib.import_module("solution")
    task = Task.of(manifest["task"])
    params = {**getattr(solution, "PARAMS", {}), **(manifest["params"] or {})}
    ctx = Context(task=task, params=params, seed=manifest["seed"], n_jobs=os.cpu_count() or 1, work_dir=Path.cwd())
    rows = fit_columns(frame, manifest["input"]["columns"])
    made = to_frame(to_matrix(solution.predict(load_model(solution), rows, ctx), task, len(rows)), task)
    names = {name.casefold() for name in task.columns.get("id") or ()}
    passed = frame.loc[:, [keep or name.casefold() in names for name in frame.columns]].reset_index(drop=True)
    passed = passed.rename(columns={name: f"{name}_input" for name in passed.columns if name in made.columns})
    return pd.concat([passed, made], axis=1)


def load_model(solution: Any) -> Any:
    """Load the fitted model as it was saved: by the solution's own `load`, else by joblib."""
    if hasattr(solution, "load"):
        return solution.load(FOLDER / "model")
    return importlib.import_module("joblib").load(FOLDER / "model" / "model.joblib")


def write(table: pd.DataFrame, path: Path) -> None:
    """Write the predictions whole or not at all; a device or a pipe is written to."""
    if path.exists() and not path.is_file():
        table.to_csv(path, index=False)
        return
    place = path.resolve()
    temporary = place.with_name(f".{place.name}.part")
    table.to_csv(temporary, index=False)
    temporary.replace(place)


if __name__ == "__main__":
    sys.exit(main())
