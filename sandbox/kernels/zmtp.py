"""The client's side of a ZeroMQ socket that untrusted code serves: what it sends is bounded.

libzmq, which the code inside talks with, keeps every message until its last part has come: a peer that never ends one fills
the memory of this process. So the host speaks the protocol itself (ZMTP 3.0 with no security, rfc.zeromq.org/spec/23), as far as a
client needs it: shake hands, send, take messages of a bounded size and drop others unread. It never connects twice, and knows no thread.
How much may come in all is up to who reads.
"""

import socket
import struct
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

MESSAGE_BYTES = 16 << 20
PARTS = 64
READ_BYTES = 1 << 18
SEND_SECONDS = 5.0
_MORE, _LONG, _COMMAND = 1, 2, 4
_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_SUBSCRIBE_TO_ALL = b"\x01"


class ProtocolBroken(Exception):
    """The peer sent what no ZeroMQ socket sends."""


@dataclass(slots=True)
class Peer:
    """One connection, as a machine that is fed what came and says what to send."""

    kind: Literal["DEALER", "SUB"]
    _buffer: bytearray = field(default_factory=bytearray)
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _waiting: deque[bytes] = field(default_factory=deque)
    _greeted: bool = False
    dropped: int = 0
    """Messages that were too large, and of which nothing was kept."""
    _overflown: bool = False
    _skip: int = 0
    _skipped: int = 0

    def hello(self) -> bytes:
        """Return what is sent first; libzmq loses messages that come in one piece with it."""
        return _GREETING

    def send(self, parts: Sequence[bytes]) -> bytes:
        """Return the bytes of a message; empty where they are kept back until the peer has greeted."""
        data = b"".join(_frame(part, more=number < len(parts) - 1) for number, part in enumerate(parts))
        if self._greeted:
            return data
        self._waiting.append(data)
        return b""

    def feed(self, data: bytes) -> tuple[list[list[bytes]], bytes]:
        """Take what came; return the messages that are complete and not too large, and what is to be sent now.

        Raises:
            ProtocolBroken: It is no ZeroMQ socket.
        """
        self._buffer += data
        answer = b""
        if not self._greeted:
            if len(self._buffer) < len(_GREETING):
                return [], b""
            if self._buffer[0] != 0xFF or self._buffer[10] < 3:
                raise ProtocolBroken("it is no ZeroMQ socket")
            del self._buffer[: len(_GREETING)]
            self._greeted = True
            answer = self._introduction()
        return list(self._messages()), answer

    def _introduction(self) -> bytes:
        ready = b"\x05READY" + _property(b"Socket-Type", self.kind.encode()) + _property(b"Identity", b"")
        subscription = [_frame(_SUBSCRIBE_TO_ALL)] if self.kind == "SUB" else []
        kept = list(self._waiting)
        self._waiting.clear()
        return b"".join([_frame(ready, command=True), *subscription, *kept])

    def _messages(self) -> Iterable[list[bytes]]:
        while (frame := self._next()) is not None:
            flags, part = frame
            if flags & _COMMAND:  # the other side's introduction; there are no others that need an answer
                continue
            self._size += len(part)
            if len(self._parts) < PARTS and self._size <= MESSAGE_BYTES and not self._overflown:
                self._parts.append(part)
            else:
                self._overflown = True
                self._parts.clear()
            if flags & _MORE:
                continue
            if self._overflown:
                self.dropped += 1
            else:
                yield self._parts
            self._parts, self._size, self._overflown = [], 0, False

    def _next(self) -> tuple[int, bytes] | None:
        """Take one frame from what came, where it is complete; of one that is too large nothing is kept."""
        if self._skip:
            passed = min(self._skip, len(self._buffer))
            del self._buffer[:passed]
            self._skip -= passed
            return None if self._skip else (self._skipped, b"")
        if len(self._buffer) < 2:
            return None
        flags, start = self._buffer[0], 2
        size = self._buffer[1]
        if flags & _LONG:
            start = 9
            if len(self._buffer) < start:
                return None
            size = struct.unpack_from(">Q", self._buffer, 1)[0]
        if size > MESSAGE_BYTES:
            self._skip, self._skipped, self._overflown = size, flags, True
            del self._buffer[:start]
            return self._next()
        if len(self._buffer) < start + size:
            return None
        part = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return flags, part


@dataclass(slots=True)
class Connection:
    """A peer at the end of a Unix socket."""

    socket: socket.socket
    peer: Peer
    total_bytes: int = 0
    """What came in."""

    @classmethod
    def to(cls, path: str, kind: Literal["DEALER", "SUB"]) -> "Connection":
        """Connect to the socket at `path`, which somebody must listen at; nobody needs to have answered yet.

        Raises:
            OSError: Nobody listens.
        """
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(SEND_SECONDS)
            line.connect(path)
            made = cls(socket=line, peer=Peer(kind))
            line.sendall(made.peer.hello())
        except OSError:
            line.close()
            raise
        return made

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self.socket.fileno()

    def send(self, parts: Sequence[bytes]) -> None:
        """Send a message, or keep it back until the peer has greeted.

        Raises:
            OSError: The peer is gone, or takes nothing.
        """
        data = self.peer.send(parts)
        if data:
            self.socket.sendall(data)

    def receive(self) -> list[list[bytes]]:
        """Read what is there, without waiting for more; return the messages that are complete.

        Raises:
            OSError: The peer is gone, or takes nothing.
            ProtocolBroken: See `Peer.feed`.
        """
        try:
            data = self.socket.recv(READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionResetError("it hung up")
        self.total_bytes += len(data)
        messages, answer = self.peer.feed(data)
        if answer:
            self.socket.sendall(answer)
        return messages

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def _frame(content: bytes, *, more: bool = False, command: bool = False) -> bytes:
    flags = (_MORE if more else 0) | (_COMMAND if command else 0)
    if len(content) < 256:
        return bytes([flags, len(content)]) + content
    return struct.pack(">BQ", flags | _LONG, len(content)) + content


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
