"""What a prompt says of a table before the task is known: its columns, and hardly more."""

from collections.abc import Iterator

from open_autoglm.agents.glm.sharing.cleaning import quoted
from open_autoglm.agents.glm.sharing.disclosure import Share
from open_autoglm.agents.glm.sharing.numbers import about, percent
from open_autoglm.agents.glm.sharing.shared import Shared, as_data
from open_autoglm.agents.strategist import Request
from open_autoglm.tools.data.sketch import ColumnSketch
from open_autoglm.tools.task import SourceRole

MOST_COLUMNS = 150
_FEW = 20
"""Up to here the number of distinct values is told as it is: it says what kind of task a column makes."""


def request_card(request: Request, share: Share) -> Shared:
    """Tell of the training table: names and kinds of columns; from `summary` on also how many values they have and lack."""
    table = request.tables[SourceRole.TRAIN]
    lines = [f"table: {len(table.columns):,} columns" + ("" if share == "schema" else f", {about(table.rows)} rows")]
    lines += [_line(column, share) for column in table.columns[:MOST_COLUMNS]]
    lines += _rest(table.columns[MOST_COLUMNS:])
    return as_data("\n".join(lines))


def _line(column: ColumnSketch, share: Share) -> str:
    told = f"{quoted(column.name)}: {column.kind.value}"
    if share == "schema":
        return told
    values = str(column.distinct) if column.distinct <= _FEW else about(column.distinct)
    gaps = f", {percent(column.missing_fraction)} missing" if column.missing_fraction else ""
    return f"{told}, {values} values{gaps}"


def _rest(columns: tuple[ColumnSketch, ...]) -> Iterator[str]:
    """Name the last ones, where targets often stand, and count what is between."""
    if columns:
        last = columns[-10:]
        yield f"{len(columns) - len(last):,} more columns, and at the end: {', '.join(quoted(c.name) for c in last)}"
