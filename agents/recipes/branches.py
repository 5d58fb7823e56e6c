"""Settles `if CHOICE:` in source text: keeps the side that holds, comments and all, and drops the other."""

import ast
from collections.abc import Mapping, Sequence


def keep_branches(source: str, choices: Mapping[str, bool]) -> str:
    """Return the source without any branch on a choice. Understands not, and, or; statements and `a if CHOICE else b`.

    What follows a kept branch that always returns is dropped with the rest.
    """
    while (edited := _settle_one(source, choices)) is not None:
        source = edited
    return source


def _settle_one(source: str, choices: Mapping[str, bool]) -> str | None:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp) and (side := _value(node.test, choices)) is not None:
            return _replace_expression(source, node, _text(source, node.body if side else node.orelse))
        if isinstance(node, ast.BoolOp) and _value(node, choices) is None:
            open_sides = [_text(source, part) for part in node.values if _value(part, choices) is None]
            if len(open_sides) < len(node.values):
                joined = (" and " if isinstance(node.op, ast.And) else " or ").join(open_sides)
                return _replace_expression(source, node, joined)
        for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if not isinstance(block, list):
                continue
            for position, statement in enumerate(block):
                if isinstance(statement, ast.If) and (side := _value(statement.test, choices)) is not None:
                    return _replace_statement(
                        source, block, position, keep=statement.body if side else statement.orelse
                    )
    return None


def _value(test: ast.expr, choices: Mapping[str, bool]) -> bool | None:
    """What the test comes to, or None where it hangs on more than choices."""
    if isinstance(test, ast.Name):
        return choices.get(test.id)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _value(test.operand, choices)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        sides = [_value(part, choices) for part in test.values]
        deciding = isinstance(test.op, ast.Or)  # one true side settles an `or`, one false side an `and`
        if deciding in sides:
            return deciding
        return None if None in sides else not deciding
    return None


def _text(source: str, node: ast.expr) -> str:
    text = ast.get_source_segment(source, node)
    assert text is not None
    return text


def _replace_expression(source: str, node: ast.expr, kept: str) -> str:
    lines = source.encode().split(b"\n")  # column offsets of the syntax tree count bytes
    assert node.end_lineno is not None
    head = lines[node.lineno - 1][: node.col_offset]
    tail = lines[node.end_lineno - 1][node.end_col_offset :]
    return b"\n".join([*lines[: node.lineno - 1], head + kept.encode() + tail, *lines[node.end_lineno :]]).decode()


def _replace_statement(source: str, block: Sequence[ast.stmt], position: int, *, keep: Sequence[ast.stmt]) -> str:
    lines, statement = source.split("\n"), block[position]
    assert isinstance(statement, ast.If)
    assert statement.end_lineno is not None
    last: ast.stmt = statement
    kept: list[str] = []
    if keep:
        first = _start(lines, keep[0], after=_header_end(lines, statement, keep))
        assert keep[-1].end_lineno is not None
        shift = keep[0].col_offset - statement.col_offset
        kept = [line[shift:] if line[:shift].isspace() else line for line in lines[first : keep[-1].end_lineno]]
        if isinstance(keep[-1], (ast.Return, ast.Raise)):
            last = block[-1]
    assert last.end_lineno is not None
    return "\n".join([*lines[: statement.lineno - 1], *kept, *lines[last.end_lineno :]])


def _header_end(lines: Sequence[str], statement: ast.If, keep: Sequence[ast.stmt]) -> int:
    """Index of the line after the `if` or `else` line that opens the kept side."""
    if keep is statement.body:
        assert statement.test.end_lineno is not None
        return statement.test.end_lineno
    index = keep[0].lineno - 1
    while not lines[index - 1].strip().startswith("else:"):
        index -= 1
    return index


def _start(lines: Sequence[str], node: ast.stmt, *, after: int) -> int:
    """Index of the first line of a statement with the comments above it, not going above `after`."""
    first = node.lineno - 1
    while first > after and lines[first - 1].strip().startswith("#"):
        first -= 1
    return first
