"""What went wrong at an endpoint, and what that means: try again, ask differently, or give up. Says it in words, without the key."""

import email.utils
import math
import re
import time
from collections.abc import Sequence

from openai import APIConnectionError, APIError, APIStatusError

from open_autoglm.agents.glm.endpoint import Endpoint
from open_autoglm.errors import EndpointFailed

LONGEST_QUOTE = 300

_TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size)|maximum.{0,20}tokens|max_model_len|too long|reduce the length|prompt.{0,20}longer",
    re.IGNORECASE,
)
_WINDOW = re.compile(r"(?:context length|context window|max_model_len)\D{0,30}(\d{3,8})", re.IGNORECASE)
_SPELLINGS = {
    "response_format": r"response_format|json[_ ]schema|structured.output|guided|grammar",
    "chat_template_kwargs": r"chat_template_kwargs|enable_thinking",
    "max_tokens": r"max_completion_tokens",
}


class Passing(Exception):
    """A failure after which the same call may succeed."""

    def __init__(self, message: str, *, pause_seconds: float | None = None, crowded: bool = False) -> None:
        super().__init__(message)
        self.crowded = crowded
        """Whether somebody is there, and asks for patience."""
        self.pause_seconds = pause_seconds
        """What the server asked to wait; None where it did not say."""


class AskedWrongly(Exception):
    """The server understood, and refuses the request as it stands."""

    @property
    def is_too_long(self) -> bool:
        """Whether the prompt and the answer do not fit into the context."""
        return _TOO_LONG.search(str(self)) is not None

    @property
    def window_tokens(self) -> int | None:
        """The context that the server speaks of, if it does."""
        found = _WINDOW.search(str(self))
        return int(found[1]) if found else None

    def named(self, fields: Sequence[str]) -> str | None:
        """Return which of the fields of the request the server complains of, if it names one."""
        for field in fields:
            if re.search(_SPELLINGS.get(field, rf"\b{field}\b"), str(self), re.IGNORECASE):
                return field
        return None


def meaning(error: APIError, endpoint: Endpoint, model: str) -> Passing | AskedWrongly | EndpointFailed:
    """Return what an error of the client library means."""
    if isinstance(error, APIConnectionError):
        cause = error.__cause__
        told = _quoted(endpoint, f"{type(cause).__name__}: {cause}" if cause else error.message)
        return Passing(f"{endpoint.shown} could not be reached, or broke off ({told})")
    told = _quoted(endpoint, _complaint(error))
    status = error.status_code if isinstance(error, APIStatusError) else _status_in(error)
    if status == 429 or status >= 500:
        pause = _pause_seconds(error.response.headers.get("retry-after")) if isinstance(error, APIStatusError) else None
        return Passing(
            f"{endpoint.shown} answered with status {status} ({told})", pause_seconds=pause, crowded=status == 429
        )
    if status in (400, 413, 422):
        return AskedWrongly(told)
    return EndpointFailed(_permanent(endpoint, model, status, told, error))


def _permanent(endpoint: Endpoint, model: str, status: int, told: str, error: APIError) -> str:
    if 300 <= status < 400:
        where = error.response.headers.get("location", "?") if isinstance(error, APIStatusError) else "?"
        return (
            f"{endpoint.shown} redirects to {_quoted(endpoint, where)}, which is not followed, since the key would go with it. "
            "Name that address as the endpoint if you trust it."
        )
    if status in (401, 403):
        return f"{endpoint.shown} refuses the key ({told}). Set AUTOGLM_API_KEY to one that it accepts."
    if status == 404:
        return (
            f"{endpoint.shown} knows no model {model!r}, or is not an endpoint ({told}). See which models it serves with "
            "`autoglm doctor`; most addresses end in /v1."
        )
    return f"{endpoint.shown} answered with status {status} ({told})."


def _status_in(error: APIError) -> int:
    """Return the status that an error in the middle of a stream names; 500 where it names none."""
    code = error.code or ""
    return int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 500


def _complaint(error: APIError) -> str:
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error") if isinstance(body.get("error"), dict) else body
        said = (inner or {}).get("message") or (inner or {}).get("detail")
        if isinstance(said, str):
            return f"{said} {error.param or ''}".strip()
    return error.message


def _quoted(endpoint: Endpoint, text: str) -> str:
    """Return a server's words on one line, bounded, without the key and without what a terminal would obey."""
    plain = " ".join(endpoint.without_key(text[:8_000]).split())
    return "".join(char for char in plain if char.isprintable())[:LONGEST_QUOTE]


def _pause_seconds(header: str | None) -> float | None:
    """Read a Retry-After: seconds, or a date; None where it is neither."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return math.nan
