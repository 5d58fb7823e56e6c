"""merge: two good solutions become a new one that takes the best of both."""

from collections.abc import Sequence

from open_autoglm.agents.glm.desk import Desk, told_limit
from open_autoglm.agents.glm.operators.improve import change_of
from open_autoglm.agents.glm.prompting import figure, render
from open_autoglm.agents.glm.sharing import token
from open_autoglm.agents.glm.wire import Purpose
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.sandbox.bundles.bundle import CodeBundle

THINKING = 2048


async def merge(desk: Desk, brief: Brief, parents: Sequence[Past]) -> CodeBundle:
    """Have the first two parents merged; the first is the better one.

    Raises:
        UnusableReply: No answer could be used.
        EndpointFailed: Nobody answered.
    """
    first, second = parents[:2]
    ask = render(
        "merge",
        metric=token(brief.task.metric.name),
        first=desk.source(first.bundle, brief).text,
        first_score=figure(first.mean),
        second=desk.source(second.bundle, brief).text,
        second_score=figure(second.mean),
        fold_seconds=told_limit(brief),
        zh=brief.task.language == "zh",
    )
    call = desk.call(Purpose.MERGE, brief, ask, remembered=desk.memory.run(brief), thinking=THINKING)
    both = f"{first.bundle.title} + {second.bundle.title}"
    return await desk.code(call, brief, lambda text: change_of(text) or both)
