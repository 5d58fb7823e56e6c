"""What was found, for readers: a table of programs by backends, and a record for machines."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from open_autoglm.evals.containment.runner import Outcome


class Figures(BaseModel):
    """The counts of one backend."""

    backend: str
    tier: str
    hostile: int
    contained: int
    innocent: int
    worked: int
    must_be_named: int
    named: int
    left_out: int


def figures(outcomes: Sequence[Outcome]) -> list[Figures]:
    """Count for each backend, in the order they ran."""
    return [_figures(name, [o for o in outcomes if o.backend == name]) for name in _backends(outcomes)]


def held(outcomes: Iterable[Outcome]) -> bool:
    """Whether every program that ran was contained, or worked where it is innocent."""
    return all(outcome.contained is not False for outcome in outcomes)


def as_text(outcomes: Sequence[Outcome]) -> str:
    """Return the table, then what went wrong, then the counts."""
    backends = _backends(outcomes)
    cells = {(outcome.program, outcome.backend): _cell(outcome) for outcome in outcomes}
    firsts = {outcome.program: outcome for outcome in outcomes}
    rows = [("row", "program", *backends)]
    rows += [(o.row, name, *(cells.get((name, backend), "") for backend in backends)) for name, o in firsts.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    wrong = [f"{o.backend}: {o.program}: {problem}" for o in outcomes if o.contained is False for problem in o.problems]
    unnamed = [
        f"{o.backend}: {o.program}: contained, but the report does not name it" for o in outcomes if o.named is False
    ]
    counts = [_sentence(item) for item in figures(outcomes)]
    return "\n".join([*table, "", *wrong, *unnamed, *([""] if wrong or unnamed else []), *counts])


def _backends(outcomes: Iterable[Outcome]) -> list[str]:
    return list(dict.fromkeys(outcome.backend for outcome in outcomes))


def _cell(outcome: Outcome) -> str:
    if outcome.contained is None:
        return "left out"
    good, bad = ("contained", "NOT CONTAINED") if outcome.kind == "hostile" else ("works", "FAILS")
    said = good if outcome.contained else bad
    return f"{said} ({outcome.status}{', unnamed' if outcome.named is False else ''})"


def _figures(backend: str, outcomes: list[Outcome]) -> Figures:
    ran = [outcome for outcome in outcomes if outcome.contained is not None]
    hostile = [outcome for outcome in ran if outcome.kind == "hostile"]
    innocent = [outcome for outcome in ran if outcome.kind == "innocent"]
    return Figures(
        backend=backend,
        tier=outcomes[0].tier,
        hostile=len(hostile),
        contained=sum(outcome.contained is True for outcome in hostile),
        innocent=len(innocent),
        worked=sum(outcome.contained is True for outcome in innocent),
        must_be_named=sum(outcome.named is not None for outcome in hostile),
        named=sum(outcome.named is True for outcome in hostile),
        left_out=len(outcomes) - len(ran),
    )


def _sentence(counts: Figures) -> str:
    return (
        f"{counts.backend} ({counts.tier}): {counts.contained} of {counts.hostile} hostile programs contained, "
        f"{counts.worked} of {counts.innocent} innocent ones work, {counts.named} of {counts.must_be_named} attempts named, "
        f"{counts.left_out} left out."
    )
