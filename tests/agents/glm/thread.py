"""Answers that a language model could give, and runs with them: on the small world of `engine`, and in a real sandbox."""

from collections.abc import Iterable, Mapping

from tests.agents import engine

from open_autoglm.agents.glm.scripted import Scripted, ScriptedGLM
from open_autoglm.agents.glm.wire import Purpose

ENDPOINT = "http://127.0.0.1:9/v1"
"""Named, so that the run asks for the model; nobody connects to it."""
READING = {"target": "label", "task_type": "binary", "metric": ""}


def code(noise: float) -> str:
    """Return an answer that holds a solution which the scripted sandbox plays."""
    return f"solution.py\n```python\n{engine.CODE.format(noise=noise)}```\n"


def scripted(answers: Mapping[Purpose, Iterable[Scripted]]) -> ScriptedGLM:
    return ScriptedGLM(answers)
