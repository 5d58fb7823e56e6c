"""Runs into the limit on disk, catches the error and ends well: the report ought to tell all the same."""

from attack import *

try:
    with open(f"{TMP}/full", "wb") as file:
        for _ in range(100):
            file.write(b"1" * 1_000_000)
    breach("100 MB in /tmp")
except OSError as error:
    print("refused", error)
os.unlink(f"{TMP}/full")
done()
