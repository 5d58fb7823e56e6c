"""Texts made harmless for a prompt: no control characters, no tokens of a chat's frame, no more than so many characters."""

import json
import re
from collections.abc import Callable

from open_autoglm.sandbox.supervision.streams import sanitise

_FRAME = re.compile(
    r"<(?=[|｜])"  # <|system|> and its kin, of any family of models
    r"|<(?=/?(?:think|tool_call|tool_response|tool_calls|tools|arg_key|arg_value|sop|eop|bos|eos|s|pad|unk|image|"
    r"start_of_turn|end_of_turn|system|user|assistant|observation)\b[^<>\n]{0,40}>)"
    r"|<(?=<SYS>>|</SYS>>|/SYS>>)"
    r"|\[(?=(?:g|s)?MASK\]|/?INST\]|CLS\]|SEP\]|/?SYSTEM_PROMPT\]|/?AVAILABLE_TOOLS\]|TOOL_CALLS\])"
    r"|/(?=(?:no)?_?think\b)",
    re.IGNORECASE,
)
"""Where a token of a chat's frame begins (GLM's, and those of other families behind the same protocol)."""

_ESCAPED = re.compile(r"\\u(003c|005b|002f)", re.IGNORECASE)


def disarmed(text: str) -> str:
    r"""Write the first character of every frame token as an escape (`\u003c|system|>`): in a Python literal it means the same."""
    return _FRAME.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def armed(text: str) -> str:
    """Take back what `disarmed` did."""
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return plain if disarmed(plain) == text else text


def cleaned(text: str) -> str:
    """Return text without control characters, frame tokens and half surrogate pairs; lines stay lines."""
    return disarmed(sanitise(text.encode("utf-8", "replace").decode()))


def quoted(text: str, limit: int = 80) -> str:
    """Return text as one quoted piece of a line, cut where it is too long."""
    plain = sanitise(text.encode("utf-8", "replace").decode())
    more = len(plain) - limit
    return disarmed(json.dumps(plain[:limit], ensure_ascii=False)) + (
        f"... ({more} more characters)" if more > 0 else ""
    )


def shortened(text: str, limit: int, change: Callable[[str], str] = str) -> str:
    """Return the beginning and the end of a text that is too long, and in between how much was left out; what is kept, changed."""
    if len(text) <= limit:
        return change(text)
    head = limit // 3
    tail = limit - head
    gone = f"... ({len(text) - limit} characters left out) ..."
    return "\n".join([change(text[:head]), gone, change(text[len(text) - tail :])])
