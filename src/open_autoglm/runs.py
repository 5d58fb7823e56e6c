"""The runs on this machine: the table of `autoglm runs`, and their removal."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from open_autoglm.columns import aligned
from open_autoglm.errors import RunDirectoryError
from open_autoglm.events import Json
from open_autoglm.progress import number
from open_autoglm.show import look_at, run_id_of
from open_autoglm.tools.export.words import size_text
from open_autoglm.tools.places import short


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run in the table."""

    run_id: str
    run_dir: str
    status: str
    target: str | None
    metric: str | None
    score: float | None
    """On the holdout; without one, in cross-validation."""
    started: str | None
    """ISO 8601, UTC."""
    size_bytes: int


def list_runs(root: Path) -> list[RunRow]:
    """Return the runs right below `root`, latest first; folders that are no runs are left out."""
    if not root.is_dir():
        return []
    rows = [row for folder in root.iterdir() if folder.is_dir() and (row := _row(folder)) is not None]
    return sorted(rows, key=lambda row: (row.started or "", row.run_id), reverse=True)


def _row(run_dir: Path) -> RunRow | None:
    if not (run_dir / "run.json").exists():
        return None
    try:
        view = look_at(run_dir, attempts=False)
    except RunDirectoryError:
        return RunRow(
            run_id=run_dir.name, run_dir=str(run_dir.absolute()), status="damaged", target=None, metric=None, score=None,
            started=None, size_bytes=size_of(run_dir),
        )  # fmt: skip
    score = view.outcome.score if view.outcome else None
    return RunRow(
        run_id=view.run_id,
        run_dir=str(view.run_dir),
        status=view.status,
        target=view.task.target if view.task else None,
        metric=view.task.metric.name if view.task else None,
        score=None if score is None else score.cv_mean if score.holdout is None else score.holdout,
        started=view.started.isoformat() if view.started else None,
        size_bytes=size_of(run_dir),
    )


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118 - a Path per file takes three times as long
            except OSError:
                continue
    return total


def as_records(rows: Sequence[RunRow]) -> list[Json]:
    """Return the array that `runs --json` prints."""
    return [asdict(row) for row in rows]


def as_table(rows: Sequence[RunRow], root: Path) -> str:
    """Return the table for a reader."""
    if not rows:
        return f"No runs in {short(root)}."
    cells = [("RUN", "STATUS", "TARGET", "METRIC", "SCORE", "STARTED (UTC)", "SIZE"), *map(_cells, rows)]
    return "\n".join(aligned(cells))


def _cells(row: RunRow) -> tuple[str, ...]:
    score = "" if row.score is None else number(row.score)
    started = "" if row.started is None else row.started[:16].replace("T", " ")
    return (
        short(Path(row.run_dir)),
        row.status,
        row.target or "",
        row.metric or "",
        score,
        started,
        size_text(row.size_bytes),
    )


def remove_run(run_dir: Path) -> None:
    """Delete a run directory and nothing else. Its header goes last, so that an interrupted removal can be repeated.

    Raises:
        RunDirectoryError: It is a link, no run directory, one that this process stands in, or it cannot be deleted.
    """
    check_removable(run_dir)
    try:
        for path in _contents(run_dir):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        run_dir.rmdir()
    except OSError as error:
        raise RunDirectoryError(
            f"{short(run_dir)} could not be deleted completely ({error.strerror}: {error.filename})."
        ) from None


def check_removable(run_dir: Path) -> str:
    """Return the id of a run that may be deleted.

    Raises:
        RunDirectoryError: It may not.
    """
    if run_dir.is_symlink():
        raise RunDirectoryError(f"{str(run_dir)!r} is a link. Name the run directory itself.")
    run_id = run_id_of(run_dir)
    here = run_dir.resolve()
    if Path.cwd().resolve().is_relative_to(here):
        raise RunDirectoryError(f"{str(run_dir)!r} holds the working directory. Leave it first.")
    return run_id


def _contents(run_dir: Path) -> Iterator[Path]:
    header = run_dir / "run.json"
    yield from [path for path in run_dir.iterdir() if path != header]
    yield header
