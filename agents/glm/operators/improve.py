"""improve: one block of a scored solution is changed, the one that the model expects most of."""

import re

from open_autoglm.agents.glm.authored import one_line
from open_autoglm.agents.glm.desk import Desk, told_limit
from open_autoglm.agents.glm.parsing import without_thinking
from open_autoglm.agents.glm.prompting import figure, render
from open_autoglm.agents.glm.sharing import token
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.sandbox.bundles.bundle import CodeBundle

THINKING = 2048
_CHANGE = re.compile(r"^\W*(?:change|改动)\W*?[:：]\s*(.+)$", re.IGNORECASE | re.MULTILINE)


async def improve(desk: Desk, brief: Brief, parent: Past) -> CodeBundle:
    """Have one block changed.

    Raises:
        UnusableReply: No answer could be used.
        EndpointFailed: Nobody answered.
    """
    ask = render(
        "improve",
        source=desk.source(parent.bundle, brief).text,
        score=figure(parent.mean),
        error=figure(parent.standard_error, 2),
        metric=token(brief.task.metric.name),
        fit_seconds=figure(parent.fit_seconds, 2),
        fold_seconds=told_limit(brief),
        zh=brief.task.language == "zh",
    )
    call = desk.call(Purpose.IMPROVE, brief, ask, remembered=desk.remembered(brief, parent), thinking=THINKING)
    return await desk.code(call, brief, lambda text: change_of(text) or parent.bundle.title, before=parent.bundle)


def change_of(text: str) -> str:
    """Return what the answer's line `Change: ...` says; empty where it has none."""
    found = _CHANGE.search(without_thinking(text)[:2000])
    return one_line(found[1]) if found else ""
