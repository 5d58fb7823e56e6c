"""What we rely on in vLLM, tried on the real one with GLM's real architectures: schema, thinking, stream, counts, cache, adapters, status."""

import asyncio
import importlib
import json
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import requests
from pydantic import BaseModel
from tests.agents.glm.served.conftest import TinyGLM

from open_autoglm.agents import glm
from open_autoglm.agents.glm.asking import SCHEMA, ask_endpoint
from open_autoglm.agents.glm.client import HttpModel
from open_autoglm.agents.glm.decisions import read, schema_of
from open_autoglm.agents.glm.endpoint import Endpoint
from open_autoglm.agents.glm.serving.metrics import Counts
from open_autoglm.agents.glm.serving.status import Pages, look
from open_autoglm.agents.glm.sharing.shared import Shared
from open_autoglm.agents.glm.wire import Call, Finish, Message, Part, Purpose, Reply

pytestmark = pytest.mark.vllm
DECISIONS = {"tiny_moe": 160, "tiny_dense": 40}
SIDE_BY_SIDE = 8


def call(text: str, *, prefix: str = "You write code.", **options: Any) -> Call:
    messages = [
        Message(role="system", parts=[Part(text=Shared(prefix))]),
        Message(role="user", parts=[Part(text=Shared(text))]),
    ]
    return replace(Call(purpose=Purpose.PLAN, messages=messages, thinking=0, max_tokens=32), **options)


def asked(tiny: TinyGLM, *calls: Call, model: str | None = None) -> Sequence[Reply]:
    """Put the calls side by side, eight at a time."""

    async def all_of_them() -> Sequence[Reply]:
        client = HttpModel(Endpoint(base_url=tiny.base_url, model=model))
        free = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(question: Call) -> Reply:
            async with free:
                return await client.ask(question)

        try:
            return await asyncio.gather(*map(one, calls))
        finally:
            await client.close()

    return asyncio.run(all_of_them())


def said(tiny: TinyGLM, model: str) -> str:
    """Return the likeliest twelve words of a model or adapter."""
    asks = {"model": model, "prompt": "def fit(", "temperature": 0, "min_tokens": 12, "max_tokens": 12}
    return str(requests.post(f"{tiny.base_url}/completions", json=asks, timeout=60).json()["choices"][0]["text"])


def counts(tiny: TinyGLM) -> Counts:
    with Pages(Endpoint(base_url=tiny.base_url)) as pages:
        found = pages.counts()
    assert found is not None
    return found


def answers() -> Iterator[type[BaseModel]]:
    """Yield the classes that operators have a model answer by: those that are part of no other."""
    found: dict[str, type[BaseModel]] = {}
    for path in pkgutil.iter_modules([f"{folder}/operators" for folder in glm.__path__]):
        module = importlib.import_module(f"{glm.__name__}.operators.{path.name}")
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, BaseModel) and thing.__module__ == module.__name__:
                found[thing.__name__] = thing
    parts = {name for thing in found.values() for name in thing.model_json_schema().get("$defs", {})}
    yield from (thing for name, thing in found.items() if name not in parts)


@pytest.mark.parametrize("which", DECISIONS)
def test_every_decision_obeys_its_schema(which: str, request: pytest.FixtureRequest) -> None:
    """200 calls of a model that knows nothing, over the schemas of all operators: JSON that can be used, every time and at once.

    In texts of limited length the server lets control characters stand as they are, which strict JSON forbids and our reading does not.
    """
    tiny: TinyGLM = request.getfixturevalue(which)
    kinds = list(answers())
    wanted = [kinds[number % len(kinds)] for number in range(DECISIONS[which])]
    calls = [
        call(f"Decide, question {number}.", schema=schema_of(kind), seed=number, max_tokens=4096)
        for number, kind in enumerate(wanted)
    ]
    for question, kind, reply in zip(calls, wanted, asked(tiny, *calls), strict=True):
        assert reply.finish is Finish.STOP, (kind, reply.usage, reply.text[-200:])
        jsonschema.validate(json.loads(reply.text, strict=False), question.schema)
        assert read(reply, kind)[0] is not None, reply.text


@pytest.mark.parametrize("budget", [5, 20, 64])
def test_thinking_takes_its_budget_and_no_more(tiny_moe: TinyGLM, budget: int) -> None:
    """And an answer follows, also one by schema. In a stream the server counts some tokens of thinking too few."""
    free, decision = asked(
        tiny_moe, call("Think.", thinking=budget, seed=1), call("Think.", thinking=budget, seed=2, schema=SCHEMA)
    )
    for reply in (free, decision):
        assert 0.75 * budget <= reply.usage.reasoning <= budget
        assert reply.reasoning
        assert reply.text
    assert free.usage.output == budget + 32
    jsonschema.validate(json.loads(decision.text), SCHEMA)


def test_no_thinking_where_none_is_wanted(tiny_moe: TinyGLM) -> None:
    """Switched off by the template."""
    (reply,) = asked(tiny_moe, call("Write.", thinking=0))
    assert (reply.reasoning, reply.usage.reasoning) == ("", 0)
    assert reply.usage.output > 0


def test_answers_come_as_a_stream(tiny_moe: TinyGLM) -> None:
    """In many pieces, the first of which is there before the last."""
    asks = {
        "model": tiny_moe.name,
        "messages": [{"role": "user", "content": "Write."}],
        "max_tokens": 200,
        "stream": True,
    }
    with requests.post(f"{tiny_moe.base_url}/chat/completions", json=asks, stream=True, timeout=60) as answer:
        pieces = [line for line in answer.iter_lines() if line.startswith(b"data: {")]
    assert len(pieces) > 50
    (reply,) = asked(tiny_moe, call("Write.", max_tokens=200, seed=3))
    assert reply.first_token_seconds is not None
    assert reply.first_token_seconds < reply.seconds


def test_tokens_are_counted_as_the_server_charges_them(tiny_moe: TinyGLM, tiny_dense: TinyGLM) -> None:
    """`/tokenize` and the usage of the same call agree, so that what fits by our count is not refused."""

    async def both(tiny: TinyGLM, question: Call) -> tuple[int | None, int]:
        client = HttpModel(Endpoint(base_url=tiny.base_url))
        try:
            await client.served()
            return await client.count_tokens(question), (await client.ask(question)).usage.prompt
        finally:
            await client.close()

    for tiny in (tiny_moe, tiny_dense):
        for text in ("Write.", "def fit(train, ctx):\n    return 1\n" * 50, "预测乘客是否生还 ± 🙂"):
            counted, charged = asyncio.run(both(tiny, call(text)))
            assert counted == charged


def test_what_prompts_share_is_read_once(tiny_moe: TinyGLM) -> None:
    """After the first call at least 95 % of the tokens of a stable prefix come from the cache, by metrics and by usage alike."""
    prefix = "\n".join(f"Rule {number}: a solution has fit and predict, and reads no file." for number in range(300))
    (first,) = asked(tiny_moe, call("Attempt 0.", prefix=prefix))
    before = counts(tiny_moe)
    later = [asked(tiny_moe, call(f"Attempt {number}.", prefix=prefix))[0] for number in range(1, 6)]
    after = counts(tiny_moe)
    stable = first.usage.prompt - 20  # the turn that differs, and its frame
    assert (after.prefix_hits - before.prefix_hits) / (len(later) * stable) >= 0.95
    assert all(reply.usage.cached >= 0.95 * stable for reply in later)


def test_adapters_are_loaded_while_it_runs(tiny_dense: TinyGLM) -> None:
    """One from the start, one by request; both answer otherwise than the model without, and one can be taken out."""
    where = {"lora_name": "second", "lora_path": str(tiny_dense.adapter)}
    assert requests.post(f"{tiny_dense.base_url}/load_lora_adapter", json=where, timeout=60).ok
    with Pages(Endpoint(base_url=tiny_dense.base_url)) as pages:
        assert pages.served()[1] == ["first", "second"]
        plain, first, second = (said(tiny_dense, name) for name in ("tiny-dense", "first", "second"))
        assert first == second
        assert first != plain
        gone = {"lora_name": "second"}
        assert requests.post(f"{tiny_dense.base_url}/unload_lora_adapter", json=gone, timeout=60).ok
        assert pages.served()[1] == ["first"]


def test_the_status_counts_what_was_asked(tiny_moe: TinyGLM) -> None:
    """Tokens by the metrics are those of the usage; nothing runs when nobody asks."""
    before = counts(tiny_moe)
    replies = asked(tiny_moe, *(call(f"Write {number}.", seed=number) for number in range(8)))
    with Pages(Endpoint(base_url=tiny_moe.base_url)) as pages:
        status = look(pages)
    assert status.counts is not None
    assert status.counts.output_tokens - before.output_tokens == sum(reply.usage.output for reply in replies)
    assert status.counts.prompt_tokens - before.prompt_tokens == sum(reply.usage.prompt for reply in replies)
    assert (status.counts.running, status.written_per_second) == (0, 0.0)
    assert [(model.name, model.context_tokens) for model in status.models] == [("tiny-moe", 32768)]


def test_the_check_up_finds_what_each_can_do(tiny_moe: TinyGLM, tiny_dense: TinyGLM) -> None:
    """One thinks and loads no adapters, the other the reverse; both obey a schema."""
    thinker, dense = (ask_endpoint(Endpoint(base_url=tiny.base_url)) for tiny in (tiny_moe, tiny_dense))
    for found in (thinker, dense):
        assert found.suits
        assert found.metrics
    assert (thinker.thinks, thinker.caps_thinking, thinker.loads_adapters) == (True, True, False)
    assert (dense.thinks, dense.loads_adapters, list(dense.adapters)) == (False, True, ["first"])
