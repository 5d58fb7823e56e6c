"""A client and a server of faults that talk: what the tests of the client share."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from open_autoglm.agents.glm import faults
from open_autoglm.agents.glm.client import HttpModel
from open_autoglm.agents.glm.endpoint import Timing
from open_autoglm.agents.glm.faults import FaultServer, Script
from open_autoglm.agents.glm.wire import Call, Message, Part, Purpose, Reply
from open_autoglm.errors import EndpointFailed

QUICK = Timing(
    connect_seconds=1, first_token_seconds=2, idle_seconds=2, call_seconds=10, retries=2, backoff_seconds=0.001
)


def call(text: str = "Write a plan.", **fields: Any) -> Call:
    return Call(**{"purpose": Purpose.PLAN, "messages": [Message(role="user", parts=[Part(text=text)])], **fields})


class Talk:
    """A client and a server that talk over a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.server = FaultServer()
        self.model: HttpModel | None = None
        self.replies: list[Reply] = []

    def __call__(
        self,
        *turns: Script,
        calls: Sequence[Call] = (call(),),
        timing: Timing = QUICK,
        key: str | None = None,
        model: str | None = faults.MODEL,
        patient: bool = False,
        **served: Any,
    ) -> Reply:
        """Ask the calls one after the other; return the last reply. Where `patient`, only the last call may not fail."""

        async def talk() -> Reply:
            socket = self._folder / "s"
            async with FaultServer(turns, unix_socket=socket, **served) as self.server:
                self.model = HttpModel(self.server.endpoint(timing=timing, key=key, model=model), rng=random.Random(0))
                try:
                    self.replies = []
                    for each in calls:
                        with contextlib.suppress(*([EndpointFailed] if patient and each is not calls[-1] else [])):
                            self.replies.append(await self.model.ask(each))
                finally:
                    await self.model.close()
            return self.replies[-1]

        return asyncio.run(talk())

    @property
    def bodies(self) -> list[Any]:
        """What was asked."""
        return [request.body for request in self.server.asked]
