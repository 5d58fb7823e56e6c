"""Draws what docs/ shows of the code: both graphs in architecture.md, and the schema of settings files.

`make docs` runs it; tests/test_architecture.py fails when what is committed is not what the code says.
"""

import json
from pathlib import Path

from open_autoglm.agents.graph import build_run_graph, build_worker_graph
from open_autoglm.settings import settings_schema

DOCS = Path(__file__).parent
PAGE = DOCS / "architecture.md"
SCHEMA = DOCS / "settings.schema.json"
BEGIN, END = "<!-- drawn: {name} -->", "<!-- end of drawn -->"


def drawings() -> dict[str, str]:
    """Return the name of each marked section of the page and the Mermaid picture that belongs there."""
    run = build_run_graph().compile().get_graph().draw_mermaid(with_styles=False)
    worker = build_worker_graph().compile().get_graph().draw_mermaid(with_styles=False)
    return {"run graph": _picture(run, "LR"), "worker graph": _picture(worker, "TD")}


def with_drawings(page: str) -> str:
    """Return the page with every marked section drawn anew.

    Raises:
        ValueError: The page lacks the mark of a drawing.
    """
    for name, picture in drawings().items():
        begin = BEGIN.format(name=name)
        before, mark, rest = page.partition(begin)
        _, end, after = rest.partition(END)
        if not (mark and end):
            raise ValueError(f"The page has no section between {begin!r} and {END!r}.")
        page = f"{before}{begin}\n{picture}\n{END}{after}"
    return page


def schema_text() -> str:
    """Return the JSON Schema of settings files as it is published."""
    return json.dumps(settings_schema(), ensure_ascii=False, indent=2) + "\n"


def _picture(mermaid: str, direction: str) -> str:
    """Return the picture as a Markdown block, with ends that are not taken for emphasis."""
    text = mermaid.strip().replace("graph TD;", f"graph {direction};").replace("\t", "    ")
    return f"```mermaid\n{text.replace('__start__', 'START').replace('__end__', 'END')}\n```"


if __name__ == "__main__":
    PAGE.write_text(with_drawings(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")
