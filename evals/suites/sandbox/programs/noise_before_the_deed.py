"""Fills the report with hundreds of small refusals first, so that the one that matters has no room."""

import socket
from attack import *

for number in range(400):
    for path in (f"/usr/noise-{number}", f"/proc/noise-{number}"):
        try:
            os.open(path, os.O_WRONLY | os.O_CREAT)
            breach(path)
        except OSError:
            pass
    try:
        socket.socket(1000 + number, socket.SOCK_STREAM)
        breach("a socket")
    except OSError:
        pass
libc.ptrace(0, 0, 0, 0)
libc.unshare(0x10000000)
done()
