"""reflect: what an attempt taught, in one line."""

from open_autoglm.agents.glm.authored import one_line
from open_autoglm.agents.glm.desk import Desk
from open_autoglm.agents.glm.parsing import without_thinking
from open_autoglm.agents.glm.prompting import render
from open_autoglm.agents.glm.sharing import from_model, lesson_text
from open_autoglm.agents.glm.wire import Finish, Purpose
from open_autoglm.agents.strategist import Brief, Past
from open_autoglm.errors import UnusableReply

LONGEST_LESSON = 160
ANSWER_TOKENS = 120


async def reflect(desk: Desk, brief: Brief, attempt: Past, outcome: str) -> str:
    """Ask for the lesson of an attempt that ended as the line `outcome` says.

    Raises:
        UnusableReply: The answer holds no sentence.
        EndpointFailed: Nobody answered.
    """
    ask = render(
        "reflect",
        title=from_model(attempt.bundle.title),
        outcome=lesson_text(outcome, desk.share, brief, attempt),
        zh=brief.task.language == "zh",
    )
    call = desk.call(
        Purpose.REFLECT, brief, ask, remembered=desk.memory.working(brief, attempt), max_tokens=ANSWER_TOKENS
    )
    reply = await desk.model.ask(call)
    said = one_line(without_thinking(reply.text).strip().strip("`*\"'#- "), LONGEST_LESSON)
    if reply.finish in (Finish.REFUSAL, Finish.REPETITION) or sum(char.isalpha() for char in said) < 5:
        raise UnusableReply("The model's answer for reflect holds no sentence.")
    return said
