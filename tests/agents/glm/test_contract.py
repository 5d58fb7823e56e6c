"""What every language model promises: the client, its wrappers and its fakes alike."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.agents.glm.talk import call

from open_autoglm.agents.calls import Calls
from open_autoglm.agents.glm import faults
from open_autoglm.agents.glm.client import HttpModel
from open_autoglm.agents.glm.endpoint import Timing
from open_autoglm.agents.glm.faults import FaultServer
from open_autoglm.agents.glm.metering import MeteredModel
from open_autoglm.agents.glm.recorded import RecordedGLM, RecordingGLM
from open_autoglm.agents.glm.scripted import ScriptedGLM
from open_autoglm.agents.glm.wire import Finish, LanguageModel, Purpose
from open_autoglm.agents.journal import Journal
from open_autoglm.errors import EndpointFailed

Make: TypeAlias = Callable[[Path], AbstractAsyncContextManager[LanguageModel]]
ANSWER = "an answer"


@asynccontextmanager
async def http(folder: Path) -> AsyncIterator[LanguageModel]:
    turns = [faults.says(ANSWER), faults.says(ANSWER), faults.complains(503)]
    async with FaultServer(turns, unix_socket=folder / "s") as server:
        yield HttpModel(server.endpoint(timing=Timing(retries=0)))


@asynccontextmanager
async def scripted(folder: Path) -> AsyncIterator[LanguageModel]:
    yield ScriptedGLM([ANSWER, ANSWER, EndpointFailed("gone")])


@asynccontextmanager
async def recording(folder: Path) -> AsyncIterator[LanguageModel]:
    async with scripted(folder) as model:
        yield RecordingGLM(model, folder / "new.jsonl")


@asynccontextmanager
async def recorded(folder: Path) -> AsyncIterator[LanguageModel]:
    header = '{"format": "open-autoglm-recording", "version": 1, "model": "glm", "context_tokens": 4096}'
    said = f'{{"purpose": "plan", "text": "{ANSWER}"}}'
    path = folder / "r.jsonl"
    path.write_text("\n".join([header, said, said, '{"purpose": "plan", "error": "gone"}']), encoding="utf-8")
    yield RecordedGLM(path)


@asynccontextmanager
async def metered(folder: Path) -> AsyncIterator[LanguageModel]:
    journal = Journal(folder / "journal.sqlite")
    async with scripted(folder) as model:
        yield MeteredModel(model, Calls(journal))
    journal.close()


@pytest.mark.parametrize("make", [http, scripted, recording, recorded, metered])
def test_a_language_model_keeps_its_contract(make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It answers calls side by side, says what it is, fails as an endpoint fails, and closes twice."""

    async def hold() -> None:
        async with make(tmp_path_factory.mktemp("t")) as model:
            first, second = await asyncio.gather(model.ask(call()), model.ask(call()))
            for reply in (first, second):
                assert (reply.text, reply.finish, reply.reasoning) == (ANSWER, Finish.STOP, "")
                assert reply.usage.total > 0
                assert reply.usage.cached <= reply.usage.prompt
                assert reply.seconds >= 0
            assert model.name
            assert model.context_tokens is None or model.context_tokens > 0
            with pytest.raises(EndpointFailed):
                await model.ask(call(purpose=Purpose.PLAN))
            await model.close()
            await model.close()

    asyncio.run(hold())
