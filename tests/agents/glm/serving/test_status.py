"""What is read of an endpoint beside its answers: counts of a page as vLLM writes it, models, adapters, and what stands for trouble."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from open_autoglm.agents.glm.endpoint import Endpoint
from open_autoglm.agents.glm.serving.metrics import Counts, read_counts, samples
from open_autoglm.agents.glm.serving.status import Pages, Served, look
from open_autoglm.errors import EndpointFailed

PAGE = Path(__file__).with_name("metrics.txt").read_text(encoding="utf-8")


def test_counts_are_summed_over_engines() -> None:
    """The fullest cache counts; what is no number, or of somebody else, does not."""
    assert read_counts(PAGE) == Counts(
        running=4,
        waiting=2,
        cache_usage=0.5,
        prompt_tokens=3369,
        output_tokens=3528,
        prefix_queries=3369,
        prefix_hits=1920,
        preemptions=0,
    )


def test_labels_may_hold_anything() -> None:
    """Quotes, commas and braces in a name do not end it."""
    first = next(samples(PAGE))
    assert first.labels["model_name"] == 'tiny \\"dense\\", v{2}'


def test_another_page_has_no_counts() -> None:
    """Nor a share of hits before the first question."""
    assert read_counts("process_open_fds 52.0\nhello\n") is None
    counts = read_counts("vllm:num_requests_running 0.0")
    assert counts is not None
    assert counts.prefix_share is None


class TwoLooks:
    """Pages that count on from look to look."""

    def __init__(self, *pages: str) -> None:
        self.pages = list(pages)

    def served(self) -> tuple[list[Served], list[str]]:
        return [Served(name="glm", context_tokens=10)], ["mine"]

    def counts(self) -> Counts | None:
        return read_counts(self.pages.pop(0))


def test_speed_is_told_from_two_looks() -> None:
    """By the time between them, and never negative where the server was started anew."""
    before, after = (f"vllm:generation_tokens_total {n}\nvllm:prompt_tokens_total {m}" for n, m in ((10, 9), (110, 1)))
    status = look(TwoLooks(before, after), sleep=lambda _: None, clock=iter([1.0, 3.0]).__next__)
    assert (status.written_per_second, status.read_per_second) == (50.0, 0.0)
    assert look(TwoLooks("nothing")).counts is None


class Played(http.server.BaseHTTPRequestHandler):
    """Answers each path as the test wants it."""

    answers: dict[str, tuple[int, str]] = {}
    keys: list[str | None] = []

    def do_GET(self) -> None:
        status, text = self.answers.get(self.path, (404, "{}"))
        self.keys.append(self.headers["Authorization"])
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """A server on loopback; returns its base URL."""
    Played.answers, Played.keys = {}, []
    with http.server.HTTPServer(("127.0.0.1", 0), Played) as played:
        thread = threading.Thread(target=played.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{played.server_address[1]}/v1"
        played.shutdown()
        thread.join()


@pytest.mark.service
def test_models_adapters_and_counts_are_asked_for(server: str) -> None:
    """With the key; an adapter is a model with a parent."""
    cards = [{"id": "glm", "max_model_len": 7}, {"id": "mine", "parent": "glm"}]
    Played.answers = {
        "/v1/models": (200, json.dumps({"data": cards})),
        "/metrics": (200, PAGE),
        "/v1/load_lora_adapter": (400, "{}"),
    }
    with Pages(Endpoint(base_url=server, api_key=SecretStr("k"))) as pages:
        assert pages.served() == ([Served(name="glm", context_tokens=7)], ["mine"])
        assert pages.counts() == read_counts(PAGE)
        assert pages.loads_adapters()
    assert set(Played.keys) == {"Bearer k"}


@pytest.mark.service
def test_trouble_is_told(server: str) -> None:
    """A key is needed, no list, something else, nobody."""
    pages = Pages(Endpoint(base_url=server))
    for answer, words in (
        ((401, ""), "AUTOGLM_API_KEY"),
        ((500, ""), "status 500"),
        ((200, "<html>"), "lists no models"),
    ):
        Played.answers["/v1/models"] = answer
        with pytest.raises(EndpointFailed, match=words):
            pages.served()
    assert pages.counts() is None
    assert not pages.loads_adapters()
    with (
        pytest.raises(EndpointFailed, match="does not answer"),
        Pages(Endpoint(base_url="http://127.0.0.1:1/v1")) as nobody,
    ):
        nobody.served()
