"""From an address to a language model that answers there."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from pydantic import SecretStr

from open_autoglm.agents.blocking import in_a_loop
from open_autoglm.agents.glm.wire import LanguageModel

Connect: TypeAlias = Callable[[str, str | None], LanguageModel]
"""Makes the model of an address; the name is that of the served model, None takes the one that is served."""
QUICK_SECONDS = 8.0
"""What the question whether anybody is there may take."""


def connected(base_url: str, model: str | None, *, key: str | None = None) -> LanguageModel:
    """Return the model behind an address, after it was asked what it serves.

    Raises:
        EndpointFailed: Nobody answers there, or serves this model.
        SettingsError: It is no address that a key may be sent to.
    """
    from open_autoglm.agents.glm.client import HttpModel  # noqa: PLC0415  # the client library takes a second to import
    from open_autoglm.agents.glm.endpoint import Endpoint, Timing  # noqa: PLC0415  # likewise

    endpoint = Endpoint(base_url=base_url, model=model, api_key=None if key is None else SecretStr(key))
    quick = Timing(connect_seconds=QUICK_SECONDS / 2, call_seconds=QUICK_SECONDS, retries=1)
    probe = HttpModel(replace(endpoint, timing=quick))

    async def asked() -> None:
        try:
            await probe.served()
        finally:
            await probe.close()

    in_a_loop(asked)
    return HttpModel(replace(endpoint, model=probe.name, context_tokens=probe.context_tokens))
