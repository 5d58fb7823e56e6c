"""What the journal says, as a search policy may see it."""

from collections import Counter

from open_autoglm.agents.attempts import AttemptStatus
from open_autoglm.agents.briefing import affords_two_more, attempts_made, best_fit_seconds
from open_autoglm.agents.deps import Deps
from open_autoglm.agents.search.base import SearchView
from open_autoglm.agents.strategist import Operator
from open_autoglm.tools.task import ModelFamily

BEST_IN_VIEW = 12


def search_view(deps: Deps) -> SearchView:
    """Make the view; its size does not depend on how many attempts there were."""
    made: Counter[Operator] = Counter()
    trials: Counter[str] = Counter()
    exhausted: set[tuple[Operator, str]] = set()
    scored = 0
    for operator, status, parents, count in deps.journal.picks():
        made[operator] += count
        scored += count if status is AttemptStatus.SCORED and operator is not Operator.MERGE else 0
        if operator is Operator.TUNE:
            trials[parents[0]] += count
        if status is AttemptStatus.EMPTY and operator is not Operator.MERGE:
            exhausted.add((operator, parents[0] if parents else ""))
    best = deps.journal.best_attempts(greater_is_better=deps.workspace.metric.greater_is_better, count=BEST_IN_VIEW)
    limit = deps.budget.spec.attempts
    done = attempts_made(deps)
    wishes = deps.workspace.task.constraints
    return SearchView(
        made=dict(made),
        exhausted=frozenset(exhausted),
        best=best,
        scored=scored,
        scored_at_last_merge=int(deps.journal.get_meta("scored_at_last_merge") or 0),
        share_spent=deps.budget.share_spent(done, best_fit_seconds(deps)),
        may_merge=not wishes.interpretable and ModelFamily.ENSEMBLE.value not in wishes.forbidden_models,
        last=(limit is not None and limit - done == 1) or not affords_two_more(deps),
        trials=dict(trials),
    )
