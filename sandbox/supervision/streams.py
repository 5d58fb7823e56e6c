"""Output of untrusted code: bounded, hashed, and harmless to a terminal, a page and a prompt."""

import hashlib
import re
import unicodedata

from open_autoglm.sandbox.report_pb2 import Stream

HEAD_BYTES = 8 << 10
TAIL_BYTES = 24 << 10

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?"  # operating-system commands: titles, links, the clipboard
    r"|\x1b[PX^_][^\x1b]{0,4096}(?:\x1b\\)?"  # device control and privacy strings
    r"|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]?"  # colours, cursor movement, everything shorter
)
_BAD_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_WANTED_CONTROLS = "\n\t\u200c\u200d"  # joiners are part of ordinary words in some scripts
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def sanitise(text: str) -> str:
    """Replace what could move a cursor, hide text or reorder it; keep of overwritten lines what would be seen last."""
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = _ESCAPES.sub(REPLACEMENT, text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in _WANTED_CONTROLS or unicodedata.category(c) not in _BAD_CATEGORIES else REPLACEMENT for c in text
    )


class BoundedStream:
    """Takes any number of bytes and keeps the first and the last few, the count and the hash of all."""

    def __init__(self) -> None:
        self.total_bytes = 0
        self._head, self._tail = bytearray(), bytearray()
        self._hash = hashlib.sha256()

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self.total_bytes += len(data)
        self._hash.update(data)
        room = max(0, HEAD_BYTES - len(self._head))
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 4 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]

    def as_message(self) -> Stream:
        """Return what the report keeps; `tail` is empty where `head` holds everything."""
        complete = len(self._head) + len(self._tail) == self.total_bytes and len(self._tail) <= TAIL_BYTES
        head = bytes(self._head + self._tail) if complete else bytes(self._head)
        tail = b"" if complete else bytes(self._tail[-TAIL_BYTES:])
        return Stream(
            head=sanitise(head.decode("utf-8", "backslashreplace")),
            tail=sanitise(tail.decode("utf-8", "backslashreplace")),
            total_bytes=self.total_bytes,
            sha256=self._hash.hexdigest(),
        )
