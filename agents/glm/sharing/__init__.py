"""What of the data and of executions may stand in a prompt, by level of sharing. Nothing else makes text for a prompt.

`data_card` tells of task and table, `report_excerpt` of an execution, `source_for` shows code, `lesson_text` cleans a line of
memory; all give `Shared`, the one type that a message of a call takes. `leaves` says in words what that comes to.
"""

from open_autoglm.agents.glm.sharing.card import cells_shown, data_card
from open_autoglm.agents.glm.sharing.diffs import diff_for
from open_autoglm.agents.glm.sharing.disclosure import Share
from open_autoglm.agents.glm.sharing.excerpt import report_excerpt
from open_autoglm.agents.glm.sharing.leaving import leaves
from open_autoglm.agents.glm.sharing.lessons import failure_text, lesson_text, recalled, stored_lesson
from open_autoglm.agents.glm.sharing.request import request_card
from open_autoglm.agents.glm.sharing.shared import (
    DATA_RULE,
    Admissible,
    NotShared,
    Shared,
    admitted,
    clipped,
    from_model,
    from_user,
    joined,
    ours,
    phrase,
    rendered,
    token,
)
from open_autoglm.agents.glm.sharing.source import ShownSource, source_for

__all__ = [
    "DATA_RULE", "Admissible", "NotShared", "Share", "Shared", "ShownSource", "admitted", "cells_shown", "clipped", "data_card", "diff_for", "failure_text", "from_model", "from_user",
    "joined", "leaves", "lesson_text", "ours", "phrase", "recalled", "rendered", "report_excerpt", "request_card", "source_for", "stored_lesson", "token",
]  # fmt: skip
