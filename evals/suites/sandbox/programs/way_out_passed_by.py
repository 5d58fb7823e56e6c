"""Calls addresses and name servers by itself although its policy has a way out: nothing else has been opened."""

from attack import *


def udp(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.settimeout(0.5)
        caller.sendto(
            b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01", address
        )
        return caller.recv(100)


attempt("tcp", lambda: socket.create_connection(("192.0.2.1", 443), timeout=1))
attempt("the host's loopback", lambda: socket.create_connection(("127.0.0.1", TRAPS["port"]), timeout=1))
attempt("the door itself", lambda: socket.create_connection(("127.0.0.1", TRAPS["door"]), timeout=1))
attempt("a listed name", socket.getaddrinfo, "example.org", 443)
attempt("a name server", udp, ("192.0.2.1", 53))
attempt("a name server here", udp, ("127.0.0.53", 53))
door_is_open()
done()
