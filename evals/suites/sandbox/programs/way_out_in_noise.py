"""Asks for hundreds of hosts that are not listed before it goes through the door, so that a report may forget the one that counts."""

from attack import *

must_be_refused(*(f"noise-{number}.example.com:443" for number in range(300)))
must_be_refused(*(f"localhost:{port}" for port in range(20_000, 20_300) if port != TRAPS["door"]))
door_is_open()
done()
