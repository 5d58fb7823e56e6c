"""Fills /tmp."""

from attack import *

with open(f"{TMP}/full", "wb") as file:
    for _ in range(500):
        file.write(b"1" * 1_000_000)
breach("500 MB in /tmp")
