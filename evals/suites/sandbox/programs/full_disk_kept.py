"""Runs into the limit on disk, leaves the files there, and ends well."""

from attack import *

(OUT / "out.csv").touch()
try:
    with open(f"{TMP}/full", "wb") as file:
        for _ in range(100):
            file.write(b"1" * 1_000_000)
    breach("100 MB in /tmp")
except OSError as error:
    print("refused", error)
print("TRIED", flush=True)
