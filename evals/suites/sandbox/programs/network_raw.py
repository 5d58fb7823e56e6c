"""Makes packets itself."""

import socket
from attack import *

attempt("ping", socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
attempt("raw", socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as pinger:
        attempt("ping without rights", pinger.sendto, b"\x08\x00\x00\x00\x00\x00\x00\x00", ("192.0.2.1", 0))
except OSError as error:
    print("refused", error)
done()
