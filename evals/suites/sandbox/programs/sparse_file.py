"""A file that says it has 60 MB and takes no space."""

from attack import *

with (OUT / "huge.bin").open("wb") as file:
    file.truncate(60 << 20)
done()
