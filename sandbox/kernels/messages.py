"""The messages of Jupyter's protocol, by jupyter-client, as far as a host that believes nothing needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One that came: what it is, which request it claims to answer, what it holds."""

    kind: str
    parent: str
    content: Mapping[str, Any]


class Messages:
    """Writes and reads messages that are signed by one key."""

    def __init__(self, key: str) -> None:
        from jupyter_client.session import Session  # noqa: PLC0415 - takes a tenth of a second, and most runs need none

        self._session = Session(key=key.encode(), username="host", check_pid=False)

    def write(self, kind: str, content: Mapping[str, Any]) -> tuple[str, list[bytes]]:
        """Return the identity and the parts of a request."""
        message = self._session.msg(kind, dict(content))
        return message["header"]["msg_id"], self._session.serialize(message)

    def execute(self, code: str) -> tuple[str, list[bytes]]:
        """Return a request to execute this code, as `write` does."""
        return self.write(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
        )

    def read(self, parts: Sequence[bytes]) -> Message | None:
        """Return what was said, or None where it is no message or carries no signature of the key."""
        try:
            _, rest = self._session.feed_identities(list(parts))
            message = self._session.deserialize(rest)
            kind, parent, content = message["msg_type"], message["parent_header"].get("msg_id"), message["content"]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return None
        if not (isinstance(kind, str) and isinstance(content, dict)):
            return None
        return Message(kind=kind, parent=parent if isinstance(parent, str) else "", content=content)
