"""Sockets of families that no network namespace holds back."""

import socket
from attack import *

for name, family, kind in (
    ("vsock", 40, 1),
    ("packet", 17, 3),
    ("alg", 38, 5),
    ("bluetooth", 31, 1),
    ("can", 29, 3),
    ("tipc", 30, 1),
    ("xdp", 44, 3),
    ("key", 15, 3),
    ("rds", 21, 5),
    ("nfc", 39, 1),
    ("qrtr", 42, 2),
    ("smc", 43, 1),
):
    attempt(name, socket.socket, family, kind)
done()
