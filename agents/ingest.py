"""From the user's files to the tables of a run, each with its role."""

from pathlib import Path

import pandas as pd

from open_autoglm.agents.deps import Deps
from open_autoglm.agents.strategist import Request
from open_autoglm.errors import InputError
from open_autoglm.tools.data.read import Table, read_table, sketch
from open_autoglm.tools.task import SourceRole

SUBMISSION_WORDS = ("sample_submission", "samplesubmission", "gender_submission", "sample-submission")
PREDICT_WORDS = ("test", "predict", "new", "unlabelled", "unlabeled", "score")


def read_tables(deps: Deps) -> dict[SourceRole, Table]:
    """Read every file of the run.

    Raises:
        InputError: A file cannot be read, or the files' roles are not clear.
    """
    options = deps.workspace.options
    tables: dict[SourceRole, Table] = {}
    for path in options.data:
        role = _role_by_name(path, several=len(options.data) > 1)
        if role in tables:
            raise InputError(
                f"Both {tables[role].source.uri!r} and {str(path)!r} look like {role.value} data. Give one training file "
                "with --data and the rows to hold out or to predict with --test; join or append tables beforehand."
            )
        tables[role] = read_table(_source(deps, path), role=role, read=options.read)
    if SourceRole.TRAIN not in tables:
        names = ", ".join(str(path) for path in options.data)
        raise InputError(f"None of {names} looks like training data; give the training file alone with --data.")
    if options.test is not None:
        tables[SourceRole.PREDICT] = read_table(_source(deps, options.test), role=SourceRole.PREDICT, read=options.read)
    return tables


def _source(deps: Deps, path: Path) -> "Path | pd.DataFrame":
    return deps.frames.get(str(path), path)


def _role_by_name(path: Path, *, several: bool) -> SourceRole:
    stem = path.stem.lower()
    if any(word in stem for word in SUBMISSION_WORDS):
        return SourceRole.SAMPLE_SUBMISSION
    if several and any(word in stem.replace("-", "_").split("_") for word in PREDICT_WORDS):
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
