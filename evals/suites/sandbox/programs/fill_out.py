"""Fills the folder for artefacts, many files small enough each."""

from attack import *

for number in range(500):
    (OUT / f"{number}.bin").write_bytes(b"1" * 1_000_000)
breach("500 MB of artefacts")
