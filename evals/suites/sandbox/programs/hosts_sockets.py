"""Calls unix sockets of the host, by path and by abstract name."""

import socket
from attack import *


def connect(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(address)


attempt("unix socket", connect, TRAPS["socket"])
attempt("abstract socket", connect, "\0" + TRAPS["abstract"])
for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
    name = line.split()[-1]
    if name.startswith("@"):
        attempt(name, connect, "\0" + name[1:])
done()
