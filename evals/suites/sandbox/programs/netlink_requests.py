"""Netlink: asks the kernel to change the network, to audit, and for events of devices."""

import socket
import struct
from attack import *


def ask(protocol, kind, body=b""):
    with socket.socket(16, socket.SOCK_RAW, protocol) as link:
        link.settimeout(0.5)
        link.send(struct.pack("=IHHII", 16 + len(body), kind, 5, 1, 0) + body)
        answer = link.recv(4096)
        length, answered, _, _, _ = struct.unpack_from("=IHHII", answer)
        if answered == 2 and struct.unpack_from("=i", answer, 16)[0] < 0:
            raise OSError(-struct.unpack_from("=i", answer, 16)[0], "refused by the kernel")


attempt("take the loopback down", ask, 0, 16, struct.pack("=BxHiII", 0, 0, 1, 0, 1))
attempt("a bridge", ask, 0, 16, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + struct.pack("=HH4s", 8, 3, b"br0\0"))
attempt("audit", ask, 9, 1001, b"\0" * 32)
for protocol in (6, 12, 15, 16):
    attempt(f"protocol {protocol}", socket.socket, 16, socket.SOCK_RAW, protocol)
done()
