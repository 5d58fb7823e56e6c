"""What the journal says, as a search policy may see it: a fixed number of questions, each with a bounded answer."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from open_autoglm.agents.attempts import Attempt, AttemptStatus, attempt_from
from open_autoglm.agents.briefing import affords_two_more, attempts_made, best_fit_seconds
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.journal import Journal
from open_autoglm.agents.search.base import Branch, Node, SearchView
from open_autoglm.agents.strategist import Operator
from open_autoglm.tools.task import ModelFamily

BEST_IN_VIEW = 12
BRANCHES_IN_VIEW = 12
NODES_IN_VIEW = 5
"""Of each branch."""

_BRANCHES = """
SELECT branch, SUM(status != 'running') AS visits, SUM(status = 'running') AS running,
       SUM(COALESCE(reward, 0)) AS reward, {best}(mean) AS top
FROM attempts WHERE branch != '' AND status != 'empty'
GROUP BY branch HAVING top IS NOT NULL ORDER BY top {order}, branch LIMIT ?
"""
_NODES = "SELECT * FROM attempts WHERE branch = ? AND branch != '' AND status = 'scored' ORDER BY mean {order}, number {order} LIMIT ?"
_SINCE = """
SELECT COUNT(*) AS n FROM attempts WHERE branch = ? AND branch != ''
AND status IN ('scored', 'failed', 'stopped') AND number > (SELECT number FROM attempts WHERE id = ?)
"""
_LATEST = "SELECT * FROM attempts WHERE branch != '' AND +status = 'scored' ORDER BY number DESC LIMIT 1"
"""The plus keeps SQLite from sorting all that are scored."""
_CHILDREN = """
SELECT parents, operator, status, COUNT(*) AS n FROM attempts
WHERE parents IN (SELECT value FROM json_each(?)) AND operator IN ('improve', 'tune') GROUP BY parents, operator, status
"""


def search_view(deps: Deps) -> SearchView:
    """Make the view of a run; its size does not depend on how many attempts there were."""
    limit = deps.budget.spec.attempts
    done = attempts_made(deps)
    wishes = deps.workspace.task.constraints
    return view_of(
        deps.journal,
        greater_is_better=deps.workspace.metric.greater_is_better,
        share_spent=deps.budget.share_spent(done, best_fit_seconds(deps)),
        may_merge=not wishes.interpretable and ModelFamily.ENSEMBLE.value not in wishes.forbidden_models,
        last=(limit is not None and limit - done == 1) or not affords_two_more(deps),
    )


def view_of(
    journal: Journal, *, greater_is_better: bool, share_spent: float, may_merge: bool = True, last: bool = False
) -> SearchView:
    """Make the view of a journal under what the budget and the task say."""
    picks = picks_made(journal)
    best = journal.best_attempts(greater_is_better=greater_is_better, count=BEST_IN_VIEW)
    branches = _branches(journal, greater_is_better=greater_is_better)
    latest = _latest(journal)
    heads = [*best, *([latest] if latest else [])]
    nodes = [attempt for branch in branches for attempt in branch.attempts]
    children = _children(journal, [attempt.id for attempt in [*nodes, *heads]])
    return SearchView(
        made=dict(picks.made),
        running=picks.running,
        exhausted=frozenset(
            [(operator, attempt.id) for attempt in heads for operator in children[attempt.id].exhausted]
            + ([(Operator.DRAFT, "")] if picks.no_more_drafts else [])
        ),
        best=best,
        branches=[branch.seen(children) for branch in branches],
        latest=latest,
        scored=picks.scored,
        scored_at_last_merge=int(journal.get_meta("scored_at_last_merge") or 0),
        share_spent=share_spent,
        may_merge=may_merge,
        last=last,
        trials={attempt.id: n for attempt in best if (n := children[attempt.id].made[Operator.TUNE])},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Picks:
    """How many picks there were."""

    made: Mapping[Operator, int]
    running: int
    scored: int
    """Ensembles left out."""
    no_more_drafts: bool


def picks_made(journal: Journal) -> Picks:
    """Count the picks of the search."""
    made: Counter[Operator] = Counter()
    running = scored = 0
    no_more_drafts = False
    for operator, status, count in journal.picks():
        made[operator] += count
        running += count if status is AttemptStatus.RUNNING else 0
        scored += count if status is AttemptStatus.SCORED and operator is not Operator.MERGE else 0
        no_more_drafts |= operator is Operator.DRAFT and status is AttemptStatus.EMPTY
    return Picks(made=made, running=running, scored=scored, no_more_drafts=no_more_drafts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A branch before its nodes' children are known."""

    id: str
    visits: int
    running: int
    reward: float
    stale: int
    attempts: Sequence[Attempt]

    def seen(self, children: "Mapping[str, _Children]") -> Branch:
        nodes = [children[attempt.id].node(attempt) for attempt in self.attempts]
        return Branch(
            id=self.id, visits=self.visits, running=self.running, reward=self.reward, stale=self.stale, nodes=nodes
        )


def _branches(journal: Journal, *, greater_is_better: bool) -> list[_Found]:
    order = {"best": "MAX", "order": "DESC"} if greater_is_better else {"best": "MIN", "order": "ASC"}
    rows = journal.rows(_BRANCHES.format(**order), BRANCHES_IN_VIEW)
    found = []
    for row in rows:
        nodes = journal.each(attempt_from, journal.rows(_NODES.format(**order), row["branch"], NODES_IN_VIEW))
        stale = journal.rows(_SINCE, row["branch"], nodes[0].id)[0]["n"]
        reward = row["reward"] / max(1, row["visits"])
        found.append(
            _Found(
                id=row["branch"],
                visits=row["visits"],
                running=row["running"],
                reward=reward,
                stale=stale,
                attempts=nodes,
            )
        )
    return found


class _Children:
    """What was made of one attempt, by operator."""

    def __init__(self) -> None:
        self.made: Counter[Operator] = Counter()
        self.running = self.ended = 0
        self.exhausted: set[Operator] = set()

    def add(self, row: sqlite3.Row) -> None:
        operator, status = Operator(row["operator"]), AttemptStatus(row["status"])
        self.made[operator] += row["n"]
        if status is AttemptStatus.EMPTY:
            self.exhausted.add(operator)
        elif status is AttemptStatus.RUNNING:
            self.running += row["n"]
        else:
            self.ended += row["n"]

    def node(self, attempt: Attempt) -> Node:
        return Node(
            attempt=attempt,
            children=self.ended,
            running=self.running,
            improvements=self.made[Operator.IMPROVE],
            trials=self.made[Operator.TUNE],
            exhausted=frozenset(self.exhausted),
        )


def _children(journal: Journal, parents: Iterable[str]) -> Mapping[str, _Children]:
    found: defaultdict[str, _Children] = defaultdict(_Children)
    keys = json.dumps([json.dumps([parent]) for parent in sorted(set(parents))])
    for row in journal.rows(_CHILDREN, keys):
        found[json.loads(row["parents"])[0]].add(row)
    return found


def _latest(journal: Journal) -> Attempt | None:
    return next(iter(journal.each(attempt_from, journal.rows(_LATEST))), None)
