"""Sockets between its own processes, and a descriptor passed over one."""

import array
import socket
from attack import *

one, other = socket.socketpair()
reader, writer = os.pipe()
socket.send_fds(one, [b"x"], [reader])
_, descriptors, _, _ = socket.recv_fds(other, 1, 1)
os.write(writer, b"hello")
assert os.read(descriptors[0], 5) == b"hello"
done()
