"""Every prompt as it is sent, kept beside the tests to be read: `UPDATE_SNAPSHOTS=1 pytest tests/agents/glm/test_prompts.py` writes them anew."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.agents.glm import world

from open_autoglm.agents.glm.desk import Desk
from open_autoglm.agents.glm.operators.draft import draft
from open_autoglm.agents.glm.operators.improve import improve
from open_autoglm.agents.glm.operators.merge import merge
from open_autoglm.agents.glm.operators.plan import Idea, plan
from open_autoglm.agents.glm.operators.propose_space import propose_space
from open_autoglm.agents.glm.operators.reflect import reflect
from open_autoglm.agents.glm.operators.repair import repair
from open_autoglm.agents.glm.operators.understand import Reader
from open_autoglm.agents.glm.prompting import FOLDER
from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.sharing import Share
from open_autoglm.agents.glm.wire import Call
from open_autoglm.errors import UnusableReply
from open_autoglm.sandbox.report import ExecutionReport, Status
from open_autoglm.sandbox.report_pb2 import ClaimedException, Frame, Stream

SNAPSHOTS = Path(__file__).with_name("snapshots")
IDEA = Idea(
    title="Extra trees on ranks", approach="Ranks of all numbers, one column per city.", gain="medium", cost="seconds"
)
LONGEST_TOKENS = 2500
"""About what a prompt may take without solutions and memory, by 4 characters a token."""


def failed() -> ExecutionReport:
    line = world.SOLUTION.splitlines().index("    return rows[NUMBERS].fillna(0.0)") + 1
    return ExecutionReport(
        phase="smoke.fit",
        status=Status.STATUS_ERROR,
        exit_code=1,
        wall_seconds=0.7,
        exception=ClaimedException(
            type="KeyError",
            message="\"['income'] not in index\"",
            frames=[Frame(file="solution.py", line=line, function="features")],
        ),
        stderr=Stream(head="a line that was printed\n"),
    )


ASKED: dict[str, Callable[[Desk], Awaitable[object]]] = {
    "understand": lambda desk: Reader(desk=desk).understand(world.request(), {}),
    "plan": lambda desk: plan(desk, world.brief([world.past()]), [IDEA]),
    "draft": lambda desk: draft(desk, world.brief([world.past()]), IDEA),
    "repair": lambda desk: repair(desk, world.brief([world.past()]), world.bundle(), failed()),
    "improve": lambda desk: improve(desk, world.brief([world.past()]), world.past()),
    "merge": lambda desk: merge(desk, world.brief(), [world.past(), world.past("a0002", mean=0.7)]),
    "propose_space": lambda desk: propose_space(desk, world.brief(), world.past()),
    "reflect": lambda desk: reflect(
        desk, world.brief(), world.past(), "Scaled numbers: roc_auc 0.712, the first score."
    ),
}


def first_call(name: str, share: Share) -> Call:
    """Return what an operator asks first; its script ends there."""
    glm = ScriptedGLM([UnusableReply("the script ends here")])
    with pytest.raises(UnusableReply):
        asyncio.run(_awaited(ASKED[name](world.desk(glm, share))))
    return glm.calls[0]


async def _awaited(asked: Awaitable[object]) -> object:
    return await asked


def as_text(call: Call) -> str:
    settings = f"thinking {call.thinking}, at most {call.max_tokens} tokens, attempt {call.attempt or 'none yet'}"
    turns = [f"[{message.role}]\n{message.text}" for message in call.messages]
    return "\n\n".join([f"{call.purpose.value}: {settings}", *turns]) + "\n"


@pytest.mark.parametrize("name", ASKED)
def test_the_prompt_is_the_one_that_was_read(name: str) -> None:
    """A change of a prompt shows in its snapshot, so that somebody reads it."""
    text, path = as_text(first_call(name, "summary")), SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_no_snapshot_and_no_template_is_left_over() -> None:
    """Each file belongs to an operator, or is a part of a prompt that does."""
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(ASKED)
    code = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.parent.rglob("*.py"))
    used = code + "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.iterdir())
    assert [
        path.name for path in FOLDER.iterdir() if f'"{path.stem}"' not in used and f'"{path.name}"' not in used
    ] == []


@pytest.mark.parametrize("name", ASKED)
def test_prompts_are_short(name: str) -> None:
    """What is asked, without the solutions shown, leaves nearly all of a small context to answer and memory."""
    text = as_text(first_call(name, "summary"))
    assert (len(text) - text.count(world.SOLUTION) * len(world.SOLUTION)) / 4 < LONGEST_TOKENS


@pytest.mark.parametrize("name", [name for name in ASKED if name != "understand"])
def test_prompts_begin_alike(name: str) -> None:
    """All questions on a task share their first message, so that a server's prefix cache finds it."""
    assert first_call(name, "summary").messages[0] == first_call("draft", "summary").messages[0]


@pytest.mark.parametrize("name", ASKED)
def test_schema_hides_values(name: str) -> None:
    """Under `schema` no level, no class and no message of an error is told."""
    text = as_text(first_call(name, "schema"))
    assert [word for word in ("Lyon", "Oslo", "in time", "C00001", "not in index", "was printed") if word in text] == []
