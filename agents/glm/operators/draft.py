"""draft: an idea becomes a whole solution."""

from open_autoglm.agents.glm.desk import Desk, told_limit
from open_autoglm.agents.glm.operators.plan import Idea
from open_autoglm.agents.glm.prompting import render
from open_autoglm.agents.glm.sharing import from_model
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.strategist import Brief
from open_autoglm.sandbox.bundles.bundle import CodeBundle

THINKING = 2048


async def draft(desk: Desk, brief: Brief, idea: Idea) -> CodeBundle:
    """Have the idea written.

    Raises:
        UnusableReply: No answer could be used.
        EndpointFailed: Nobody answered.
    """
    ask = render(
        "draft",
        title=from_model(idea.title),
        approach=from_model(idea.approach),
        fold_seconds=told_limit(brief),
    )
    call = desk.call(Purpose.DRAFT, brief, ask, remembered=desk.remembered(brief), thinking=THINKING)
    return await desk.code(call, brief, lambda _: idea.title)
