"""What an attempt taught, in one line: the difference to where it came from, and whether that is more than noise."""

from collections.abc import Sequence

from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.tools.metrics import get_metric


def lesson(brief: Brief, attempt: Past) -> str:
    """Return the line. A draft is compared with the best so far, a changed solution with its parent."""
    what = attempt.bundle.title or attempt.operator.value
    if attempt.status == "stopped":
        return f"{what}: {attempt.failure or 'stopped early'}."
    if attempt.mean is None:
        return f"{what}: failed ({attempt.failure or 'no reason given'})."
    metric = get_metric(brief.task.metric.name)
    scored = f"{what}: {metric.name} {attempt.mean:.5g}"
    others = _compared_with(brief, attempt)
    if not others:
        return f"{scored}, the first score."
    best = (max if metric.greater_is_better else min)(others, key=lambda past: past.mean or 0.0)
    assert best.mean is not None
    gain = (attempt.mean - best.mean) * (1 if metric.greater_is_better else -1)
    noise = max(attempt.standard_error or 0.0, best.standard_error or 0.0)
    verdict = "no clear difference" if abs(gain) <= noise else "better" if gain > 0 else "worse"
    return f"{scored}, {gain:+.2g} against {best.bundle.title or best.attempt_id} (± {noise:.2g}): {verdict}."


def _compared_with(brief: Brief, attempt: Past) -> Sequence[Past]:
    scored = [past for past in brief.past if past.mean is not None and past.attempt_id != attempt.attempt_id]
    return [past for past in scored if past.attempt_id in attempt.parents] or scored
