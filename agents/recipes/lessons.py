"""What an attempt taught, in one line: the difference to where it came from, and whether that is more than noise."""

from collections.abc import Sequence

from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.tools.export.svg import number
from open_autoglm.tools.metrics import get_metric
from open_autoglm.tools.words import Words


def lesson(brief: Brief, attempt: Past) -> str:
    """Return the line. A draft is compared with the best so far, a changed solution with its parent."""
    say, what = Words(language=brief.task.language), attempt.bundle.title or attempt.operator.value
    if attempt.status == "stopped":
        return say("{what}: {reason}.", what=what, reason=attempt.failure or say("stopped early"))
    if attempt.mean is None:
        return say("{what}: failed ({reason}).", what=what, reason=attempt.failure or say("no reason given"))
    metric = get_metric(brief.task.metric.name)
    scored = f"{metric.name} {number(attempt.mean)}"
    others = _compared_with(brief, attempt)
    if not others:
        return say("{what}: {score}, the first score.", what=what, score=scored)
    best = (max if metric.greater_is_better else min)(others, key=lambda past: past.mean or 0.0)
    assert best.mean is not None
    gain = (attempt.mean - best.mean) * (1 if metric.greater_is_better else -1)
    noise = max(attempt.standard_error or 0.0, best.standard_error or 0.0)
    return say(
        "{what}: {score}, {gain} against {other} (± {noise}): {verdict}.",
        what=what, score=scored, gain=("+" if gain >= 0 else "") + number(gain, 2), other=best.bundle.title or best.attempt_id,
        noise=number(noise, 2),
        verdict=say("no clear difference") if abs(gain) <= noise else say("better") if gain > 0 else say("worse"),
    )  # fmt: skip


def _compared_with(brief: Brief, attempt: Past) -> Sequence[Past]:
    scored = [past for past in brief.past if past.mean is not None and past.attempt_id != attempt.attempt_id]
    return [past for past in scored if past.attempt_id in attempt.parents] or scored
