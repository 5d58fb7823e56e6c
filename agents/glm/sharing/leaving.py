"""What leaves the machine at each level of sharing, in words for the person who confirms it."""

from open_autoglm.agents.glm.sharing.disclosure import SHARED_BY, Share
from open_autoglm.tools.words import Words


def leaves(share: Share, reader: str, say: Words) -> list[str]:
    """Return sentences that say what `reader` (an endpoint) is sent, and what it is not.

    The user's own sentence, the code, scores and times are sent at each level.
    """
    told = {
        "schema": (
            say("To {reader}: your words, column names and types, code, scores and times.", reader=reader),
            say("Not sent: any value of the data, class names, messages and output of the code."),
        ),
        "summary": (
            say(
                "To {reader}: your words, column names and types, rounded aggregates, values that at least {count} rows share, code, scores, times, and messages with all other values blanked.",
                reader=reader, count=SHARED_BY,
            ),
            say("Not sent: rows, ids, free text, dates, rare values."),
        ),
        "rows": (
            say("To {reader}: your words, column names, aggregates, a few rows, code, scores, times, and what the code prints.", reader=reader),
            say("Not sent: the rows of the holdout."),
        ),
    }  # fmt: skip
    return list(told[share])
