"""What a kernel says that a cell put out, made harmless and bounded before anybody looks at it.

Text loses what a terminal would obey. HTML keeps tables and formatting: no script, style, link, form or picture, nothing that a page would
load or run. Pictures are PNG files of a bounded size, whose pixels are never decoded here. Other kinds are left out: every rich output
has its plain text beside it.
"""

import base64
import binascii
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from open_autoglm.sandbox.base import CellOutput
from open_autoglm.sandbox.kernels.messages import Message
from open_autoglm.sandbox.supervision.streams import BoundedStream, sanitise

MOST_PIECES = 100
TEXT_CHARACTERS = 32_000
HTML_CHARACTERS = 64_000
"""The cleaner's time grows with the square of what is nested."""
PNG_BYTES = 4 << 20
PNG_PIXELS = 25_000_000
_TAGS = {
    "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(slots=True)
class Outputs:
    """Collects what is said of one cell."""

    left_out: int = 0
    _pieces: list[CellOutput] = field(default_factory=list)
    _stream: BoundedStream = field(default_factory=BoundedStream)
    _name: Literal["stdout", "stderr"] | None = None

    def take(self, message: Message) -> None:
        """Take a message that belongs to the cell; those that are no output are left alone."""
        content = message.content
        if message.kind == "stream":
            self._print(content)
        elif message.kind in ("display_data", "update_display_data"):
            self._show("display", content)
        elif message.kind == "execute_result":
            self._show("result", content)
        elif message.kind == "error":
            self._fail(content)
        elif message.kind == "clear_output":
            self._flush()
            self._pieces.clear()

    def all(self) -> tuple[CellOutput, ...]:
        """Return what there is, in its order."""
        self._flush()
        return tuple(self._pieces)

    def _print(self, content: Mapping[str, Any]) -> None:
        name: Literal["stdout", "stderr"] = "stderr" if content.get("name") == "stderr" else "stdout"
        if name != self._name:
            self._flush()
            self._name = name
        self._stream.add(_COLOURS.sub("", _string(content.get("text"))).encode("utf-8", "backslashreplace"))

    def _flush(self) -> None:
        """End a stretch of printed text."""
        if self._name is None:
            return
        said = self._stream.as_message()
        cut = said.total_bytes - len(said.head.encode()) - len(said.tail.encode())
        text = said.head + (f"\n[... {cut:,} bytes left out ...]\n{said.tail}" if said.tail else "")
        self._add(CellOutput(kind=self._name, text=text))
        self._name, self._stream = None, BoundedStream()

    def _show(self, kind: Literal["display", "result"], content: Mapping[str, Any]) -> None:
        self._flush()
        data = content.get("data")
        if isinstance(data, dict):
            html, png = clean(_string(data.get("text/html"))), picture(_string(data.get("image/png")))
            self._add(CellOutput(kind=kind, text=plain(_string(data.get("text/plain"))), html=html, png=png))

    def _fail(self, content: Mapping[str, Any]) -> None:
        self._flush()
        lines = content.get("traceback")
        told = "\n".join(map(_string, lines[:MOST_PIECES])) if isinstance(lines, list) else ""
        said = f"{_string(content.get('ename'))}: {_string(content.get('evalue'))}"
        self._add(CellOutput(kind="error", text=plain(told or said)))

    def _add(self, piece: CellOutput) -> None:
        if len(self._pieces) < MOST_PIECES:
            self._pieces.append(piece)
        else:
            self.left_out += 1


def plain(text: str) -> str:
    """Return text that a terminal shows and does not obey, of a bounded length."""
    return sanitise(_COLOURS.sub("", text[: 2 * TEXT_CHARACTERS]).encode("utf-8", "replace").decode())[:TEXT_CHARACTERS]


def clean(html: str) -> str:
    """Return the tables and the formatted text of a piece of HTML; nothing where it is too long."""
    import nh3  # noqa: PLC0415 - only kernels need it

    if not html or len(html) > HTML_CHARACTERS:
        return ""
    text = html.encode("utf-8", "replace").decode()
    return sanitise(nh3.clean(text, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set(), link_rel=None))


def picture(encoded: str) -> bytes:
    """Return the bytes of a PNG file of a bounded size, else nothing."""
    if not encoded or len(encoded) > PNG_BYTES * 3 // 2:
        return b""
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (ValueError, binascii.Error):
        return b""
    if len(content) > PNG_BYTES or not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 33:
        return b""
    width, height = struct.unpack_from(">II", content, 16)
    return content if 0 < width * height <= PNG_PIXELS else b""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
