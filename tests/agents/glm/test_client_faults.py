"""The client against servers and networks that fail, dawdle, or say what is no answer."""

import asyncio
import contextlib
import json
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.agents.glm.talk import QUICK, Talk, call

from open_autoglm.agents.glm import faults
from open_autoglm.agents.glm.client import HttpModel
from open_autoglm.agents.glm.endpoint import Endpoint, Timing
from open_autoglm.agents.glm.faults import FaultServer, Turn
from open_autoglm.agents.glm.wire import Finish
from open_autoglm.errors import EndpointFailed

KEYS = st.sampled_from(
    ["choices", "delta", "message", "content", "reasoning", "reasoning_content", "refusal", "finish_reason", "usage", "prompt_tokens",
     "completion_tokens", "prompt_tokens_details", "cached_tokens", "model", "error", "code", "index"]
)  # fmt: skip
CHUNKS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["stop", "length", "text", ""])
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
"""Any JSON that looks a little like the protocol."""

# --- failures that pass ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        faults.complains(500),
        faults.complains(503),
        faults.complains(429),
        faults.complains(429, retry_after="0"),
        faults.breaks_off("half an ans"),
        faults.breaks_off(""),
        faults.ends_early("half an ans"),
        faults.complains_midway("half an ans"),
        faults.sends(b"data: {broken\n\n"),
        faults.sends(b"data: \xff\xfe\n\n"),
        faults.sends(b'data: {"choices": [{"delta": 5}]}\n\n'),
        faults.sends(b'data: "words"\n\n'),
        faults.sends(b"%PDF-1.7 not a stream", content_type="application/pdf"),
        faults.sends(b"{not json", content_type="application/json"),
        faults.sends(),
        faults.sends(b"data: " + b"[" * 200_000 + b"\n\n"),
        faults.sends(b"[" * 200_000, content_type="application/json"),
        faults.speaks(b""),
        faults.speaks(b"SSH-2.0-OpenSSH_9.6\r\n"),
        faults.speaks(
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\ncontent-type: text/event-stream\r\n\r\ndata: {}\n\n"
        ),
        faults.speaks(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nnot gzip at all"),
        faults.speaks(b"HTTP/1.1 500 No\r\ncontent-type: application/json\r\n\r\n" + b"[" * 200_000),
        faults.speaks(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n"),
    ],
)
def test_what_passes_is_tried_again(talk: Talk, fault: Turn) -> None:
    """Errors of the server, a connection that breaks, an answer that is not in the protocol; nothing of it is in the reply."""
    reply = talk(fault, faults.says("a whole answer"))

    assert (reply.text, reply.retries) == ("a whole answer", 1)


def test_an_endpoint_that_is_gone_is_tried_once_more_and_no_oftener(talk: Talk) -> None:
    """After all tries failed, the next call does not begin to count again; one that is answered does."""
    gone = [faults.complains(503)]
    with pytest.raises(EndpointFailed, match="again"):
        talk(*gone * 3, *gone, calls=[call(), call()], patient=True)
    assert len(talk.bodies) == 4
    talk(*gone * 3, faults.says("back"), *gone * 2, faults.says("ok"), calls=[call(), call(), call()], patient=True)

    assert [reply.text for reply in talk.replies] == ["back", "ok"]


@given(data=st.binary(max_size=300), in_event=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_an_answer_or_a_failure(talk: Talk, data: bytes, in_event: bool) -> None:  # noqa: FBT001  # drawn
    """Nothing that a server can send raises anything else."""
    turn = faults.sends(b"data: " + data + b"\n\n") if in_event else faults.speaks(data)
    with pytest.raises(EndpointFailed):
        talk(turn, timing=replace(QUICK, retries=0))


@given(chunks=st.lists(CHUNKS, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_an_answer_or_a_failure(talk: Talk, chunks: list[object]) -> None:
    """Also where it looks like the protocol."""
    turn = faults.sends(*[b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks])
    with contextlib.suppress(EndpointFailed):
        assert isinstance(talk(turn, timing=replace(QUICK, retries=0)).text, str)


def test_tries_are_bounded(talk: Talk) -> None:
    """Then it is an error that says how often."""
    with pytest.raises(EndpointFailed, match=r"status 503 \(out of order\), 3 times in a row"):
        talk(*[faults.complains(503)] * 9)

    assert len(talk.bodies) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 409, 418])
def test_what_does_not_pass_is_not_tried_again(talk: Talk, status: int) -> None:
    """A wrong key or model stays wrong."""
    with pytest.raises(EndpointFailed):
        talk(faults.complains(status), faults.says("never asked"))

    assert len(talk.bodies) == 1


def test_a_long_pause_that_is_asked_for_is_no_pause(talk: Talk) -> None:
    """A run does not wait an hour: recipes go on."""
    with pytest.raises(EndpointFailed, match="asks to wait 3600 s"):
        talk(faults.complains(429, retry_after="3600"))


def test_a_pause_that_is_asked_for_is_made(talk: Talk) -> None:
    """Retry-After is honoured."""
    began = time.monotonic()
    talk(faults.complains(429, retry_after="0.2"), faults.says("ok"))

    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    "header", ["nan", "inf", "-1", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 99 Foo 99999", "1e-3", ""]
)
def test_a_pause_that_is_none_is_not_made(talk: Talk, header: str) -> None:
    """A date that is over, and what nobody can wait for."""
    reply = talk(faults.complains(429, retry_after=header), faults.says("ok"))

    assert (reply.text, reply.retries) == ("ok", 1)
    assert reply.seconds < 1


def test_nobody_at_home_is_an_error_within_moments(tmp_path: Path) -> None:
    """What to check is in the message."""
    endpoint = Endpoint(base_url="http://127.0.0.1:1/v1", unix_socket=tmp_path / "nobody", timing=QUICK)

    async def ask() -> None:
        model = HttpModel(endpoint)
        try:
            await model.ask(call())
        finally:
            await model.close()

    with pytest.raises(EndpointFailed, match=r"http://127.0.0.1:1/v1 could not be reached.*Is it running"):
        asyncio.run(ask())


# --- time ------------------------------------------------------------------------------------------------------------------

IMPATIENT = Timing(first_token_seconds=0.2, idle_seconds=0.1, call_seconds=5, retries=1, backoff_seconds=0.001)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (faults.says("late").after(3), r"said nothing for 0.2 s"),
        (faults.falls_silent("I would"), r"said nothing for 0.1 s"),
        (faults.keeps_alive(0.02), r"said nothing for 0.2 s"),
    ],
)
def test_silence_is_not_waited_for(talk: Talk, fault: Turn, told: str) -> None:
    """Nor is it tried again: neither signs of life nor empty pieces are an answer."""
    with pytest.raises(EndpointFailed, match=told):
        talk(fault, timing=IMPATIENT if "0.2" in told else replace(IMPATIENT, first_token_seconds=5))

    assert len(talk.bodies) == 1


@pytest.mark.slow
def test_a_slow_answer_is_waited_for(talk: Talk) -> None:
    """Longer than the idle time in all, as long as something comes."""
    timing = replace(IMPATIENT, first_token_seconds=5, idle_seconds=0.8)
    reply = talk(faults.says("word " * 20, piece_chars=5, pause_seconds=0.05), timing=timing)

    assert reply.text == "word " * 20
    assert reply.seconds > 0.8


def test_a_call_has_an_end(talk: Talk) -> None:
    """A drip that never falls silent is cut by the time-out of the call."""
    timing = Timing(first_token_seconds=0.2, idle_seconds=0.2, call_seconds=0.3)
    with pytest.raises(EndpointFailed, match=r"no whole answer within 0.3 s"):
        talk(faults.says("drip" * 400, piece_chars=1, pause_seconds=0.01), timing=timing)


def test_silence_after_the_end_costs_the_usage_only(talk: Talk) -> None:
    """The answer counts, and its tokens are estimated."""
    turn = faults.says("ok")
    reply = talk(Turn(steps=[*turn.steps[:-2], faults.FOREVER]), timing=IMPATIENT)

    assert reply.text == "ok"
    assert reply.usage.prompt > 0
    assert reply.usage.output == 1


# --- what is not an answer --------------------------------------------------------------------------------------------------


def test_repetition_is_cut(talk: Talk) -> None:
    """The same sentence 20,000 times is heard for a moment, and stands once in the reply."""
    reply = talk(faults.repeats("I will now write the code. ", 20_000))

    assert (reply.text, reply.finish) == ("I will now write the code. ", Finish.REPETITION)
    assert reply.usage.output < 500


def test_more_than_was_asked_for_is_cut(talk: Talk) -> None:
    """A server that ignores the limit does not fill our memory."""
    turn = faults.says(random.Random(0).randbytes(1 << 20).hex(), piece_chars=1_000)
    reply = talk(turn, calls=[call(max_tokens=50)])

    assert reply.finish is Finish.LENGTH
    assert len(reply.text) < 6_000


def test_a_refusal_is_told_from_an_answer(talk: Talk) -> None:
    """By the protocol's field, or by a filter."""
    reply = talk(faults.declines("I must not."), faults.says("", finish="content_filter"), calls=[call(), call()])

    assert talk.replies[0].text == "I must not."
    assert [heard.finish for heard in talk.replies] == [Finish.REFUSAL] * 2
    assert reply.text == ""


def test_an_empty_answer_is_an_answer(talk: Talk) -> None:
    """It is for the caller to judge."""
    assert talk(faults.says("")).text == ""


def test_a_web_page_is_named(talk: Talk) -> None:
    """The commonest mistake is the address of a web page."""
    with pytest.raises(EndpointFailed, match="web page"):
        talk(faults.sends(b"<html>hello</html>", content_type="text/html; charset=utf-8"))


# --- several at once ------------------------------------------------------------------------------------------------------


def test_calls_run_side_by_side(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Eight calls of 0.1 s take little more than one."""

    async def together() -> float:
        turns = [faults.says("ok").after(0.1)] * 8
        async with FaultServer(turns, unix_socket=tmp_path_factory.mktemp("t") / "s") as server:
            model = HttpModel(server.endpoint(timing=QUICK))
            await model.served()
            began = time.monotonic()
            await asyncio.gather(*[model.ask(call()) for _ in range(8)])
            await model.close()
            return time.monotonic() - began

    assert asyncio.run(together()) < 0.5


def test_a_cancelled_call_hangs_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A server need not go on for nobody."""

    async def cancel() -> int:
        turn = faults.says("drip" * 1000, piece_chars=1, pause_seconds=0.005)
        async with FaultServer([turn], unix_socket=tmp_path_factory.mktemp("t") / "s") as server:
            model = HttpModel(server.endpoint(timing=QUICK))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(model.ask(call()), 0.2)
            await asyncio.sleep(0.05)
            await model.close()
            return server.hung_up

    assert asyncio.run(cancel()) == 1
