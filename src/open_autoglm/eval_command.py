"""What `autoglm eval run` does: run a suite and print what was found."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from open_autoglm.errors import InputError, SandboxUnavailable, UnknownName
from open_autoglm.events import Json
from open_autoglm.front import Front

if TYPE_CHECKING:
    from open_autoglm.evals.containment.runner import Outcome
    from open_autoglm.sandbox.base import Sandbox

SUITES = ("sandbox",)


def eval_command(
    front: Front, suite: str, *, backends: Sequence[str], only: Sequence[str], out: Path | None, as_json: bool
) -> int:
    """Run a suite; 0 where everything held, else 1."""
    if suite not in SUITES:
        raise UnknownName("suite", suite, SUITES)
    if out is not None and not out.parent.is_dir():
        raise InputError(f"There is no folder {str(out.parent)!r} to write {out.name!r} into.")
    from open_autoglm.evals.containment.manifest import load_manifest  # noqa: PLC0415 - `--help` needs no suite
    from open_autoglm.evals.containment.runner import run_programs  # noqa: PLC0415 - likewise
    from open_autoglm.evals.containment.table import as_text, held  # noqa: PLC0415 - likewise

    programs = load_manifest().pick(tuple(only))
    outcomes: list[Outcome] = []
    for sandbox in _chosen(backends):
        front.terminal.tell(f"{sandbox.name}: {len(programs)} programs")
        outcomes += run_programs(sandbox, programs, listen=lambda outcome: _tell(front, outcome))
    record = _record(suite, outcomes)
    if out is not None:
        _store(record, out)
    if as_json:
        front.terminal.say_json(record)
    else:
        front.terminal.say(as_text(outcomes))
    return 0 if held(outcomes) else 1


def _chosen(names: Sequence[str]) -> "list[Sandbox]":
    """Return the named backends, or every one that is ready; a named one that is not ready is an error."""
    from open_autoglm.sandbox.bundle import Author  # noqa: PLC0415 - likewise
    from open_autoglm.sandbox.choice import backends, select_sandbox  # noqa: PLC0415 - loads the backends

    if names:
        return [select_sandbox(name, author=Author.USER) for name in names]
    ready = [sandbox for sandbox in backends() if sandbox.probe().ready]
    if not ready:
        raise SandboxUnavailable("No sandbox is ready here: `autoglm doctor` says why.")
    return ready


def _tell(front: Front, outcome: "Outcome") -> None:
    if outcome.contained is False:
        front.terminal.tell(f"{outcome.backend}: {outcome.program}: {'; '.join(outcome.problems)}")


def _record(suite: str, outcomes: "Sequence[Outcome]") -> dict[str, Json]:
    from open_autoglm.evals.containment.table import figures  # noqa: PLC0415 - see `eval_command`

    return {
        "suite": suite,
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "backends": [counts.model_dump(mode="json") for counts in figures(outcomes)],
        "outcomes": [outcome.model_dump(mode="json") for outcome in outcomes],
    }


def _store(record: dict[str, Json], path: Path) -> None:
    try:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
