"""Writes and syncs without end."""

from attack import *

with open(f"{TMP}/storm", "wb") as file:
    while True:
        file.seek(0)
        file.write(b"1" * 1_000_000)
        file.flush()
        os.fsync(file.fileno())
        os.sync()
