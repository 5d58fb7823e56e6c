"""The client's side of ZeroMQ: what a peer may send, and what it may not."""

import socket
import struct

import pytest

from open_autoglm.sandbox.kernels import zmtp
from open_autoglm.sandbox.kernels.zmtp import Connection, Peer, ProtocolBroken

GREETING = Peer("DEALER").hello()
READY = b"\x04\x06\x05READY"


def frame(content: bytes, flags: int = 0) -> bytes:
    return struct.pack(">BQ", flags | 2, len(content)) + content


def greeted() -> Peer:
    peer = Peer("DEALER")
    peer.feed(GREETING)
    return peer


def test_what_comes_in_pieces_is_put_together() -> None:
    """Byte by byte, with what is to be sent kept back until the other side has greeted."""
    peer = Peer("SUB")
    assert peer.send([b"early"]) == b""
    found, sent = [], b""
    for byte in GREETING + READY + b"\x01\x01a" + frame(b"b" * 300) + b"\x00\x00":
        messages, answer = peer.feed(bytes([byte]))
        found += messages
        sent += answer

    assert found == [[b"a", b"b" * 300], [b""]]
    assert b"Socket-Type\x00\x00\x00\x03SUB" in sent
    assert sent.endswith(b"\x00\x01\x01" + b"\x00\x05early"), "it subscribes to all before it says anything"
    assert peer.send([b"x", b"y"]) == b"\x01\x01x\x00\x01y"


@pytest.mark.parametrize(
    "said",
    [
        struct.pack(">BQ", 2, zmtp.MESSAGE_BYTES + 1) + bytes(zmtp.MESSAGE_BYTES + 1),
        b"\x01\x00" * (zmtp.PARTS + 5) + b"\x00\x00",
        frame(bytes(zmtp.MESSAGE_BYTES), 1) + b"\x01\x01a" * 3 + b"\x00\x01a",
    ],
    ids=["a frame", "parts", "a message"],
)
def test_what_is_too_large_is_dropped_unread(said: bytes) -> None:
    """Nothing of it is held, and what comes after it is taken."""
    peer = greeted()
    assert peer.feed(READY + said)[0] == []
    assert (peer.dropped, peer.feed(b"\x00\x01z")[0]) == (1, [[b"z"]])


def test_what_never_ends_is_not_held() -> None:
    """A frame of any size, a message of any number of parts."""
    peer = greeted()
    peer.feed(struct.pack(">BQ", 2, 1 << 62))
    for _ in range(100):
        assert peer.feed(bytes(1 << 20)) == ([], b"")
    assert len(peer._buffer) == 0


def test_what_is_no_such_socket_is_refused() -> None:
    """Another protocol, or an older one."""
    for greeting in (b"HTTP/1.1 200 OK".ljust(64), GREETING[:10] + b"\x01" + GREETING[11:]):
        with pytest.raises(ProtocolBroken, match="no ZeroMQ socket"):
            Peer("DEALER").feed(greeting)


def test_a_connection_reads_what_is_there() -> None:
    """Without waiting for more; a peer that hangs up is gone."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(ours, Peer("DEALER"))
        assert connection.receive() == []
        theirs.sendall(GREETING + READY + b"\x00\x01a")
        assert (connection.receive(), connection.total_bytes) == ([[b"a"]], len(GREETING + READY) + 3)
        theirs.close()
        with pytest.raises(ConnectionResetError):
            connection.receive()


def test_nobody_listens() -> None:
    """The caller is told."""
    with pytest.raises(OSError, match="No such file"):
        Connection.to("/no/such/socket", "DEALER")
