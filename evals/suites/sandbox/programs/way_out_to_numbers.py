"""Asks the way out for the host's loopback by its numbers, in every spelling that some library takes for one."""

from attack import *

spellings = [
    "127.0.0.1",
    "127.1",
    "127.8.9.10",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "::1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[::1%lo]",
    "127.0.0.1.nip.io",
    "1.0.0.127.in-addr.arpa",
]
for port in (TRAPS["port"], TRAPS["door"]):
    must_be_refused(*(f"{host}:{port}" for host in spellings))
done()
