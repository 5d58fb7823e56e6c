"""What `autoglm eval run` does: run a suite and print what was found."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from open_autoglm.errors import InputError, UnknownName
from open_autoglm.events import Json
from open_autoglm.front import Front

if TYPE_CHECKING:
    from open_autoglm.evals.containment.runner import Outcome

SUITES = ("sandbox",)


def eval_command(
    front: Front,
    suite: str,
    *,
    backends: Sequence[str],
    only: Sequence[str],
    quick: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    """Run a suite; 0 where everything held, else 1."""
    if suite not in SUITES:
        raise UnknownName("suite", suite, SUITES)
    if out is not None and not out.parent.is_dir():
        raise InputError(f"There is no folder {str(out.parent)!r} to write {out.name!r} into.")
    from open_autoglm.evals.containment.manifest import load_manifest  # noqa: PLC0415 - `--help` needs no suite
    from open_autoglm.evals.containment.runner import run_programs  # noqa: PLC0415 - likewise
    from open_autoglm.evals.containment.table import as_text, held  # noqa: PLC0415 - likewise
    from open_autoglm.evals.containment.ways import chosen  # noqa: PLC0415 - loads the backends
    from open_autoglm.sandbox.policy import default_policy  # noqa: PLC0415 - likewise

    manifest = load_manifest()
    programs = manifest.half() if quick and not only else manifest.pick(tuple(only))
    outcomes: list[Outcome] = []
    found: dict[str, dict[str, str]] = {}
    for way in chosen(backends):
        readiness = way(default_policy()).probe()
        if readiness.tier in found:  # another name for the same
            continue
        found[readiness.tier] = {name: _public(value) for name, value in readiness.details.items()}
        front.terminal.tell(f"{readiness.tier}: {len(programs)} programs")
        outcomes += run_programs(way, programs, listen=lambda outcome: _tell(front, outcome))
    record = _record(suite, outcomes, found)
    if out is not None:
        _store(record, out)
        if out.suffix == ".md":
            _write(out, _page(backends, only, outcomes, found, quick=quick))
    if as_json:
        front.terminal.say_json(record)
    else:
        front.terminal.say(as_text(outcomes))
    return 0 if held(outcomes) else 1


def _public(value: str) -> str:
    """Leave out where on this machine a program lies."""
    return Path(value).name if value.startswith("/") else value


def _tell(front: Front, outcome: "Outcome") -> None:
    if outcome.contained is False:
        front.terminal.tell(f"{outcome.tier}: {outcome.program}: {'; '.join(outcome.problems)}")


def _record(suite: str, outcomes: "Sequence[Outcome]", found: Mapping[str, Mapping[str, str]]) -> dict[str, Json]:
    from open_autoglm.evals.containment.table import figures  # noqa: PLC0415 - see `eval_command`

    return {
        "suite": suite,
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "sandboxes": {tier: dict(details) for tier, details in found.items()},
        "backends": [counts.model_dump(mode="json") for counts in figures(outcomes)],
        "outcomes": [outcome.model_dump(mode="json") for outcome in outcomes],
    }


def _page(
    backends: Sequence[str],
    only: Sequence[str],
    outcomes: "Sequence[Outcome]",
    found: Mapping[str, Mapping[str, str]],
    *,
    quick: bool,
) -> str:
    from open_autoglm.evals.containment.page import as_page  # noqa: PLC0415 - see `eval_command`

    words = [*(f"--backend {name}" for name in backends), *(f"--only {name}" for name in only)]
    command = " ".join(["autoglm eval run sandbox", *words, *(["--quick"] if quick else [])])
    return as_page(outcomes, command=command, sandboxes=found)


def _store(record: dict[str, Json], out: Path) -> None:
    """Write the record; beside a page it has the page's name."""
    _write(out.with_suffix(".json") if out.suffix == ".md" else out, json.dumps(record, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}.") from error
