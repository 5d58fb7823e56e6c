"""An endpoint that misbehaves on purpose: what the client is tried against. Speaks the OpenAI protocol, on this machine alone.

Each question gets the next turn of a script. A turn is bytes and what happens between them, so that every way in which a server or a
network can fail can be written down:

    async with FaultServer([complains(503), breaks_off("half an ans"), says("a whole answer")]) as server:
        model = HttpModel(server.endpoint())
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from open_autoglm.agents.glm.endpoint import Endpoint, Timing

FOREVER = 3600.0
MODEL = "faulty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, as it came."""

    path: str
    headers: Mapping[str, str]
    body: Any
    """Parsed JSON; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is answered to one question."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    steps: Sequence[bytes | float] = ()
    """Pieces of the body, and pauses in seconds between them."""
    delay_seconds: float = 0.0
    """Before anything is answered."""
    raw: bytes | None = None
    """Sent instead of all that, where it is no HTTP; the connection ends with it."""
    cut: bool = False
    """Whether the connection is broken at the end, where the protocol would say that the answer is complete."""

    def after(self, seconds: float) -> "Turn":
        """Return the same turn, answered so much later."""
        return replace(self, delay_seconds=seconds)


Script = Turn | Callable[[Received], Turn]


# --- turns ---------------------------------------------------------------------------------------------------------------


def says(
    text: str,
    *,
    reasoning: str = "",
    spelling: str = "reasoning",
    finish: str = "stop",
    usage: Mapping[str, Any] | None = None,
    piece_chars: int = 40,
    pause_seconds: float = 0.0,
) -> Turn:
    """Stream an answer as it should be; slowly, where there is a pause before each piece."""
    pieces = [*_pieces(spelling, reasoning, piece_chars), *_pieces("content", text, piece_chars)]
    counted = {
        "prompt_tokens": 100,
        "completion_tokens": len(pieces),
        "total_tokens": 100 + len(pieces),
        **(usage or {}),
    }
    events = [_event({"role": "assistant"}), *pieces, _event({}, finish), _usage(counted), b"data: [DONE]\n\n"]
    steps: list[bytes | float] = []
    for event in events:
        steps += [pause_seconds, event] if pause_seconds else [event]
    return Turn(steps=steps)


def says_at_once(text: str) -> Turn:
    """Answer in one piece, as an endpoint does that cannot stream."""
    message = {"role": "assistant", "content": text}
    answer = {
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    }
    return _json(200, answer)


def complains(status: int, message: str = "out of order", *, retry_after: str | None = None, param: str = "") -> Turn:
    """Answer with an error status."""
    turn = _json(status, {"error": {"message": message, "type": "error", "param": param or None, "code": status}})
    return turn if retry_after is None else replace(turn, headers={**turn.headers, "retry-after": retry_after})


def complains_midway(text: str, message: str = "engine died", code: int = 500) -> Turn:
    """Begin an answer and say an error in its stream."""
    return Turn(steps=[*_pieces("content", text, 40), _sse({"error": {"message": message, "code": code}})])


def breaks_off(text: str) -> Turn:
    """Begin an answer and break the connection."""
    return Turn(steps=_pieces("content", text, 40), cut=True)


def ends_early(text: str) -> Turn:
    """Begin an answer and end the stream in order, without saying that the answer ended."""
    return Turn(steps=_pieces("content", text, 40))


def falls_silent(text: str = "") -> Turn:
    """Begin an answer and say nothing more."""
    return Turn(steps=[*_pieces("content", text, 40), FOREVER])


def keeps_alive(seconds: float) -> Turn:
    """Send comments and empty pieces without end, so that the connection is never idle."""
    beat: list[bytes | float] = [b": still here\n\n", _event({"content": ""}), seconds]
    return Turn(steps=beat * 10_000)


def repeats(unit: str, times: int) -> Turn:
    """Say the same again and again."""
    return Turn(steps=[_event({"content": unit})] * times + [_event({}, "length"), b"data: [DONE]\n\n"])


def declines(reason: str) -> Turn:
    """Refuse, by the protocol's field for it."""
    return Turn(steps=[_event({"refusal": reason}), _event({}, "stop"), b"data: [DONE]\n\n"])


def sends(*steps: bytes | float, content_type: str = "text/event-stream") -> Turn:
    """Send any bytes."""
    return Turn(headers={"content-type": content_type}, steps=steps)


def speaks(data: bytes) -> Turn:
    """Send bytes that need not be HTTP, and end the connection."""
    return Turn(raw=data)


def redirects(to: str) -> Turn:
    """Send the client elsewhere."""
    return Turn(status=307, headers={"location": to})


def _pieces(name: str, text: str, chars: int) -> list[bytes]:
    return [_event({name: text[at : at + chars]}) for at in range(0, len(text), chars)]


def _event(delta: Mapping[str, str], finish: str | None = None) -> bytes:
    return _sse({"model": MODEL, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _usage(counted: Mapping[str, Any]) -> bytes:
    return _sse({"model": MODEL, "choices": [], "usage": counted})


def _sse(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _json(status: int, value: Any) -> Turn:
    return Turn(status=status, headers={"content-type": "application/json"}, steps=[json.dumps(value).encode()])


# --- the server ----------------------------------------------------------------------------------------------------------


class FaultServer:
    """Answers questions with the turns of a script, in order; one that goes beyond it is told so.

    Args:
        turns: What `/v1/chat/completions` answers.
        ever: What it answers to each question beyond these.
        models: What `/v1/models` answers; a turn stands for any other answer.
        counts: Whether `/tokenize` counts (a token for four characters).
        unix_socket: Where to listen instead of a port of 127.0.0.1 that is free.
    """

    def __init__(
        self,
        turns: Iterable[Script] = (),
        *,
        ever: Script | None = None,
        models: Sequence[Mapping[str, Any]] | Turn = ({"id": MODEL, "max_model_len": 32_768},),
        counts: bool = True,
        unix_socket: Path | None = None,
    ) -> None:
        self._turns = list(turns)
        self._ever = ever
        self._models = models
        self._counts = counts
        self._unix_socket = unix_socket
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.requests: list[Received] = []
        self.connections = 0
        self.hung_up = 0
        """How often a client went away in the middle of an answer."""

    @property
    def asked(self) -> list[Received]:
        """The questions among the requests."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def endpoint(self, *, key: str | None = None, model: str | None = MODEL, timing: Timing | None = None) -> Endpoint:
        """Return the endpoint that a client needs."""
        assert self._server is not None, "enter the server first"
        port = 1 if self._unix_socket else self._server.sockets[0].getsockname()[1]
        return Endpoint(
            base_url=f"http://127.0.0.1:{port}/v1",
            model=model,
            api_key=None if key is None else SecretStr(key),
            unix_socket=self._unix_socket,
            timing=timing or Timing(),
        )

    async def __aenter__(self) -> Self:
        if self._unix_socket is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        else:
            self._server = await asyncio.start_unix_server(self._accept, self._unix_socket)
        return self

    async def __aexit__(self, *raised: object) -> None:
        assert self._server is not None  # entered
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None  # asyncio runs this as one
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        self.connections += 1
        try:
            cut = await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up += 1
            cut = True
        except asyncio.CancelledError:  # the server ends; asyncio would report it as unhandled
            cut = True
        if cut:
            writer.transport.abort()
        else:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request after another; return whether the connection is to be broken."""
        while (request := await _read(reader)) is not None:
            self.requests.append(request)
            turn = self._turn(request)
            await _answer(writer, turn)
            if turn.cut or turn.raw is not None:
                return turn.cut
        return False

    def _turn(self, request: Received) -> Turn:
        if request.path.endswith("/models"):
            return self._models if isinstance(self._models, Turn) else _json(200, {"data": list(self._models)})
        if request.path == "/tokenize":
            text = "".join(message["content"] for message in request.body["messages"])
            return _json(200, {"count": len(text) // 4}) if self._counts else complains(404)
        if not request.path.endswith("/chat/completions"):
            return complains(404, f"no {request.path} here")
        asked = len(self.asked)
        turn = self._turns[asked - 1] if asked <= len(self._turns) else self._ever
        if turn is None:
            return complains(418, f"ScriptExhausted: question {asked} of a script of {len(self._turns)}")
        return turn(request) if callable(turn) else turn


async def _read(reader: asyncio.StreamReader) -> Received | None:
    """Read one request; None where the client left."""
    head = await reader.readline()
    if not head:
        return None
    headers = {}
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(path=head.split()[1].decode(), headers=headers, body=json.loads(body) if body else None)


async def _answer(writer: asyncio.StreamWriter, turn: Turn) -> None:
    """Send a turn, its body in chunks, so that its end is told from a broken connection."""
    await asyncio.sleep(turn.delay_seconds)
    if turn.raw is not None:
        writer.write(turn.raw)
        return await writer.drain()
    head = [f"HTTP/1.1 {turn.status} {turn.status}", *(f"{name}: {value}" for name, value in turn.headers.items())]
    writer.write("\r\n".join([*head, "transfer-encoding: chunked", "", ""]).encode("latin-1"))
    for step in turn.steps:
        if isinstance(step, bytes):
            writer.write(b"%x\r\n%b\r\n" % (len(step), step))
            await writer.drain()
        else:
            await asyncio.sleep(step)
    if not turn.cut:
        writer.write(b"0\r\n\r\n")
    return await writer.drain()
