"""Asks the way out for other ports of a listed host, and for its port in numbers that mean something else to somebody."""

from attack import *

door, trap = TRAPS["door"], TRAPS["port"]
ports = [
    trap,
    22,
    443,
    0,
    65536 + trap,
    -1,
    f"+{door}",
    f"-{door}",
    f"{door}.0",
    f"{door}e0",
    hex(door),
    oct(door),
    f"0{door:06}",
    f"{door},{trap}",
    f"{trap}:{door}",
    f"{door}:{trap}",
    f"{door}#{trap}",
    f"{door}/{trap}",
    f"{door};{trap}",
    "9" * 4400,
    "",
    "http",
    "\u0661\u0662",
]
must_be_refused(*(f"localhost:{port}" for port in ports), f"localhost:{trap}@localhost:{trap}", "localhost")
door_is_open()
done()
