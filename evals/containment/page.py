"""The table as a page of the documentation: what ran, where, on which commit, and the reason of everything that did not hold."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from open_autoglm.evals.containment.runner import Outcome
from open_autoglm.evals.containment.table import Figures, cells, figures, left_out, unnamed, wrong

ROOT = Path(__file__).parents[2]
_MARKS = {"contained": "✓", "works": "✓", "left": "–", "NOT": "**✗**", "FAILS": "**✗**"}
_NOTE = (
    "✓ contained, or works where the program is innocent; in brackets how the report says that it ended, and `unnamed` where it does not name "
    "what was attempted. – left out, **✗** not. Rows are those of the list of attacks; what a program does stands on top of its file in "
    "`evals/suites/sandbox/programs/`, what is expected of it in `manifest.json` there."
)


def as_page(outcomes: Sequence[Outcome], *, command: str, sandboxes: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page; `sandboxes` gives what each tier's probe found out, by name."""
    parts = [
        "# What the sandboxes hold",
        provenance(command),
        _table([_HEAD, *map(_counts, figures(outcomes))]),
        "\n".join(f"- {tier}: {_told(details)}" for tier, details in sandboxes.items()),
        _listed("Not contained, or not working", wrong(outcomes)),
        _listed("Not named", unnamed(outcomes)),
        _listed("Left out", left_out(outcomes)),
        "## Programs",
        _NOTE,
        _table([tuple(map(_marked, row)) for row in cells(outcomes)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def provenance(command: str) -> str:
    """Say by which command, of which commit, on which machine and when this was found."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    user = "root" if os.geteuid() == 0 else "an ordinary user"
    machine = f"{cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, as {user}"
    return (
        f"`{command}` on commit {_commit()}, {machine}, load average {load:.1f}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    )


def _commit() -> str:
    """Return the commit of the working tree, with a mark where it has changes; of an installed package nothing is known."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+changes", "--abbrev=10"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    except FileNotFoundError:  # no git here
        return "unknown"


_HEAD = ("tier", "hostile contained", "innocent work", "attempts named", "left out", "seconds")


def _counts(item: Figures) -> tuple[str, ...]:
    return (
        item.tier,
        f"{item.contained} of {item.hostile}",
        f"{item.worked} of {item.innocent}",
        f"{item.named} of {item.must_be_named}",
        str(item.left_out),
        f"{item.seconds:.0f}",
    )


def _told(details: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in details.items()) or "nothing to tell"


def _listed(title: str, sentences: Iterable[str]) -> str:
    lines = [f"- {' '.join(sentence.split()).replace('|', '/')}" for sentence in sentences]
    return "\n".join([f"{title}:", "", *lines]) if lines else f"{title}: nothing."


def _marked(cell: str) -> str:
    first, _, rest = cell.partition(" ")
    if first == "NOT":
        rest = rest.partition(" ")[2]
    return " ".join([_MARKS[first], rest.removeprefix("out")]).strip() if first in _MARKS else cell


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])
