"""The key goes to the endpoint and nowhere else."""

import asyncio
import logging

import httpx2
import pytest
from pydantic import SecretStr
from tests.agents.glm.talk import Talk, call

from open_autoglm.agents.glm import endpoint, faults
from open_autoglm.agents.glm.endpoint import Endpoint, connections
from open_autoglm.errors import EndpointFailed, SettingsError

KEY = "sk-very-secret-0123456789"


def test_only_what_the_protocol_needs_is_sent(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither facts about this machine nor credentials for other services that stand in the environment."""
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-another-service")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-other: of-another-service")
    talk(faults.says("ok"), faults.says("ok"), calls=[call(), call()], key=KEY)

    for request in talk.server.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert {*request.headers} <= {"host", "accept", "content-type", "content-length", "connection", "user-agent", "authorization"}  # fmt: skip
        assert "of-another-service" not in str(request.headers)


def test_without_a_key_none_is_sent(talk: Talk) -> None:
    """Not even the library's own."""
    talk(faults.says("ok"))

    assert all("authorization" not in request.headers for request in talk.server.requests)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500])
def test_the_key_stands_in_no_message(talk: Talk, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where the server sends it back; neither in logs nor in what is printed of the client."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(EndpointFailed) as raised:
        talk(*[faults.complains(status, f"Incorrect key {KEY}\x1b[2J given")] * 5, key=KEY)

    told: BaseException | None = raised.value
    while told is not None:
        assert KEY not in f"{told!r} {told.__notes__ if hasattr(told, '__notes__') else ''}"
        told = told.__cause__
    assert "\x1b" not in str(raised.value)
    assert KEY not in caplog.text
    assert KEY not in f"{talk.model!r} {talk.model and talk.model.endpoint!r}"


def test_a_redirect_is_not_followed(talk: Talk) -> None:
    """The key would go with it; the message says where it would have led."""
    with pytest.raises(EndpointFailed, match=r"redirects to http://evil.example/v1, which is not followed"):
        talk(faults.redirects("http://evil.example/v1"), key=KEY)

    assert len(talk.server.asked) == 1


@pytest.mark.parametrize(
    "address", ["http://me:pass@host/v1", "https://host/v1?key=pass", "ftp://host/v1", "host:8000/v1", "http:///v1", "https://h/#pass"]
)  # fmt: skip
def test_an_address_that_gives_something_away_is_refused(address: str) -> None:
    """It would stand in messages and logs; the refusal does not repeat it."""
    with pytest.raises(SettingsError) as refused:
        Endpoint(base_url=address)

    assert "pass" not in str(refused.value).replace("password", "")


def test_what_crosses_a_network_in_the_clear_is_known() -> None:
    """Loopback and https are fine."""
    shows = {
        address: Endpoint(base_url=address, api_key=SecretStr("k")).shows_key
        for address in (
            "http://127.0.0.1/v1",
            "http://localhost:1/v1",
            "http://[::1]/v1",
            "https://h/v1",
            "http://h/v1",
        )
    }
    assert [address for address, shown in shows.items() if shown] == ["http://h/v1"]


@pytest.mark.parametrize("key", ["two words", "line\nend", "ключ", "nul\0"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key: str) -> None:
    """It would break the request, and its error would show it."""
    with pytest.raises(SettingsError) as refused:
        Endpoint(base_url="https://h/v1", api_key=SecretStr(key))

    assert key not in str(refused.value)


def test_a_request_elsewhere_is_not_sent() -> None:
    """Whatever the client library is told to ask."""

    async def ask_elsewhere() -> None:
        async with connections(Endpoint(base_url="http://127.0.0.1:1/v1", api_key=SecretStr(KEY))) as http:
            await http.get("http://127.0.0.1:2/v1/models")

    with pytest.raises(httpx2.UnsupportedProtocol, match="not the endpoint"):
        asyncio.run(ask_elsewhere())


def test_an_answer_without_end_is_cut(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is a single line, which the client library would keep whole."""
    monkeypatch.setattr(endpoint, "MAX_RESPONSE_BYTES", 50_000)
    with pytest.raises(EndpointFailed, match="more than 50,000 bytes"):
        talk(*[faults.sends(*[b"x" * 10_000] * 20)] * 3)
