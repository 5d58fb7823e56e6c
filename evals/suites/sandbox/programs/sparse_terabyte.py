"""A file that says it has a terabyte."""

from attack import *

try:
    with (OUT / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
except OSError as error:
    print("refused", error)
done()
