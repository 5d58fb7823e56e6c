"""Locks memory, so that it cannot be swapped out, and asks for more than there is."""

import mmap
from attack import *

print("locking", flush=True)
libc.mlockall(7)
try:
    room = mmap.mmap(-1, 1 << 44, flags=mmap.MAP_PRIVATE | 0x4000)
    print("a mapping of 16 TB costs nothing", len(room))
except (OSError, ValueError, OverflowError) as error:
    print("refused", error)
done()
