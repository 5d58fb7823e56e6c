"""Where a command's words go: results to stdout, everything else to stderr, whatever those two are.

A stream may be closed, a broken pipe, a full disk, or a terminal that knows no UTF-8. None of these ends a run: what
cannot be printed is dropped, and `autoglm show` prints it again.
"""

import io
import json
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from open_autoglm.events import Json


def hold_descriptors() -> None:
    """Open the null device where standard input, output or error is closed.

    Else the next pipe or file gets that number, and whatever is printed, here or in a child, goes into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


class _Nowhere(io.StringIO):
    """Takes everything and keeps nothing."""

    def write(self, text: str, /) -> int:
        return len(text)


class Terminal:
    """The two streams of one command."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None, keys: TextIO | None = None) -> None:
        self.out = _writable(out or sys.stdout)
        self.err = _writable(err or sys.stderr)
        self._keys = keys or sys.stdin
        self.lost: OSError | None = None
        """Why a result could not be printed, where its reader did not just go away."""

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: keys come from a terminal, and questions go to one."""
        return _is_terminal(self._keys) and _is_terminal(self.err)

    @property
    def live(self) -> bool:
        """Whether progress can be redrawn in place."""
        return _is_terminal(self.err) and os.environ.get("TERM") != "dumb"

    def say(self, text: str) -> None:
        """Print a result."""
        self.out, fault = _print(self.out, text)
        if fault is not None and not isinstance(fault, BrokenPipeError):
            self.lost = fault

    def tell(self, text: str) -> None:
        """Print anything that is not a result."""
        self.err, _ = _print(self.err, text)

    def say_json(self, record: "Mapping[str, Json] | list[Json]") -> None:
        """Print one JSON document, indented for a person and on one line for a pipe."""
        plain = "utf" not in (self.out.encoding or "").lower()
        indent = 2 if _is_terminal(self.out) else None
        self.say(json.dumps(record, ensure_ascii=plain, indent=indent, allow_nan=False))

    def close(self) -> None:
        """Write out what is buffered; later writes, also Python's own at exit, go nowhere if that fails."""
        for stream in (self.out, self.err):
            _flush(stream)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _writable(stream: TextIO | None) -> TextIO:
    """Return the stream with unencodable characters replaced, or a sink where the stream is closed."""
    if stream is None or stream.closed:
        return _Nowhere()
    reconfigure = getattr(stream, "reconfigure", None)  # a stream in a test or a notebook may have none
    if reconfigure is not None:
        reconfigure(errors="replace")
    return stream


def _print(stream: TextIO, text: str) -> tuple[TextIO, OSError | None]:
    """Return where to print from now on, and what went wrong."""
    try:
        stream.write(_encodable(text, stream.encoding) + "\n")
        stream.flush()
    except OSError as error:
        return _silence(stream), error
    except ValueError:  # closed
        return _silence(stream), None
    return stream, None


def _encodable(text: str, encoding: str | None) -> str:
    """Write ± as +/- where the stream cannot; anything else it cannot write becomes a question mark."""
    try:
        "±".encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return text.replace("±", "+/-")
    return text


def _flush(stream: TextIO) -> TextIO:
    try:
        stream.flush()
    except (OSError, ValueError):
        return _silence(stream)
    return stream


def _silence(stream: TextIO) -> TextIO:
    """Point the stream's own descriptor at nothing, so that Python's flush at exit is quiet too."""
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, stream.fileno())
        os.close(sink)
    except (OSError, ValueError):
        pass  # it has no descriptor: there is nothing to be flushed at exit
    return _Nowhere()
