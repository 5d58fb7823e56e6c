"""The loop guard: what was written before is not executed again, and whoever writes is told what to leave.

Recipes are guarded by their content alone: they never write the same by another name, and know from the brief what was tried.
What a model writes is also compared but for comments and layout, with every code that a mend replaced, and by its change.
"""

import json
import sqlite3
from collections.abc import Sequence

from open_autoglm.agents.attempts import Attempt
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.likeness import code_key, edit_key, same_failure
from open_autoglm.agents.strategist import Mend, Operator, Refusal, RefusalKind
from open_autoglm.sandbox.bundles.bundle import Author, CodeBundle

TOLD = 12
"""Refusals that a brief holds at most."""
_SAME_CODE = """
SELECT id FROM (
    SELECT id, number FROM attempts WHERE code = ? AND params IS NULL AND operator NOT IN ('rerun', 'tune')
    UNION ALL SELECT a.id, a.number FROM mends JOIN attempts a ON a.id = mends.attempt WHERE mends.code = ?
) ORDER BY number LIMIT 1
"""
_VAIN_EDIT = """
SELECT id FROM attempts WHERE branch = ? AND edit = ? AND id != ?
AND (status = 'failed' OR (status IN ('scored', 'stopped') AND reward < 0.5)) ORDER BY number LIMIT 1
"""


def repeated(journal: Journal, attempt: Attempt, bundle: CodeBundle) -> Refusal | None:
    """Return why the code is not worth executing; None where it is new. `attempt` is as it was before it got this code."""
    like = journal.twin(attempt, bundle.content_hash)
    if like is None and bundle.content_hash == attempt.bundle:
        like = attempt.id
    if like is None and bundle.author is not Author.RECIPES:
        key = code_key(bundle)
        found = journal.rows(_SAME_CODE, key, key)
        like = found[0]["id"] if found else None
    if like is not None:
        return _refusal(RefusalKind.SAME_CODE, attempt, like, bundle.title)
    edit = edit_of(journal, attempt, bundle)
    vain = journal.rows(_VAIN_EDIT, attempt.branch, edit, attempt.id) if edit else []
    return _refusal(RefusalKind.SAME_EDIT, attempt, vain[0]["id"], bundle.title) if vain else None


def edit_of(journal: Journal, attempt: Attempt, bundle: CodeBundle) -> str:
    """Return the key of what an improvement by a model changed; empty for anything else, and for a mend."""
    if attempt.operator is not Operator.IMPROVE or attempt.bundle is not None or bundle.author is Author.RECIPES:
        return ""
    parent = journal.attempt(attempt.parents[0])
    return "" if parent.bundle is None else edit_key(journal.bundle(parent.bundle), bundle)


def note_error_again(journal: Journal, attempt: Attempt, problem: str) -> None:
    """Record that the last mend did not mend: the same error came back."""
    made = mends(journal, attempt.id)
    if made and same_failure(made[-1].failure, problem):
        note(journal, _refusal(RefusalKind.SAME_ERROR, attempt, attempt.id, made[-1].after.title, problem))


def note_failure_again(journal: Journal, attempt: Attempt) -> None:
    """Record that an attempt failed as the one before it on the same parents had failed."""
    rows = journal.rows(
        "SELECT id, failure FROM attempts WHERE parents = ? AND operator = ? AND status = 'failed' AND id != ? "
        "ORDER BY number DESC LIMIT 1",
        json.dumps(list(attempt.parents)), attempt.operator, attempt.id,
    )  # fmt: skip
    if rows and same_failure(rows[0]["failure"], attempt.failure):
        note(journal, _refusal(RefusalKind.SAME_ERROR, attempt, rows[0]["id"], attempt.title, attempt.failure))


def note(journal: Journal, refusal: Refusal) -> None:
    """Record a refusal, once."""
    with journal.transaction() as db:
        db.execute(
            "INSERT OR IGNORE INTO refusals (kind, attempt, operator, parents, like_attempt, title, failure) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                refusal.kind, refusal.attempt_id, refusal.operator, json.dumps(list(refusal.parents)), refusal.like,
                refusal.title, refusal.failure,
            ),
        )  # fmt: skip


def refusals(journal: Journal, attempt: Attempt) -> Sequence[Refusal]:
    """Return what was refused lately of this attempt and of those with the same operator and parents, oldest first."""
    rows = journal.rows(
        "SELECT * FROM refusals WHERE parents = ? AND operator = ? ORDER BY number DESC LIMIT ?",
        json.dumps(list(attempt.parents)), attempt.operator, TOLD,
    )  # fmt: skip
    return journal.each(_refusal_from, rows[::-1])


def mends(journal: Journal, attempt: str) -> Sequence[Mend]:
    """Return how the attempt was mended so far, oldest first."""
    rows = journal.rows("SELECT * FROM mends WHERE attempt = ? ORDER BY number", attempt)
    return [
        Mend(before=journal.bundle(row["before"]), failure=row["failure"], after=journal.bundle(row["after"]))
        for row in rows
    ]


def _refusal(kind: RefusalKind, attempt: Attempt, like: str, title: str, failure: str = "") -> Refusal:
    return Refusal(
        kind=kind, attempt_id=attempt.id, operator=attempt.operator, parents=attempt.parents, like=like, title=title, failure=failure,
    )  # fmt: skip


def _refusal_from(row: sqlite3.Row) -> Refusal:
    return Refusal(
        kind=RefusalKind(row["kind"]), attempt_id=row["attempt"], operator=Operator(row["operator"]),
        parents=tuple(json.loads(row["parents"])), like=row["like_attempt"], title=row["title"], failure=row["failure"],
    )  # fmt: skip
