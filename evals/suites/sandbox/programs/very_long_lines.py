"""A line of two million characters, without a break."""

from attack import *

print("[" + ", ".join(map(str, range(300_000))) + "]")
done()
