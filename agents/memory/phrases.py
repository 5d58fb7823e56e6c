"""How attempts are told of in a prompt: one line each, short whatever their authors wrote, and no more of the data than is shared."""

from dataclasses import dataclass

from open_autoglm.agents.glm.sharing import (
    Share,
    Shared,
    clipped,
    failure_text,
    joined,
    lesson_text,
    ours,
    phrase,
    token,
)
from open_autoglm.agents.memory.gains import Gain
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.sandbox.bundles.bundle import CodeBundle

LONGEST_TITLE = 120
LONGEST_SENTENCE = 240
_STATES = {
    "scored": ours("scored"), "failed": ours("failed"), "stopped": ours("stopped early, far behind or out of time"),
    "running": ours("running"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Tells of attempts of one run."""

    share: Share
    brief: Brief

    def title(self, attempt: Past) -> Shared:
        """Return what a solution was called; empty where it has no title."""
        return clipped(lesson_text(attempt.bundle.title, self.share, self.brief, attempt), LONGEST_TITLE)

    def lesson(self, attempt: Past) -> Shared:
        """Return what an attempt taught; empty where nobody said."""
        return clipped(lesson_text(attempt.lesson, self.share, self.brief, attempt), LONGEST_SENTENCE)

    def failure(self, line: str, bundle: CodeBundle | None, limit: int = LONGEST_SENTENCE) -> Shared:
        """Return why code failed."""
        return clipped(failure_text(line, self.share, self.brief, bundle), limit)

    def why(self, attempt: Past) -> Shared:
        """Return why an attempt failed, or else what it taught."""
        return self.failure(attempt.failure, attempt.bundle) if attempt.failure else self.lesson(attempt)

    def name(self, attempt: Past) -> Shared:
        """Return the id, where the attempt came from, and its title."""
        parents = joined([token(parent) for parent in attempt.parents[:4]], ", ")
        origin = phrase("{operator} of {parents}", operator=token(attempt.operator.value), parents=parents)
        return phrase(
            "{attempt} ({origin}): {title}",
            attempt=token(attempt.attempt_id),
            origin=origin if attempt.parents else ours("draft"),
            title=self.title(attempt) or ours("untitled"),
        )

    def score(self, attempt: Past) -> Shared:
        """Return the score with its standard error and the time of a fit, as far as they are known."""
        if attempt.mean is None:
            return _STATES.get(attempt.status, ours("not scored"))
        metric = token(self.brief.task.metric.name)
        told = [phrase("{metric} {mean:.5g}", metric=metric, mean=attempt.mean)]
        if attempt.standard_error is not None:
            told.append(phrase(" +- {error:.2g}", error=attempt.standard_error))
        if attempt.fit_seconds is not None:
            told.append(phrase(", fit {seconds:.2g} s", seconds=attempt.fit_seconds))
        return joined(told, "")


def verdict(gain: Gain | None) -> Shared:
    """Return whether a change helped, in words that leave no doubt of what is noise."""
    if gain is None:
        return ours("")
    if not gain.is_clear:
        return phrase("no clear difference ({amount:+.2g}, noise {noise:.2g})", amount=gain.amount, noise=gain.noise)
    way = ours("better") if gain.amount > 0 else ours("worse")
    return phrase("{way} by {amount:.2g} (noise {noise:.2g})", way=way, amount=abs(gain.amount), noise=gain.noise)
