"""The client of an endpoint: one call in, one reply out, whatever the endpoint and the network do in between.

    ask -> _ask_as_it_may_be -> _again -> _ask_once -> _listen

each layer adding one thing: the time-out and what is served; a prompt that fits, and no field that the endpoint refuses; tries
after failures that pass; time-outs of the stream; the answer.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from openai import APIError, APIStatusError, AsyncOpenAI, AsyncStream

from open_autoglm.agents.glm.complaints import AskedWrongly, Passing, meaning
from open_autoglm.agents.glm.context import Window
from open_autoglm.agents.glm.endpoint import Endpoint, connections
from open_autoglm.agents.glm.hearing import Hearing
from open_autoglm.agents.glm.protocol import Chunk, ServedModel, ServedModels, Tokenized, body_of, sent_options
from open_autoglm.agents.glm.wire import Call, Reply
from open_autoglm.errors import EndpointFailed

T = TypeVar("T")

FITS = 3
"""How often a prompt is made shorter for a server that counts more tokens than we."""
GUESSES = (
    ("thinking_token_budget", "chat_template_kwargs", "reasoning"),
    ("seed", "stream_options"),
    ("response_format",),
)
"""What is left out, group after group, for an endpoint that refuses a request and does not say what of it."""
SHORT_SECONDS = 10.0
"""For small questions: what is served, how many tokens."""
LAST_WORDS_SECONDS = 5.0
"""How long after the end of an answer the server may tell what it counted."""
_COUNTED_FIELDS = ("model", "messages", "chat_template_kwargs")
MOST_DOUBLINGS = 16
"""Beyond so many doublings a pause does not grow."""


class HttpModel:
    """A language model behind an OpenAI-compatible endpoint. Belongs to the event loop that first asks it.

    Args:
        endpoint: Where it is.
        rng: What pauses between tries are drawn from.
    """

    def __init__(self, endpoint: Endpoint, *, rng: random.Random | None = None) -> None:
        self.endpoint = endpoint
        self.name = endpoint.model or ""
        self.context_tokens = endpoint.context_tokens
        self.window = Window(endpoint.context_tokens, self.count_tokens)
        self._rng = rng or random.Random()  # noqa: S311  # spreads tries, protects nothing
        self._http = connections(endpoint)
        self._sdk = AsyncOpenAI(  # the key is put on by `connections`, so that nothing in the library can show it
            base_url=endpoint.base_url, api_key="not-sent", max_retries=0, http_client=self._http
        )
        self._served: list[ServedModel] | None = None
        self._asking = asyncio.Lock()
        self._refused: set[str] = set()
        self._refused_schemas: set[str] = set()
        self._counts_tokens = True
        self._gone = False
        """Whether the last question found nobody, after all tries: the next is tried once."""

    def __repr__(self) -> str:
        return f"HttpModel({self.endpoint.shown!r}, model={self.name!r})"

    @property
    def refused(self) -> frozenset[str]:
        """Fields of requests that the endpoint was found to refuse."""
        return frozenset(self._refused | ({"response_format"} if self._refused_schemas else set()))

    async def served(self) -> Sequence[ServedModel]:
        """Return what the endpoint serves, asked once. An endpoint without a list has an empty one.

        Raises:
            EndpointFailed: It is not there, refuses the key, or serves nothing and no model was named.
        """
        async with self._asking:
            if self._served is None:
                served, _ = await self._again(self._list_models)
                self._choose(served)
                self._served = served
            return self._served

    async def ask(self, call: Call) -> Reply:
        """Answer one call.

        Raises:
            EndpointFailed: Nobody answered, too late, or not in the protocol, after all retries.
            PromptTooLong: What the call cannot do without does not fit into the context.
        """
        began = time.monotonic()
        limit = self.endpoint.timing.call_seconds
        try:
            async with asyncio.timeout(limit):
                await self.served()
                reply = await self._ask_as_it_may_be(call)
        except TimeoutError:
            raise EndpointFailed(f"{self.endpoint.shown} gave no whole answer within {limit:g} s.") from None
        return replace(reply, seconds=time.monotonic() - began)

    async def count_tokens(self, call: Call) -> int | None:
        """Return how many tokens the prompt of a call has, by the server's own count; None where it does not count."""
        if not self._counts_tokens:
            return None
        body = body_of(call, self.name, self._refused_for(call))
        asked: dict[str, Any] = {name: body[name] for name in _COUNTED_FIELDS if name in body}
        try:
            async with asyncio.timeout(SHORT_SECONDS):
                answer = await self._sdk.post(
                    f"{self.endpoint.root}/tokenize", cast_to=object, body={**asked, "add_generation_prompt": True}
                )
            return Tokenized.model_validate(answer).count
        except (APIError, ValueError, RecursionError, TimeoutError):  # an estimate will do
            self._counts_tokens = False
            return None

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
        await self._http.aclose()

    # --- what is served ------------------------------------------------------------------------------------------

    async def _list_models(self) -> list[ServedModel]:
        try:
            async with asyncio.timeout(SHORT_SECONDS):
                answer = await self._sdk.get("/models", cast_to=object)
            return ServedModels.model_validate(answer).data
        except TimeoutError:
            raise EndpointFailed(
                f"{self.endpoint.shown} did not say within {SHORT_SECONDS:g} s what it serves."
            ) from None
        except APIError as error:
            if not (isinstance(error, APIStatusError) and error.status_code in (404, 405, 501)):
                raise
        except (ValueError, RecursionError):  # an answer, and no list
            pass
        if self.endpoint.model is None:
            raise EndpointFailed(
                f"{self.endpoint.shown} does not list its models. Name one with --model, and see that the address is the whole one: "
                "most end in /v1."
            )
        return []

    def _choose(self, served: Sequence[ServedModel]) -> None:
        """Take the named model, or else the first that is no adapter, and what is known of its context."""
        if not self.name:
            whole = [model for model in served if model.parent is None] or served
            if not whole:
                raise EndpointFailed(f"{self.endpoint.shown} serves no model. Start one, or name it with --model.")
            self.name = whole[0].id
        told = next((model.context_tokens for model in served if model.id == self.name), None)
        known = [tokens for tokens in (told, self.endpoint.context_tokens) if tokens is not None]
        self._set_context(min(known, default=None))

    def _set_context(self, tokens: int | None) -> None:
        self.context_tokens = self.window.tokens = tokens

    # --- layers of a call ----------------------------------------------------------------------------------------

    async def _ask_as_it_may_be(self, call: Call) -> Reply:
        guessed: set[str] = set()
        guesses, fits = iter(GUESSES), iter(range(FITS))
        while True:
            fitting = await self.window.fit(call)
            body = body_of(fitting, self.name, self._refused_for(call))
            try:
                reply, retries = await self._again(lambda: self._ask_once(fitting, body))  # noqa: B023  # awaited here
            except AskedWrongly as refusal:
                if refusal.is_too_long and next(fits, None) is not None:
                    self._set_context(self.context_tokens or refusal.window_tokens)
                    self.window.narrow()
                    continue
                named = refusal.named(sent_options(body))
                dropped = {named} if named else set(next(guesses, ()))
                if not dropped:
                    self._forget(guessed, call)  # whatever is wrong, it is none of these
                    raise EndpointFailed(f"{self.endpoint.shown} refuses the request: {refusal}.") from None
                guessed |= set() if named else dropped - self._refused
                self._learn(dropped, call)
            else:
                self.window.estimate.learn(fitting, reply.usage.prompt)
                return replace(reply, retries=retries, asked=None if fitting is call else fitting)

    def _refused_for(self, call: Call) -> set[str]:
        """Return what is left out of a call. A schema that was refused says nothing of others."""
        return self._refused | ({"response_format"} if repr(call.schema) in self._refused_schemas else set())

    def _learn(self, fields: set[str], call: Call) -> None:
        self._refused |= fields - {"response_format"}
        if "response_format" in fields:
            self._refused_schemas.add(repr(call.schema))

    def _forget(self, fields: set[str], call: Call) -> None:
        self._refused -= fields
        if "response_format" in fields:
            self._refused_schemas.discard(repr(call.schema))

    async def _again(self, question: Callable[[], Awaitable[T]]) -> tuple[T, int]:
        """Return the answer to a question, and how many tries failed before it.

        Raises:
            AskedWrongly: The server refuses the question as it stands.
            EndpointFailed: It gave no answer in so many tries, or none that another try would better.
        """
        failed = 0
        while True:
            try:
                answer = await question()
            except APIError as error:
                failure = meaning(error, self.endpoint, self.name)
            except Passing as passing:
                failure = passing
            else:
                self._gone = False
                return answer, failed
            if not isinstance(failure, Passing):
                raise failure from None
            await asyncio.sleep(self._pause(failure, failed))
            failed += 1

    def _pause(self, failure: Passing, failed: int) -> float:
        """Return how many seconds to wait before the next try: what the server asks for, else by full jitter."""
        timing = self.endpoint.timing
        if failed >= timing.retries or (self._gone and not failure.crowded):
            self._gone = not failure.crowded
            often = f"{failed + 1} times in a row" if failed else "again"
            raise EndpointFailed(f"{failure}, {often}. Is it running, and is the address right?") from None
        asked = failure.pause_seconds
        if asked is not None and asked > timing.longest_pause_seconds:
            raise EndpointFailed(f"{failure} and asks to wait {asked:.0f} s, which is too long for a run.") from None
        longest = min(timing.backoff_seconds * 2 ** min(failed, MOST_DOUBLINGS), timing.longest_pause_seconds)
        return (asked or 0.0) + self._rng.uniform(0, longest)

    async def _ask_once(self, call: Call, body: dict[str, Any]) -> Reply:
        timing = self.endpoint.timing
        hearing = Hearing(call, self.window.estimate.of_call(call))
        try:
            async with asyncio.timeout(timing.first_token_seconds) as watch:
                await self._listen(hearing, body, watch)
        except TimeoutError:
            if hearing.finish is None:
                waited = timing.first_token_seconds if not hearing.heard else timing.idle_seconds
                raise EndpointFailed(f"{self.endpoint.shown} said nothing for {waited:g} s.") from None
        except APIError:
            if hearing.finish is None:
                raise
        except (ValueError, RecursionError) as error:  # neither JSON, nor UTF-8, nor what the protocol says
            if hearing.finish is None:
                raise Passing(
                    f"{self.endpoint.shown} sent what is not in the protocol ({type(error).__name__})"
                ) from error
        if hearing.finish is None:
            why = f": {hearing.broke_off}" if hearing.broke_off else ""
            raise Passing(f"{self.endpoint.shown} broke off in the middle of an answer{why}")
        return hearing.reply()

    async def _listen(self, hearing: Hearing, body: dict[str, Any], watch: asyncio.Timeout) -> None:
        timing, clock = self.endpoint.timing, asyncio.get_running_loop().time
        stream = await self._sdk.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object]
        )
        async with stream:
            kind = stream.response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/json":  # an endpoint that does not stream
                hearing.take(Chunk.model_validate_json(await stream.response.aread()))
                return
            if kind == "text/html":
                raise EndpointFailed(
                    f"{self.endpoint.shown} answers with a web page. Give the address of the API; most end in /v1."
                )
            async for event in stream:
                if hearing.take(Chunk.model_validate(event)):
                    patience = timing.idle_seconds if hearing.finish is None else LAST_WORDS_SECONDS
                    watch.reschedule(clock() + min(patience, timing.idle_seconds))
                if hearing.cut or hearing.broke_off:
                    return
