"""Looks for any interface and route that leads out, and tries to make one."""

import fcntl
import socket
import struct
from attack import *

names = [name for _, name in socket.if_nameindex()]
print(names)
if set(names) - {"lo"}:
    breach(f"interfaces {names}")
if len(Path("/proc/net/route").read_text().splitlines()) > 1:
    breach("a route")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    attempt("change the interface", fcntl.ioctl, any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0))
attempt(
    "a device of one's own",
    lambda: fcntl.ioctl(os.open("/dev/net/tun", os.O_RDWR), 0x400454CA, struct.pack("16sH14x", b"tun0", 1)),
)
done()
