"""What was found, for readers at a terminal: a table of programs by ways of backends, and the counts."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from open_autoglm.evals.containment.runner import Outcome


class Figures(BaseModel):
    """The counts of one way of one backend."""

    backend: str
    tier: str
    hostile: int
    contained: int
    innocent: int
    worked: int
    must_be_named: int
    named: int
    left_out: int
    seconds: float


def figures(outcomes: Sequence[Outcome]) -> list[Figures]:
    """Count for each way of each backend, in the order they ran."""
    return [_figures([o for o in outcomes if o.tier == tier]) for tier in tiers(outcomes)]


def held(outcomes: Iterable[Outcome]) -> bool:
    """Whether every program that ran was contained, or worked where it is innocent."""
    return all(outcome.contained is not False for outcome in outcomes)


def as_text(outcomes: Sequence[Outcome]) -> str:
    """Return the table, then what went wrong, then the counts."""
    rows = cells(outcomes)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    found = [*wrong(outcomes), *unnamed(outcomes)]
    counts = [sentence(item) for item in figures(outcomes)]
    return "\n".join([*table, "", *found, *([""] if found else []), *counts])


def cells(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Return the table: a line for each program, a column for each way, after a line of headings."""
    columns = tiers(outcomes)
    said = {(outcome.program, outcome.tier): _cell(outcome) for outcome in outcomes}
    firsts = {outcome.program: outcome for outcome in reversed(outcomes)}
    order = dict.fromkeys(outcome.program for outcome in outcomes)
    rows = [(firsts[name].row, name, *(said.get((name, tier), "") for tier in columns)) for name in order]
    return [("row", "program", *columns), *rows]


def wrong(outcomes: Iterable[Outcome]) -> list[str]:
    """Return what went wrong, a sentence each."""
    return [f"{o.tier}: {o.program}: {problem}" for o in outcomes if o.contained is False for problem in o.problems]


def unnamed(outcomes: Iterable[Outcome]) -> list[str]:
    """Return what no report names, a sentence each."""
    return [f"{o.tier}: {o.program}: contained, but the report does not name it" for o in outcomes if o.named is False]


def left_out(outcomes: Iterable[Outcome]) -> list[str]:
    """Return what did not run and why, a sentence each."""
    return [f"{o.tier}: {o.program}: {'; '.join(o.problems)}" for o in outcomes if o.contained is None]


def tiers(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the ways of the backends in the order they ran."""
    return list(dict.fromkeys(outcome.tier for outcome in outcomes))


def _cell(outcome: Outcome) -> str:
    if outcome.contained is None:
        return "left out" if outcome.promised else f"not promised ({outcome.status})"
    good, bad = ("contained", "NOT CONTAINED") if outcome.kind == "hostile" else ("works", "FAILS")
    said = good if outcome.contained else bad
    return f"{said} ({outcome.status}{', unnamed' if outcome.named is False else ''})"


def _figures(outcomes: list[Outcome]) -> Figures:
    ran = [outcome for outcome in outcomes if outcome.contained is not None]
    hostile = [outcome for outcome in ran if outcome.kind == "hostile"]
    innocent = [outcome for outcome in ran if outcome.kind == "innocent"]
    return Figures(
        backend=outcomes[0].backend,
        tier=outcomes[0].tier,
        hostile=len(hostile),
        contained=sum(outcome.contained is True for outcome in hostile),
        innocent=len(innocent),
        worked=sum(outcome.contained is True for outcome in innocent),
        must_be_named=sum(outcome.named is not None for outcome in hostile),
        named=sum(outcome.named is True for outcome in hostile),
        left_out=len(outcomes) - len(ran),
        seconds=round(sum(outcome.seconds for outcome in outcomes), 1),
    )


def sentence(counts: Figures) -> str:
    """Return the counts of one way in words."""
    return (
        f"{counts.tier}: {counts.contained} of {counts.hostile} hostile programs contained, "
        f"{counts.worked} of {counts.innocent} innocent ones work, {counts.named} of {counts.must_be_named} attempts named, "
        f"{counts.left_out} left out."
    )
