"""From the user's files to the tables of a run, each with its role."""

import re
from pathlib import Path

import pandas as pd

from open_autoglm.agents.deps import Deps
from open_autoglm.agents.strategist import Request
from open_autoglm.agents.workspace import Workspace
from open_autoglm.errors import InputError
from open_autoglm.tools.data.read import Table, read_table, sketch, tables_given
from open_autoglm.tools.data.schema import InputSchema, check_new_rows
from open_autoglm.tools.task import Source, SourceRole
from open_autoglm.tools.words import said

SUBMISSION_WORDS = ("sample_submission", "samplesubmission", "gender_submission", "sample-submission")
PREDICT_WORDS = ("test", "predict", "new", "unlabelled", "unlabeled", "score")
TAKEN_FOR_MISSING = ("NA", "N/A", "n/a", "None", "NULL", "null")
"""Words that pandas takes for a gap and that a person may mean as the name of a class."""

_ROLE_WORDS = {
    SourceRole.TRAIN: "training data",
    SourceRole.PREDICT: "rows to hold out or to predict",
    SourceRole.SAMPLE_SUBMISSION: "a sample submission",
}


def read_tables(deps: Deps) -> dict[SourceRole, Table]:
    """Read every file of the run.

    Raises:
        InputError: A file cannot be read, or the files' roles are not clear.
    """
    options = deps.workspace.options
    data = [table for number, path in enumerate(options.data) for table in _tables(deps, path, str(number))]
    paths: dict[SourceRole, Path] = {}
    for path in data:
        _give_role(paths, _role_by_name(path, several=len(data) > 1), path)
    if SourceRole.TRAIN not in paths:
        names = ", ".join(str(path) for path in data)
        raise InputError(f"None of {names} looks like training data; give the training file alone with --data.")
    if options.test is not None:
        for path in _tables(deps, options.test, "test"):
            _give_role(paths, SourceRole.PREDICT, path)
    return {role: read_table(_source(deps, path), role=role, read=options.read) for role, path in paths.items()}


def _give_role(paths: dict[SourceRole, Path], role: SourceRole, path: Path) -> None:
    """Note what a file is for.

    Raises:
        InputError: Another file has that role.
    """
    if role in paths:
        raise InputError(
            f"Both {str(paths[role])!r} and {str(path)!r} look like {_ROLE_WORDS[role]}. Give one training file with --data "
            "and the rows to hold out or to predict with --test; join or append tables beforehand. "
            "Of an archive, --read member=NAME takes one table."
        )
    paths[role] = path


def _tables(deps: Deps, path: Path, name: str) -> list[Path]:
    """Return the tables that the user gave by one path: several where it is an archive of them."""
    if str(path) in deps.frames:
        return [path]
    folder = deps.workspace.root / "data" / "unpacked" / name
    return tables_given(path, folder, member="member" in deps.workspace.options.read)


def _source(deps: Deps, path: Path) -> "Path | pd.DataFrame":
    return deps.frames.get(str(path), path)


def _role_by_name(path: Path, *, several: bool) -> SourceRole:
    name = path.name.lower()
    if any(word in name for word in SUBMISSION_WORDS):
        return SourceRole.SAMPLE_SUBMISSION
    if several and not set(PREDICT_WORDS).isdisjoint(re.split(r"[-_.]", name)):  # also `test.csv.gz`
        return SourceRole.PREDICT
    return SourceRole.TRAIN


def request_for(deps: Deps, tables: dict[SourceRole, Table]) -> Request:
    """Return the request that the strategist is to understand."""
    options = deps.workspace.options
    return Request(
        prompt=options.prompt,
        tables={role: sketch(table.frame, Path(table.source.uri).stem) for role, table in tables.items()},
        target=options.target,
        metric=options.metric,
        budget=options.budget,
    )


def settle_test_role(tables: dict[SourceRole, Table], target: str) -> dict[SourceRole, Table]:
    """Return the tables with `--test` as the holdout where it has labels, and as rows to predict where it has none."""
    given = tables.get(SourceRole.PREDICT)
    if given is None or target not in given.frame or not given.frame[target].notna().any():
        return tables
    others: dict[SourceRole, Table] = {role: table for role, table in tables.items() if role is not SourceRole.PREDICT}
    source = given.source.model_copy(update={"role": SourceRole.TEST})
    return {**others, SourceRole.TEST: Table(frame=given.frame, source=source, warnings=given.warnings)}


def lost_labels(source: Source, target: str) -> str:
    """Return which words in the target column were read as missing, and how to keep them; empty without any.

    Somebody's class may be called "None" or "NA", which pandas takes for a gap.
    """
    if source.format not in ("csv", "excel") or "keep_default_na" in source.read:
        return ""
    read = {key: value for key, value in source.read.items() if key != "na_values"}
    written = (
        read_table(Path(source.uri), read={**read, "keep_default_na": False}).frame[target].astype("str").str.strip()
    )
    counts = written[written.isin(TAKEN_FOR_MISSING)].value_counts()
    if counts.empty:
        return ""
    return said(
        "In the target column {target!r} these texts were read as missing: {words}. To keep them as a class, add --read keep_default_na=false",
        target=target, words=[said("{word!r} ({count} rows)", word=word, count=count) for word, count in counts.items()],
    )  # fmt: skip


def as_trained(workspace: Workspace, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows of another table with the columns and types of the training table, and what had to be changed, in words.

    Raises:
        InputError: No rows, or most of the columns to predict from are missing.
    """
    return check_new_rows(frame, input_schema(workspace))


def input_schema(workspace: Workspace) -> InputSchema:
    """Return what new rows must look like."""
    source = next(source for source in workspace.task.sources if source.role is SourceRole.TRAIN)
    return InputSchema.of(workspace.train, workspace.task, source)
