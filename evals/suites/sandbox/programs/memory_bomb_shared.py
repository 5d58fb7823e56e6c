"""The same in an anonymous shared mapping, which belongs to no process alone."""

import mmap
from attack import *

room = mmap.mmap(-1, 1 << 30)
for start in range(0, 1 << 30, 1 << 20):
    room[start : start + 4096 * 256] = b"1" * (4096 * 256)
breach("a gigabyte of shared memory")
