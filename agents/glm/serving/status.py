"""How a model server fares: what it serves, its load, its speed, and how much of the prompts it finds in its cache."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from pydantic import BaseModel, ValidationError

from open_autoglm.agents.glm.endpoint import Endpoint
from open_autoglm.agents.glm.serving.metrics import Counts, read_counts
from open_autoglm.errors import EndpointFailed

ANSWER_SECONDS = 10.0
SAMPLE_SECONDS = 1.0
"""Between the two looks that speed is told from."""


class _Card(BaseModel):
    id: str
    max_model_len: int | None = None
    parent: str | None = None


class _Cards(BaseModel):
    data: Sequence[_Card]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model that an endpoint serves."""

    name: str
    context_tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What was seen of an endpoint."""

    models: Sequence[Served]
    adapters: Sequence[str]
    """Names of the LoRA adapters that are loaded."""
    counts: Counts | None
    """None where the endpoint shows no metrics of vLLM."""
    read_per_second: float | None = None
    """Prompt tokens per second between the two looks, those found in the cache included."""
    written_per_second: float | None = None


class Pages:
    """What an endpoint tells beside its answers: what it serves, and its metrics."""

    def __init__(self, endpoint: Endpoint, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Nothing is asked yet."""
        self.shown = endpoint.shown
        self._root = endpoint.root
        self._seconds = answer_seconds
        self._session = requests.Session()
        self._session.trust_env = not endpoint.is_loopback  # no proxy before loopback
        if endpoint.api_key is not None:
            self._session.headers["Authorization"] = f"Bearer {endpoint.api_key.get_secret_value()}"

    def __enter__(self) -> "Pages":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of connections."""
        self._session.close()

    def served(self) -> tuple[Sequence[Served], Sequence[str]]:
        """Return the models, and the adapters that are loaded beside them.

        Raises:
            EndpointFailed: Nobody answers, or not as the protocol says.
        """
        answer = self._request("GET", f"{self.shown}/models")
        if not answer.ok:
            raise EndpointFailed(f"{self.shown} answers {_told(answer)} when asked for its models.")
        try:
            cards = _Cards.model_validate_json(answer.content).data
        except ValidationError:
            raise EndpointFailed(f"{self.shown} is no OpenAI-compatible endpoint: it lists no models.") from None
        models = [Served(name=card.id, context_tokens=card.max_model_len) for card in cards if card.parent is None]
        return models, [card.id for card in cards if card.parent is not None]

    def counts(self) -> Counts | None:
        """Return what a vLLM server counts; None for any other.

        Raises:
            EndpointFailed: Nobody answers.
        """
        answer = self._request("GET", f"{self._root}/metrics")
        return read_counts(answer.text) if answer.ok else None

    def loads_adapters(self) -> bool:
        """Whether LoRA adapters can be loaded while it runs. Asks for none: a request without a name is refused as such.

        Raises:
            EndpointFailed: Nobody answers.
        """
        return self._request("POST", f"{self.shown}/load_lora_adapter", json={}).status_code in (400, 422)

    def _request(self, method: str, url: str, *, json: Mapping[str, Any] | None = None) -> requests.Response:
        try:
            return self._session.request(method, url, json=json, timeout=self._seconds, allow_redirects=False)
        except requests.RequestException as error:
            raise EndpointFailed(
                f"{self.shown} does not answer ({type(error).__name__}). `autoglm glm serve` starts a model here; --base-url names another endpoint."
            ) from None


def _told(answer: requests.Response) -> str:
    return (
        "that a key is needed (AUTOGLM_API_KEY)" if answer.status_code == 401 else f"with status {answer.status_code}"
    )


def look(
    pages: Pages, *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
) -> Status:
    """Look twice at an endpoint, a second apart.

    Raises:
        EndpointFailed: Nobody answers, or not as the protocol says.
    """
    models, adapters = pages.served()
    first, began = pages.counts(), clock()
    if first is None:
        return Status(models=models, adapters=adapters, counts=None)
    sleep(SAMPLE_SECONDS)
    second, seconds = pages.counts() or first, clock() - began
    return Status(
        models=models,
        adapters=adapters,
        counts=second,
        read_per_second=max(second.prompt_tokens - first.prompt_tokens, 0) / seconds,
        written_per_second=max(second.output_tokens - first.output_tokens, 0) / seconds,
    )
