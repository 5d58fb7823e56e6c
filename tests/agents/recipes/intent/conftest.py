"""The made tables of examples/, and a short way to have a sentence understood."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from open_autoglm.agents.recipes.intent import understand
from open_autoglm.agents.strategist import Request, Understanding
from open_autoglm.tools.data.profile import ColumnKind
from open_autoglm.tools.data.read import ColumnSketch, TableSketch
from open_autoglm.tools.task import SourceRole

EXAMPLES = Path(__file__).parents[4] / "examples"


def column(
    name: str, kind: str, *, levels: tuple[Any, ...] = (), distinct: int | None = None, rows: int = 1000
) -> ColumnSketch:
    """A sketch of a column; the number of distinct values follows from its kind where none is given."""
    usual = {"identifier": rows, "text": int(rows * 0.9), "constant": 1, "empty": 0}.get(kind, max(2, rows // 3))
    count = len(levels) if levels else (usual if distinct is None else distinct)
    return ColumnSketch(
        name=name, kind=ColumnKind(kind), distinct=count, missing_fraction=0.0, levels=levels, examples=()
    )


@pytest.fixture(scope="session")
def tables() -> dict[str, TableSketch]:
    """The tables of examples/intents_tables.json."""
    described = json.loads((EXAMPLES / "intents_tables.json").read_text(encoding="utf-8"))
    return {
        name: TableSketch(
            name=name,
            rows=table["rows"],
            columns=tuple(
                column(
                    c["name"],
                    c["kind"],
                    levels=tuple(c.get("levels", ())),
                    distinct=c.get("distinct"),
                    rows=table["rows"],
                )
                for c in table["columns"]
            ),
        )
        for name, table in described.items()
    }


Understand = Callable[..., Understanding]


@pytest.fixture
def understood(tables: dict[str, TableSketch]) -> Understand:
    """`understood(prompt, table, answers, **request)`, where table is a made one by name or a list of columns."""

    def run(
        prompt: str, table: str | list[ColumnSketch], answers: Mapping[str, str] | None = None, **request: Any
    ) -> Understanding:
        sketch = tables[table] if isinstance(table, str) else TableSketch(name="made", rows=1000, columns=tuple(table))
        return understand(Request(prompt=prompt, tables={SourceRole.TRAIN: sketch}, **request), answers or {})

    return run
