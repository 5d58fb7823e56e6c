"""Takes memory until it is stopped, at most three times what it may."""

from attack import *

held = []
for _ in range(180):
    held.append(bytearray(os.urandom(1) * 10_000_000))
breach(f"{len(held) * 10} MB")
