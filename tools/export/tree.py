"""The search as a picture: every attempt a dot, every child to the right of what it was made from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from open_autoglm.tools.export.story import Attempt, RunStory
from open_autoglm.tools.export.svg import Board, number, shorten
from open_autoglm.tools.export.words import shown_name
from open_autoglm.tools.words import ENGLISH, Words

SHOWN = 60
"""Attempts drawn at most: the winner's line first, then the best."""
ROW = 44
COLUMN = 112


@dataclass(slots=True, kw_only=True)
class Tree:
    """Where each attempt stands: column by generation, row by line of descent."""

    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    rows: int = 0

    def place(self, attempt: Attempt, depth: int, children: dict[str, list[Attempt]]) -> None:
        """Place an attempt and everything made from it, without recursion: chains of improvements can be long."""
        stack = [(attempt, depth, True)]
        while stack:
            current, column, starts_row = stack.pop()
            if current.attempt_id in self.places:
                continue
            self.rows += starts_row
            self.places[current.attempt_id] = (column, self.rows - 1)
            following = children.get(current.attempt_id, [])
            # the first child goes on in its parent's row, so it is taken from the stack first
            stack += [(child, column + 1, position > 0) for position, child in reversed(list(enumerate(following)))]


def search_tree(story: RunStory, say: Words = ENGLISH) -> str:
    """Draw the tree of attempts; an empty string where there is one attempt or none."""
    chosen = _chosen(story)
    if len(chosen) < 2:
        return ""
    tree = _layout(chosen)
    width = max(760, 60 + COLUMN * (1 + max(column for column, _ in tree.places.values())))
    board = Board(
        width=width, height=ROW * tree.rows + 6, title=say("Search tree: attempts and what they were made from")
    )
    for attempt in chosen:
        for position, parent in enumerate(p for p in attempt.parents if p in tree.places):
            (x1, y1), (x2, y2) = _at(tree, parent), _at(tree, attempt.attempt_id)
            board.curve(x1, y1, x2, y2, "edge" if position == 0 else "edge-merge")
    line = _ancestors(story.best_attempt, {a.attempt_id: a for a in chosen})
    for attempt in chosen:
        _draw(board, attempt, _at(tree, attempt.attempt_id), story.best_attempt, line, say)
    return board.svg()


def _draw(board: Board, attempt: Attempt, place: tuple[float, float], best: str, line: set[str], say: Words) -> None:
    x, y = place
    is_best = attempt.attempt_id == best
    css = "mark-failed" if attempt.status != "scored" else "mark-best" if attempt.attempt_id in line else "mark-other"
    score = number(attempt.mean) if attempt.mean is not None else shown_name(attempt.status, say)
    operator = shown_name(attempt.operator, say)
    tip = f"{attempt.attempt_id} · {operator} · {attempt.title} · {score}"
    if is_best:
        board.dot(x, y, 10, "ring")
    board.dot(x, y, 6, css, tip=tip)
    board.text(x + 10, y - 7, shorten(score, 9), "label strong" if is_best else "label small")
    board.text(x + 10, y + 16, shorten(operator, 14), "label faint")


def _at(tree: Tree, attempt_id: str) -> tuple[float, float]:
    column, row = tree.places[attempt_id]
    return 18 + COLUMN * column, 22 + ROW * row


def _chosen(story: RunStory) -> list[Attempt]:
    """Return the attempts to draw in their order: with too many, the winner's line and the best ones with their lines."""
    by_id = {a.attempt_id: a for a in story.attempts}
    if len(by_id) <= SHOWN:
        return list(by_id.values())
    keep: set[str] = set()
    for attempt in story.ranked:
        if len(keep) == SHOWN:
            break
        line = _ancestors(attempt.attempt_id, by_id)
        if len(keep | line) <= SHOWN:
            keep |= line
    return [a for a in story.attempts if a.attempt_id in keep]


def _ancestors(attempt_id: str, by_id: dict[str, Attempt]) -> set[str]:
    found: set[str] = set()
    queue = [attempt_id]
    while queue:
        current = queue.pop()
        if current in by_id and current not in found:
            found.add(current)
            queue += by_id[current].parents
    return found


def _layout(attempts: Sequence[Attempt]) -> Tree:
    ids = {a.attempt_id for a in attempts}
    children: dict[str, list[Attempt]] = {}
    roots: list[Attempt] = []
    for attempt in attempts:
        first = next((p for p in attempt.parents if p in ids), None)
        (roots if first is None else children.setdefault(first, [])).append(attempt)
    tree = Tree()
    for root in roots:
        tree.place(root, 0, children)
    return tree
