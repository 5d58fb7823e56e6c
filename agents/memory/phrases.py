"""How attempts are named in a prompt: one line each, short whatever their authors wrote."""

from open_autoglm.agents.memory.gains import Gain
from open_autoglm.agents.strategist import Past

LONGEST_TITLE = 120
LONGEST_SENTENCE = 240


def short(text: str, limit: int = LONGEST_SENTENCE) -> str:
    """Return a text on one line, cut to so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def name_of(attempt: Past) -> str:
    """Return the id, where the attempt came from, and its title."""
    origin = f"{attempt.operator.value} of {', '.join(attempt.parents[:4])}" if attempt.parents else "draft"
    return f"{attempt.attempt_id} ({origin}): {short(attempt.bundle.title, LONGEST_TITLE) or 'untitled'}"


def score_of(attempt: Past, metric: str) -> str:
    """Return the score with its standard error and the time of a fit, as far as they are known."""
    if attempt.mean is None:
        return attempt.status
    error = "" if attempt.standard_error is None else f" +- {attempt.standard_error:.2g}"
    seconds = "" if attempt.fit_seconds is None else f", fit {attempt.fit_seconds:.2g} s"
    return f"{metric} {attempt.mean:.5g}{error}{seconds}"


def verdict(gain: Gain | None) -> str:
    """Return whether a change helped, in words that leave no doubt of what is noise."""
    if gain is None:
        return ""
    if not gain.is_clear:
        return f"no clear difference ({gain.amount:+.2g}, noise {gain.noise:.2g})"
    return f"{'better' if gain.amount > 0 else 'worse'} by {abs(gain.amount):.2g} (noise {gain.noise:.2g})"
